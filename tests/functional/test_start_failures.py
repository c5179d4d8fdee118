"""What keeps a daemon from starting is one line that says what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import kombu
import pytest

from tests.support.servers.broker import RabbitMQ
from tests.support.servers.start_failures import failure, failure_of_files


@pytest.fixture(scope="module")
def broker_url(broker: RabbitMQ) -> str:
    return broker.fresh()


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port of 127.0.0.1 that another program uses."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "workers"),
    [
        ("central", 1),
        ("central", 2),
        ("worker", 1),
        ("mdns", 1),
        ("producer", 1),
        ("api", 1),
        ("api", 2),
        ("sink", 1),
    ],
)
def test_wrong_broker_password_is_named_without_the_password(
    kind: str, workers: int, broker: RabbitMQ, broker_url: str, tmp_path: Path
) -> None:
    url = broker_url.replace("guest:guest", "guest:wr0ng")

    line = failure(kind, tmp_path, workers=workers, DEFAULT={"transport_url": url})

    assert "ACCESS_REFUSED" in line
    assert f"check [DEFAULT] transport_url (guest@127.0.0.1:{broker.port}" in line
    assert "wr0ng" not in line


def test_queue_with_other_settings_is_named_with_the_options(
    broker_url: str, tmp_path: Path
) -> None:
    with kombu.Connection(broker_url.replace("rabbit://", "amqp://")) as connection:
        kombu.Queue("central", durable=True, channel=connection.channel()).declare()

    line = failure("central", tmp_path, DEFAULT={"transport_url": broker_url})

    assert "PRECONDITION_FAILED" in line
    assert "queue 'central'" in line
    assert "[oslo_messaging_rabbit]" in line


def test_events_of_another_broker_that_refuses_name_its_option(
    broker_url: str, tmp_path: Path
) -> None:
    wrong = broker_url.replace("guest:guest", "guest:wr0ng")

    line = failure(
        "sink",
        tmp_path,
        DEFAULT={"transport_url": broker_url},
        oslo_messaging_notifications={"transport_url": wrong},
        service__sink={"enabled_notification_handlers": "fake"},
    )

    assert "ACCESS_REFUSED" in line
    assert "[oslo_messaging_notifications] transport_url (guest@127.0.0.1" in line


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
