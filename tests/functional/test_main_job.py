"""The main job over the true composition, from MiniDNS itself and from a real BIND, on each database."""

import concurrent.futures
import itertools
import json

import dns.rcode
import pytest

from designate.wire.names import serial_gt
from tests.support.deadlines import until
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import Service, ask, texts, transferred


@pytest.fixture(scope="module")
def service(tmp_path_factory, databases):
    storage = {"connection": databases.migrated()}
    folder = tmp_path_factory.mktemp("service")
    with Service(folder, **{"storage:sqlalchemy": storage}) as service:
        yield service


@pytest.fixture(scope="module")
def bind(tmp_path_factory, databases):  # noqa: ARG001 - the databases start first
    with Named(tmp_path_factory.mktemp("bind")) as bind:
        yield bind


@pytest.fixture(scope="module")
def with_bind(tmp_path_factory, bind, databases):
    storage = {"connection": databases.migrated()}
    folder = tmp_path_factory.mktemp("with-bind")
    with Service(folder, bind, free_port(), **{"storage:sqlalchemy": storage}) as service:
        yield service


def test_a_posted_record_is_served_and_active(service):
    zone = service.zone("posted.example.")
    service.active(f"/zones/{zone['id']}")

    made = service.recordset(zone, "www.posted.example.", "A", ["192.0.2.1"], ttl=60)
    shown = service.active(f"/zones/{zone['id']}/recordsets/{made['id']}")
    answer = ask(service.dns, "WWW.posted.example.", "A")

    assert (made["action"], made["status"]) == ("CREATE", "PENDING")
    assert (shown["action"], shown["status"]) == ("NONE", "ACTIVE")
    assert texts(answer) == {"192.0.2.1"}
    assert answer.answer[0].ttl == 60


def test_a_changed_record_is_served_with_a_newer_serial(service):
    zone = service.zone("changed.example.")
    made = service.recordset(zone, "www.changed.example.", "A", ["192.0.2.1"])
    path = f"/zones/{zone['id']}/recordsets/{made['id']}"
    before = service.active(f"/zones/{zone['id']}")

    status, changed = service.call("PUT", path, {"records": ["192.0.2.2"], "ttl": 30})
    after = service.active(f"/zones/{zone['id']}")

    assert status == 202
    assert (changed["action"], changed["status"]) == ("UPDATE", "PENDING")
    assert serial_gt(after["serial"], before["serial"])
    assert texts(ask(service.dns, "www.changed.example.", "A")) == {"192.0.2.2"}


def test_a_deleted_record_is_gone_from_the_api_at_once_and_from_dns_when_active(service):
    zone = service.zone("deleted.example.")
    made = service.recordset(zone, "www.deleted.example.", "A", ["192.0.2.1"])
    path = f"/zones/{zone['id']}/recordsets/{made['id']}"

    status, deleted = service.call("DELETE", path)
    again = service.call("GET", path)
    service.active(f"/zones/{zone['id']}")

    assert status == 202
    assert (deleted["action"], deleted["status"]) == ("DELETE", "PENDING")
    assert (again[0], again[1]["type"]) == (404, "recordset_not_found")
    assert ask(service.dns, "www.deleted.example.", "A").rcode() == dns.rcode.NXDOMAIN


def test_a_deleted_zone_is_refused_by_dns_and_its_name_is_free_again(service):
    zone = service.zone("zonegone.example.")
    service.active(f"/zones/{zone['id']}")

    status, deleted = service.call("DELETE", f"/zones/{zone['id']}")
    service.gone(f"/zones/{zone['id']}")

    assert (status, deleted["action"], deleted["status"]) == (202, "DELETE", "PENDING")
    assert ask(service.dns, "zonegone.example.", "SOA").rcode() == dns.rcode.REFUSED
    service.zone("zonegone.example.")


def test_a_zone_ttl_change_reaches_the_records_that_inherit_it(service):
    zone = service.zone("ttl.example.", ttl=300)
    service.recordset(zone, "a.ttl.example.", "A", ["192.0.2.1"])
    service.recordset(zone, "b.ttl.example.", "A", ["192.0.2.1"], ttl=0)

    service.call("PATCH", f"/zones/{zone['id']}", {"ttl": 77})
    service.active(f"/zones/{zone['id']}")

    assert ask(service.dns, "a.ttl.example.", "A").answer[0].ttl == 77
    assert ask(service.dns, "b.ttl.example.", "A").answer[0].ttl == 0


def test_bind_serves_what_was_posted_changed_and_deleted(with_bind, bind):
    address = ("127.0.0.1", bind.port)
    zone = with_bind.zone("bind.example.")
    with_bind.active(f"/zones/{zone['id']}")
    made = with_bind.recordset(zone, "www.bind.example.", "A", ["192.0.2.1", "192.0.2.2"])
    path = f"/zones/{zone['id']}/recordsets/{made['id']}"
    with_bind.active(path)
    posted = texts(ask(address, "www.bind.example.", "A"))
    with_bind.call("PUT", path, {"records": ["192.0.2.3"]})
    with_bind.active(path)
    changed = texts(ask(address, "www.bind.example.", "A"))
    with_bind.call("DELETE", path)
    with_bind.active(f"/zones/{zone['id']}")
    deleted = ask(address, "www.bind.example.", "A").rcode()
    with_bind.call("DELETE", f"/zones/{zone['id']}")
    with_bind.gone(f"/zones/{zone['id']}")

    assert posted == {"192.0.2.1", "192.0.2.2"}
    assert changed == {"192.0.2.3"}
    assert deleted == dns.rcode.NXDOMAIN
    assert ask(address, "bind.example.", "SOA").rcode() == dns.rcode.REFUSED


