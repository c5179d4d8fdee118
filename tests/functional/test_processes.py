"""The daemons over RabbitMQ: the main job, signals, and several of one kind."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.rcode
import pytest
import requests

from tests.support.clients.notifications import Listener
from tests.support.deadlines import scaled, until
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import NAMES, Daemons
from tests.support.servers.nameservers import Named
from tests.support.servers.primaries import BindPrimary, zone_text
from tests.support.servers.standalone import ask, texts
from tests.support.servers.suspend import resume, suspend


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Named]:
    with Named(tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture(scope="module")
def broker_url(broker: RabbitMQ) -> str:
    return broker.fresh()


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory,
    broker_url: str,
    bind: Named,
) -> Iterator[Daemons]:
    folder = tmp_path_factory.mktemp("cloud")
    options = {
        "DEFAULT": {"rpc_response_timeout": round(scaled(3))},  # some tests wait for it
        "oslo_messaging_notifications": {"driver": "messagingv2"},
    }
    with Daemons(folder, f"sqlite:///{folder}/db.sqlite", broker_url, bind, options) as daemons:
        yield daemons


def active(cloud: Daemons, path: str, timeout_s: float = 20) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        status, found = cloud.call("GET", path)
        assert status == 200, found
        return found if found["status"] == "ACTIVE" else None

    found = until(look, timeout_s, f"{path} ACTIVE")
    assert isinstance(found, dict)
    return found


def new_zone(cloud: Daemons, name: str) -> dict[str, Any]:
    status, zone = cloud.call("POST", "/zones", {"name": name, "email": "a@example.org"})
    assert status == 202, zone
    assert isinstance(zone, dict)
    return zone


def stops(cloud: Daemons, *kinds: str) -> None:
    """Have these daemons end at the same time, each in order."""
    for kind in kinds:
        cloud.signal(f"{kind}-0", signal.SIGTERM)
    for kind in kinds:
        assert cloud.wait(f"{kind}-0") == 0, cloud.log(f"{kind}-0").read_text()[-2000:]


def test_a_change_goes_through_all_processes(cloud: Daemons, bind: Named) -> None:
    zone = new_zone(cloud, "five.example.")
    body = {"name": "www.five.example.", "type": "A", "records": ["192.0.2.1"]}
    status, recordset = cloud.call("POST", f"/zones/{zone['id']}/recordsets", body)
    assert status == 202

    active(cloud, f"/zones/{zone['id']}/recordsets/{recordset['id']}")

    assert texts(ask(("127.0.0.1", bind.port), "www.five.example.", "A")) == {"192.0.2.1"}


def test_who_listens_at_the_broker_is_told_by_central(cloud: Daemons, broker_url: str) -> None:
    with Listener(broker_url) as listener:
        zone = new_zone(cloud, "told.example.")

        told = listener.wait("dns.zone.create", lambda h: h.payload["id"] == zone["id"])
    assert told.publisher.startswith("central.")


def test_what_a_client_was_told_has_failed_is_not_stored_later(cloud: Daemons) -> None:
    zone = new_zone(cloud, "late.example.")
    active(cloud, f"/zones/{zone['id']}")
    other = sqlite3.connect(cloud.folder / "db.sqlite", isolation_level=None)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        status, _ = cloud.call("PATCH", f"/zones/{zone['id']}", {"ttl": 77})
        assert status == 503
    # Writes are one after the other: the late one would be stored before this one.
    new_zone(cloud, "later.example.")

    assert cloud.call("GET", f"/zones/{zone['id']}")[1]["ttl"] == zone["ttl"]


def test_what_waits_until_its_client_was_told_so_is_not_even_begun(cloud: Daemons) -> None:
    zone = new_zone(cloud, "asleep.example.")
    active(cloud, f"/zones/{zone['id']}")
    central = cloud.processes["central-0"]
    suspend(central.pid)
    try:
        status, _ = cloud.call("PATCH", f"/zones/{zone['id']}", {"ttl": 77})
    finally:
        resume(central.pid)
    assert status == 503
    # Writes are one after the other, and the late call is taken first.
    new_zone(cloud, "awake.example.")

    assert cloud.call("GET", f"/zones/{zone['id']}")[1]["ttl"] == zone["ttl"]


def test_errors_cross_the_bus_as_they_are(cloud: Daemons) -> None:
    new_zone(cloud, "twice.example.")

    status, error = cloud.call(
        "POST", "/zones", {"name": "twice.example.", "email": "a@example.org"}
    )
    assert (status, error["type"]) == (409, "duplicate_zone")
    zone = new_zone(cloud, "wrong.example.")
    body = {"name": "www.wrong.example.", "type": "A", "records": ["not an address"]}
    status, error = cloud.call("POST", f"/zones/{zone['id']}/recordsets", body)
    assert (status, error["type"]) == (400, "invalid_object")
    assert error["errors"]["errors"][0]["path"] == ["records", 0], error


def test_calls_one_after_the_other_do_not_make_more_and_more_threads(cloud: Daemons) -> None:
    def threads() -> int:
        return len(list(Path(f"/proc/{cloud.processes['central-0'].pid}/task").iterdir()))

    before = threads()
    for _ in range(100):
        assert cloud.call("GET", "/zones")[0] == 200

    # A few more, for the next call may come before the thread of the last one is back.
    assert threads() - before < 10


def test_every_process_says_that_it_lives(cloud: Daemons) -> None:
    def up() -> bool:
        status, found = cloud.call("GET", "/service_statuses")
        assert status == 200, found
        return {s["service_name"] for s in found["service_statuses"] if s["status"] == "UP"} == {
            *NAMES
        }

    until(up, 20, "a heartbeat of every process")


def test_every_daemon_tells_how_it_is(cloud: Daemons, bind: Named) -> None:
    zone = new_zone(cloud, "measured.example.")
    active(cloud, f"/zones/{zone['id']}")
    urls = [cloud.monitoring_url(f"{name}-0") for name in NAMES]
    for url in urls:
        assert requests.get(f"{url}/healthcheck", timeout=scaled(10)).text == "OK"

    def told() -> str:
        return "\n".join(requests.get(f"{url}/metrics", timeout=scaled(10)).text for url in urls)

    # The producer begins once central has given it its shards.
    until(lambda: 'designate_swept_total{sweep="recovery"}' in told(), 30, "a sweep")
    everything = told()
    for sample in (
        'designate_api_request_seconds_count{code="202",method="POST",route="/v2/zones"}',
        'designate_rpc_call_seconds_count{method="zones.create",outcome="ok",topic="central"}',
        'designate_rpc_served_seconds_count{method="zones.create",outcome="ok"}',
        f'designate_convergence_seconds_count{{nameserver="127.0.0.1:{bind.port}",pool="default"}}',
        f'designate_nameserver_serial_lag{{nameserver="127.0.0.1:{bind.port}",pool="default"}} 0.0',
        'designate_transfers_total{kind="axfr"}',
        'designate_transfer_bytes_total{kind="axfr"}',
        'designate_queue_depth{queue="casts"}',
        'designate_swept_total{sweep="recovery"}',
    ):
        assert sample in everything, sample


def test_a_report_on_request(cloud: Daemons) -> None:
    cloud.signal("worker-0", signal.SIGUSR2)

    until(lambda: "Guru Meditation" in cloud.log("worker-0").read_text(), 20, "the report")


def test_options_are_read_again_on_hup(cloud: Daemons) -> None:
    before = cloud.conf_file.read_text()
    cloud.conf_file.write_text(before.replace("[DEFAULT]", "[DEFAULT]\ndebug = true"))
    try:
        cloud.signal("central-0", signal.SIGHUP)

        def told() -> bool:
            cloud.call("GET", f"/zones/{uuid.uuid4()}")
            return "zones.get: returned error zone_not_found" in cloud.log("central-0").read_text()

        until(told, 20, "a line for debugging")
    finally:
        cloud.conf_file.write_text(before)
        cloud.signal("central-0", signal.SIGHUP)


@pytest.mark.timeout(300)
def test_each_process_stops_in_order_and_comes_back(cloud: Daemons) -> None:
    stops(cloud, "central")
    stops(cloud, *NAMES[1:])  # also while there is no central to report to
    cloud.start_all()

    active(cloud, f"/zones/{new_zone(cloud, 'again.example.')['id']}")


@pytest.mark.timeout(300)
def test_green_threads(tmp_path: Path, broker: RabbitMQ, bind: Named) -> None:
    green = {"DESIGNATE_CONCURRENCY": "eventlet"}
    url = f"sqlite:///{tmp_path}/db.sqlite"
    with Daemons(tmp_path, url, broker.fresh(), bind, environment=green) as cloud:
        zones = [new_zone(cloud, f"green{number}.example.") for number in range(3)]
        for zone in zones:
            body = {"name": f"www.{zone['name']}", "type": "A", "records": ["192.0.2.1"]}
            status, recordset = cloud.call("POST", f"/zones/{zone['id']}/recordsets", body)
            assert status == 202, recordset
            active(cloud, f"/zones/{zone['id']}/recordsets/{recordset['id']}")
            assert texts(ask(("127.0.0.1", bind.port), body["name"], "A")) == {"192.0.2.1"}
        for name in NAMES:
            cloud.signal(f"{name}-0", signal.SIGUSR2)
            log = cloud.log(f"{name}-0")
            until(lambda log=log: "Guru Meditation" in log.read_text(), 20, f"report of {name}")
        stops(cloud, *NAMES[1:])
        stops(cloud, "central")


def test_a_large_secondary_zone_crosses_the_bus_in_parts_and_follows_notify(
    cloud: Daemons, bind: Named, tmp_path: Path
) -> None:
    name = "secondary.example."
    many = [f'n{n}.{name} 60 IN TXT "{"x" * 200}"' for n in range(6000)]
    told = ("127.0.0.1", cloud.dns_port)
    with BindPrimary(tmp_path, name, zone_text(name, 5, *many), notify=told) as primary:
        body = {"name": name, "type": "SECONDARY", "masters": [primary.master]}
        status, zone = cloud.call("POST", "/zones", body)
        assert status == 202, zone
        first = active(cloud, f"/zones/{zone['id']}", 40)
        primary.load(zone_text(name, 6, *many[1:]))

        def followed() -> bool:
            _, found = cloud.call("GET", f"/zones/{zone['id']}")
            return (found["serial"], found["status"]) == (6, "ACTIVE")

        until(followed, 40, "the change of the primary ACTIVE")

    address = ("127.0.0.1", bind.port)
    assert first["serial"] == 5
    assert ask(address, f"n0.{name}", "TXT").rcode() == dns.rcode.NXDOMAIN
    assert texts(ask(address, f"n5999.{name}", "TXT")) == {f'"{"x" * 200}"'}
