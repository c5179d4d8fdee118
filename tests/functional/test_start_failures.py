"""What keeps a daemon from starting is one line that says what to do."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deadlines import scaled
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import Options, configuration
from tests.support.servers.nameservers import free_port

TIMEOUT_S = 40


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port of 127.0.0.1 that another program uses."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def failure(kind: str, folder: Path, *, workers: int = 1, **groups: dict[str, object]) -> str:
    """Start a daemon that cannot start; return the one line that it prints."""
    options: dict[str, dict[str, object]] = {
        "DEFAULT": {"transport_url": "rabbit://guest:guest@127.0.0.1:1/"},
        "storage:sqlalchemy": {"connection": f"sqlite:///{folder}/db.sqlite"},
        f"service:{kind}": {"workers": workers},
        "service:api": {"auth_strategy": "noauth", "listen": f"127.0.0.1:{free_port()}"},
    }
    for group, values in groups.items():
        name = group.replace("__", ":")
        options[name] = {**options.get(name, {}), **values}
    return failure_of_files(kind, write(folder, options))


def write(folder: Path, options: Options) -> Path:
    path = folder / "designate.conf"
    path.write_text(configuration(options))
    return path


def failure_of_files(kind: str, *files: Path) -> str:
    program = Path(sys.executable).parent / f"designate-{kind}"
    arguments = [part for file in files for part in ("--config-file", str(file))]
    ended = subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=scaled(TIMEOUT_S)
    )
    assert ended.returncode == 1, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if " INFO cotyledon" not in line]
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith(f"designate-{kind}: ")
    return lines[0]


@pytest.mark.parametrize("workers", [1, 2])
def test_wrong_broker_password_is_named_without_the_password(
    workers: int, broker: RabbitMQ, tmp_path: Path
) -> None:
    url = broker.fresh().replace("guest:guest", "guest:wr0ng")

    line = failure("central", tmp_path, workers=workers, DEFAULT={"transport_url": url})

    assert "ACCESS_REFUSED" in line
    assert f"transport_url (guest@127.0.0.1:{broker.port}" in line
    assert "wr0ng" not in line


def test_unknown_virtual_host_is_named(broker: RabbitMQ, tmp_path: Path) -> None:
    url = f"rabbit://guest:guest@127.0.0.1:{broker.port}/nosuch"

    line = failure("worker", tmp_path, DEFAULT={"transport_url": url})

    assert "vhost nosuch not found" in line


@pytest.mark.parametrize("workers", [1, 2])
def test_mdns_names_the_option_and_address_that_are_in_use(
    workers: int, taken: int, tmp_path: Path
) -> None:
    listen = f"127.0.0.1:{taken}"

    line = failure("mdns", tmp_path, workers=workers, service__mdns={"listen": listen})

    assert line == f"designate-mdns: [service:mdns] listen: {listen}: Address already in use"


def test_api_names_the_option_and_address_that_are_in_use(taken: int, tmp_path: Path) -> None:
    listen = f"127.0.0.1:{taken}"

    line = failure("api", tmp_path, service__api={"listen": listen})

    assert line == f"designate-api: [service:api] listen: {listen}: Address already in use"


def test_missing_certificate_is_named(tmp_path: Path) -> None:
    line = failure("api", tmp_path, ssl={"cert_file": "/no/cert.pem", "key_file": "/no/key.pem"})

    assert "[ssl]" in line
    assert "/no/cert.pem" in line


def test_log_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    line = failure("producer", tmp_path, DEFAULT={"log_dir": "/proc/nolog"})

    assert line == (
        "designate-producer: [DEFAULT] log_dir, log_file: /proc/nolog/designate-producer.log: "
        "No such file or directory"
    )


def test_missing_logging_configuration_is_named(tmp_path: Path) -> None:
    line = failure("sink", tmp_path, DEFAULT={"log_config_append": "/no/logging.conf"})

    assert "[DEFAULT] log_config_append" in line
    assert "/no/logging.conf" in line


def test_broken_configuration_file_is_named_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "designate.conf"
    broken.write_text("[DEFAULT]\nhost = here\nthis is no option\n")

    line = failure_of_files("worker", broken)

    assert f"{broken}:3" in line


def test_unknown_heartbeat_emitter_names_the_installed_ones(tmp_path: Path) -> None:
    line = failure("worker", tmp_path, heartbeat_emitter={"emitter_type": "carrier-pigeon"})

    assert "[heartbeat_emitter] emitter_type = carrier-pigeon" in line
    assert "(installed: noop, rpc)" in line


def test_lock_folder_of_the_queue_manager_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    line = failure(
        "worker",
        tmp_path,
        DEFAULT={"transport_url": "rabbit://guest:guest@127.0.0.1:1/", "state_path": "/proc/no"},
        oslo_messaging_rabbit={"use_queue_manager": True},
    )

    assert "[oslo_concurrency] lock_path = /proc/no" in line
    assert "use_queue_manager needs a folder" in line
