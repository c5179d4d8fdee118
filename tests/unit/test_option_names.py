"""The warning that names unknown options and groups of the configuration files."""

from pathlib import Path

import pytest
from oslo_config import cfg

from designate import config, messaging, option_names

CHECKOUT = Path(__file__).parents[2]


def found(folder: Path, text: str) -> list[str]:
    path = folder / "designate.conf"
    path.write_text(text)
    conf = cfg.ConfigOpts()
    config.register(conf, "worker")
    messaging.register(conf)
    conf([], default_config_files=[str(path)], default_config_dirs=[])
    return list(option_names.unknown(conf))


def test_typing_errors_are_named_with_the_nearest_name_and_without_values(tmp_path: Path) -> None:
    text = "[service:api]\nlistne = s3cret\n[sevice:mdns]\nlisten = s3cret\n[DEFAULT]\nzzz = s3cret"

    assert found(tmp_path, text) == [
        "[DEFAULT] zzz",
        "[service:api] listne (did you mean listen?)",
        "group [sevice:mdns] (did you mean service:mdns?)",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[keystone_authtoken]\nauth_type = v3applicationcredential\n"
        "application_credential_id = a\napplication_credential_secret = s\nusername = u",
        "[oslo_messaging_rabbit]\nuse_queue_manager = true\nrabbit_stream_fanout = true",
        "[DEFAULT]\nlog-dir = /x\nuse_journal = true\ntransport_url = rabbit://\n"
        "graceful_shutdown_timeout = 5\nroot-helper = sudo\nstate_path = /x",
        "[service:central]\ndefault_pool_id = x\n[cors]\nallowed_origin = x\n[ssl]\ncert_file = x",
        "[healthcheck]\ndetailed = true\nallowed_source_ranges = 127.0.0.0/8\n"
        "[oslo_policy]\nenforce_scope = false\n[oslo_middleware]\nmax_request_body_size = 1",
        "[service:agent]\n[service:pool_manager]\n[pool_manager_cache:sqlalchemy]",
        "[storage:sqlalchemy]\nidle_timeout = 3600\n[producer_task:zone_purge]\ninterval = 1",
    ],
    ids=["keystone", "rabbit", "default", "other parts", "oslo", "empty groups", "old names"],
)
def test_known_options_are_not_named(text: str, tmp_path: Path) -> None:
    assert found(tmp_path, text) == []


def test_options_of_an_installed_plug_in_are_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[handler:ours]\ncolour = red"
    assert found(tmp_path, text) == ["group [handler:ours]"]

    info = tmp_path / "site" / "ours-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[designate.notification.handler]\nours = designate.sink.handlers:Fake\n"
    )
    monkeypatch.syspath_prepend(info.parent)

    assert found(tmp_path, text) == []


def test_options_of_older_releases_are_named(tmp_path: Path) -> None:
    text = "[service:worker]\nnotify = false\n[oslo_messaging_rabbit]\nrabbit_quorum_queues = true"

    assert found(tmp_path, text) == [
        "[oslo_messaging_rabbit] rabbit_quorum_queues (did you mean rabbit_quorum_queue?)",
        "[service:worker] notify",
    ]


def test_list_has_every_option_of_this_project() -> None:
    """Regenerate it with: python -m designate.option_names > designate/option_names.txt."""
    known = option_names.FILE.read_text(encoding="utf-8").splitlines()
    ours = {f"{group} {option.dest}" for group, options in config.list_opts() for option in options}

    assert sorted(ours - set(known)) == []


def test_namespaces_are_those_of_the_generator_file() -> None:
    generator = CHECKOUT / "etc" / "designate" / "designate-config-generator.conf"
    written = [
        line.partition(" = ")[2]
        for line in generator.read_text(encoding="utf-8").splitlines()
        if line.startswith("namespace = ")
    ]

    assert sorted(written) == sorted(option_names.NAMESPACES)