def test_bind_receives_changes_by_ixfr(with_bind, bind):
    zone = with_bind.zone("ixfr.example.")
    with_bind.active(f"/zones/{zone['id']}")
    made = with_bind.recordset(zone, "www.ixfr.example.", "A", ["192.0.2.1"])
    with_bind.active(f"/zones/{zone['id']}/recordsets/{made['id']}")

    log = (bind.folder / "named.log").read_text()

    lines = [line for line in log.splitlines() if "ixfr.example/IN" in line]
    assert any("Transfer status: success" in line for line in lines)
    # BIND keeps a journal only of what came to it as a difference.
    assert list(bind.folder.glob("*.jnl"))


def test_many_clients_changing_one_zone_and_many_lose_nothing(with_bind, bind):
    zones = [with_bind.zone(f"busy{n}.example.") for n in range(4)]
    for zone in zones:
        with_bind.active(f"/zones/{zone['id']}")
    seen: dict[str, list[int]] = {zone["id"]: [] for zone in zones}

    def client(number: int) -> list[tuple[str, str]]:
        wanted = []
        for turn in range(12):
            zone = zones[0] if number % 2 else zones[turn % 4]
            name = f"c{number}-{turn}.{zone['name']}"
            made = with_bind.recordset(zone, name, "A", ["192.0.2.1"])
            path = f"/zones/{zone['id']}/recordsets/{made['id']}"
            if turn % 3 == 0:
                status, answer = with_bind.call("PUT", path, {"records": ["192.0.2.9"]})
                assert status == 202, answer
                wanted.append((name, "192.0.2.9"))
            elif turn % 3 == 1:
                status, answer = with_bind.call("DELETE", path)
                assert status == 202, answer
                wanted.append((name, ""))
            else:
                wanted.append((name, "192.0.2.1"))
            seen[zone["id"]].append(with_bind.call("GET", f"/zones/{zone['id']}")[1]["serial"])
        return wanted

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        wanted = [pair for found in pool.map(client, range(16)) for pair in found]
    for zone in zones:
        with_bind.active(f"/zones/{zone['id']}", 20)

    for zone in zones:
        own = transferred(with_bind.dns, zone["name"])
        binds = transferred(("127.0.0.1", bind.port), zone["name"])
        assert own == binds
        assert own.get_soa().serial == with_bind.call("GET", f"/zones/{zone['id']}")[1]["serial"]
        for name, data in wanted:
            if name.endswith("." + zone["name"]):
                found = own.get_rdataset(name.removesuffix("." + zone["name"]), "A")
                assert {r.to_text() for r in found or ()} == ({data} if data else set())


def test_every_change_has_a_serial_of_its_own(service):
    zone = service.zone("serials.example.")
    serials = [zone["serial"]]
    for number in range(20):
        service.recordset(zone, f"n{number}.serials.example.", "A", ["192.0.2.1"])
        serials.append(service.call("GET", f"/zones/{zone['id']}")[1]["serial"])

    assert all(serial_gt(new, old) for old, new in itertools.pairwise(serials))


def test_a_zone_that_bind_lost_is_created_there_again(with_bind, bind):
    zone = with_bind.zone("lost.example.")
    with_bind.active(f"/zones/{zone['id']}")
    from designate.backend.base import load
    from designate.model.pools import Target
    from designate.model.zones import Action, ZoneAnnouncement, ZoneType

    backend = load(Target(type="bind9", options=bind.options))
    change = ZoneAnnouncement(
        zone_id=zone["id"],
        name="lost.example.",
        type=ZoneType.PRIMARY,
        pool_id="p",
        pool_version=1,
        revision=1,
        serial=1,
        action=Action.DELETE,
    )
    backend.delete_zone(change, hard_delete=True)
    refused = ask(("127.0.0.1", bind.port), "lost.example.", "SOA").rcode()

    made = with_bind.recordset(zone, "www.lost.example.", "A", ["192.0.2.1"])
    with_bind.active(f"/zones/{zone['id']}/recordsets/{made['id']}")

    assert refused == dns.rcode.REFUSED
    assert texts(ask(("127.0.0.1", bind.port), "www.lost.example.", "A")) == {"192.0.2.1"}


def test_a_stopped_bind_makes_a_zone_pending_and_catches_up_when_it_is_back(tmp_path):
    with Named(tmp_path / "bind") as bind, Service(tmp_path, bind, free_port()) as service:
        zone = service.zone("outage.example.")
        service.active(f"/zones/{zone['id']}")
        bind.stop()
        made = service.recordset(zone, "www.outage.example.", "A", ["192.0.2.1"])
        path = f"/zones/{zone['id']}/recordsets/{made['id']}"
        meanwhile = service.call("GET", path)[1]["status"]
        bind.start()
        service.active(path, 15)

        assert meanwhile == "PENDING"
        assert texts(ask(("127.0.0.1", bind.port), "www.outage.example.", "A")) == {"192.0.2.1"}


def test_errors_have_the_standard_body(service):
    status, body = service.call("GET", "/zones/11111111-1111-1111-1111-111111111111")

    assert status == 404
    assert list(body) == ["code", "type", "message", "request_id"]
    assert json.dumps(body)
    assert body["type"] == "zone_not_found"


def test_changes_that_lost_their_message_are_found_by_the_sweep(service):
    zone = service.zone("sweep.example.")
    service.active(f"/zones/{zone['id']}")
    central = service.parts.central
    serve = service.parts.bus.serve
    dispatcher = service.parts.bus._dispatchers.pop("worker")
    made = service.recordset(zone, "www.sweep.example.", "A", ["192.0.2.1"])
    until(lambda: service.parts.bus._casts.empty(), 5, "the cast queue empty")
    serve("worker", dispatcher)

    assert central is not None
    service.active(f"/zones/{zone['id']}/recordsets/{made['id']}", 15)
