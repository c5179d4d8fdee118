"""designate-standalone: precedence of settings, and what is refused before the start."""

from pathlib import Path

import pytest
from oslo_config import cfg

from designate.cmd import standalone
from designate.wire.primary_rules import PrimaryRules


def configuration(*arguments: str) -> cfg.ConfigOpts:
    return standalone.configuration(standalone.parser().parse_args(arguments))


def test_defaults_serve_loopback_from_a_file_in_the_state_directory(tmp_path: Path) -> None:
    conf = configuration("--state-dir", str(tmp_path))

    assert conf["service:api"].listen == ["127.0.0.1:9001"]
    assert conf["service:api"].auth_strategy == "noauth"
    assert conf["service:mdns"].listen == ["127.0.0.1:5354"]
    assert conf["storage:sqlalchemy"].connection == f"sqlite:///{tmp_path}/designate.sqlite"


def test_the_file_wins_over_defaults_and_arguments_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "designate.conf"
    file.write_text(
        "[DEFAULT]\ndefault_ttl = 77\n"
        "[service:api]\nlisten = 127.0.0.1:1111\n"
        "[service:mdns]\nlisten = 127.0.0.1:2222\n"
    )

    conf = configuration("--config-file", str(file), "--dns", "127.0.0.1:3333")

    assert conf.default_ttl == 77
    assert conf["service:api"].listen == ["127.0.0.1:1111"]
    assert conf["service:mdns"].listen == ["127.0.0.1:3333"]


@pytest.mark.parametrize("address", ["0.0.0.0:9001", "[::]:9001", "192.0.2.1:9001"])
def test_an_open_api_is_not_served_to_other_machines_unless_told(address: str) -> None:
    with pytest.raises(standalone.StartupError, match="--allow-remote-noauth"):
        configuration("--api", address)

    conf = configuration("--api", address, "--allow-remote-noauth")

    assert conf["service:api"].listen == [address]


@pytest.mark.parametrize("address", ["127.0.0.1:9001", "127.8.8.8:9001", "[::1]:9001"])
def test_every_loopback_address_is_fine(address: str) -> None:
    assert configuration("--api", address)["service:api"].listen == [address]


def test_the_address_in_a_file_is_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "designate.conf"
    file.write_text("[service:api]\nlisten = 127.0.0.1:9001, 0.0.0.0:9001\n")

    with pytest.raises(standalone.StartupError, match=r"0\.0\.0\.0:9001"):
        configuration("--config-file", str(file))


@pytest.mark.parametrize(
    ("text", "arguments", "allowed"),
    [
        ("", (), True),
        ("", ("--allow-remote-noauth",), False),
        ("[service:api]\nauth_strategy = keystone\n", (), False),
        ("[service:worker]\nprimary_allowed_networks =\n", (), False),
    ],
)
def test_masters_on_loopback_are_for_clients_of_this_machine(
    text: str, arguments: tuple[str, ...], allowed: bool, tmp_path: Path
) -> None:
    file = tmp_path / "designate.conf"
    file.write_text(text)
    rules = PrimaryRules.from_conf(configuration("--config-file", str(file), *arguments))

    assert [rules.permits(address) for address in ("127.0.0.1", "::1")] == [allowed] * 2
    assert not rules.permits("169.254.169.254")


@pytest.mark.parametrize("text", ["127.0.0.1", ":53", "127.0.0.1:dns", "127.0.0.1:65536"])
def test_a_broken_address_is_a_usage_error(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        standalone.main(["--dns", text])

    assert stopped.value.code == 2
    assert "is not HOST:PORT" in capsys.readouterr().err


def test_exit_alone_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        standalone.main(["--exit"])

    assert stopped.value.code == 2
    assert "--demo" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"), [(None, "missing.conf"), ("[service:mdns]\nthreads = many\n", "threads")]
)
def test_an_unusable_file_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "missing.conf"
    if content is not None:
        file.write_text(content)

    with pytest.raises(standalone.StartupError, match=said):
        configuration("--config-file", str(file))
