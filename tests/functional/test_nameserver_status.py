"""GET /v2/zones/{id}/nameservers/status: which nameservers are behind, and why."""

from __future__ import annotations

import pytest
import yaml

from designate.model.zones import NameserverAnswer, Outcome
from designate.wire.names import SERIAL_MODULUS
from tests.support.deadlines import until
from tests.support.factories.identities import OPS
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.nameserver import NanoServer
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import Service

ALL = {"X-Auth-All-Projects": "true"}


@pytest.fixture(scope="module")
def servers():
    with NanoServer() as first, NanoServer() as second:
        yield first, second


@pytest.fixture(scope="module")
def service(tmp_path_factory, servers):
    folder = tmp_path_factory.mktemp("status")
    pool = {
        "name": "default",
        "id": "794ccc2c-d751-44fe-b57f-8894c9f5c842",
        "ns_records": [{"hostname": "ns1.example.org.", "priority": 1}],
        "nameservers": [{"host": server.host, "port": server.port} for server in servers],
        "targets": [
            {"type": "fake", "options": {"host": server.host, "port": str(server.port)}}
            for server in servers
        ],
    }
    (folder / "pools.yaml").write_text(yaml.safe_dump([pool]))
    with Service(folder, pools_file=folder / "pools.yaml") as service:
        yield service


def status_of(service, zone):
    code, found = service.call("GET", f"/zones/{zone['id']}/nameservers/status", **OPS)
    assert code == 200, found
    return found["nameservers"]


def test_the_one_that_is_behind_is_named(service, servers):
    first, second = servers
    zone = service.zone("behind.example.")
    serial = zone["serial"]
    first.serials["behind.example."] = serial
    second.serials["behind.example."] = serial - 7

    seen = status_of(service, zone)
    second.serials["behind.example."] = serial
    recovered = status_of(service, zone)

    assert seen[0] == {
        "name": first.host,
        "address": f"{first.host}:{first.port}",
        "status": "ACTIVE",
        "serial": serial,
        "lag": 0,
        "last_error": None,
        "since": None,
    }
    assert seen[1] == {
        "name": second.host,
        "address": f"{second.host}:{second.port}",
        "status": "PENDING",
        "serial": serial - 7,
        "lag": 7,
        "last_error": f"serial {serial - 7} is behind the zone's {serial}",
        "since": zone["created_at"],
    }
    assert (recovered[1]["status"], recovered[1]["lag"]) == ("ACTIVE", 0)


def test_a_serial_ahead_is_named_whether_or_not_the_zone_was_proven_before(service, servers):
    second = servers[1]
    zone = service.zone("ahead.example.")
    for server in servers:
        server.serials["ahead.example."] = zone["serial"]
    service.active(f"/zones/{zone['id']}")
    second.serials["ahead.example."] = zone["serial"] + 5000

    seen = status_of(service, zone)

    assert (seen[0]["status"], seen[0]["last_error"]) == ("ACTIVE", None)
    assert (seen[1]["status"], seen[1]["lag"], seen[1]["since"]) == (
        "PENDING",
        None,
        zone["created_at"],
    )
    assert seen[1]["serial"] == zone["serial"] + 5000
    assert seen[1]["last_error"] == (
        f"serial {zone['serial'] + 5000} is ahead of the zone's {zone['serial']}"
    )


def test_what_keeps_it_from_serving_is_said(service, servers):
    first, second = servers
    zone = service.zone("lost.example.")
    first.serials["lost.example."] = zone["serial"]

    refused = status_of(service, zone)[1]
    second.unresponsive = True
    try:
        unreachable = status_of(service, zone)
    finally:
        second.unresponsive = False

    assert (refused["status"], refused["serial"], refused["lag"]) == ("PENDING", None, None)
    assert "REFUSED" in refused["last_error"]
    assert unreachable[0]["status"] == "ACTIVE"
    assert (unreachable[1]["status"], unreachable[1]["serial"]) == ("ERROR", None)
    assert unreachable[1]["last_error"]
    until(lambda: status_of(service, zone)[1]["status"] == "PENDING", 10, "it is heard again")


def test_a_bind_that_is_stopped_is_named_until_it_is_back(tmp_path):
    with (
        Named(tmp_path / "bind") as bind,
        Service(tmp_path, bind=bind, dns_port=free_port()) as service,
    ):
        zone = service.zone("stopped.example.")
        path = f"/zones/{zone['id']}"
        service.active(path)
        before = status_of(service, zone)

        bind.stop()
        service.recordset(zone, "www.stopped.example.", "A", ["192.0.2.1"])
        changed = service.call("GET", path)[1]
        stopped = until(lambda: _failing(status_of(service, zone)), 20, "what is wrong")
        still = service.call("GET", path)[1]
        bind.start()
        service.active(path)
        after = status_of(service, zone)

    assert [(one["status"], one["lag"]) for one in before] == [("ACTIVE", 0)]
    assert stopped["address"] == f"127.0.0.1:{bind.port}"
    assert (stopped["status"], stopped["serial"]) == ("ERROR", None)
    assert stopped["since"] == changed["updated_at"]
    assert still["status"] == "PENDING"
    assert [(one["status"], one["serial"]) for one in after] == [("ACTIVE", changed["serial"])]
    assert after[0]["last_error"] is None


def _failing(seen):
    (one,) = seen
    return one if one["last_error"] else None


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("hidden")) as parts:
        yield parts


def shown(hidden, zone, **answer):
    """Return the status of a nameserver that gave this answer."""
    usual = {"host": "2001:db8::1", "port": 53, "failing": False, "text": "x"}
    hidden.worker.nameserver_answers = (NameserverAnswer(**usual | answer),)
    path = f"/v2/zones/{zone.id}/nameservers/status"
    (one,) = hidden.http()("GET", path, headers={"X-Roles": "admin"})[1]["nameservers"]
    return one


def test_the_lag_is_that_of_serial_numbers(hidden):
    zone = hidden.zone("wraps.example.")

    one = shown(hidden, zone, serial=(zone.serial - 2**30) % SERIAL_MODULUS)

    assert (one["lag"], one["address"]) == (2**30, "[2001:db8::1]:53")


def test_the_serial_of_a_signer_is_its_own(hidden):
    zone = hidden.zone("signer.example.")
    serial = zone.serial + 4000
    problem = f"serial {serial} of its own, other data: www.signer.example. A differs"

    right = shown(hidden, zone, serial=serial, signs=True)
    wrong = shown(hidden, zone, serial=serial, signs=True, problem=problem)

    assert (right["status"], right["lag"], right["last_error"]) == ("ACTIVE", 0, None)
    assert (wrong["status"], wrong["lag"], wrong["last_error"]) == ("PENDING", None, problem)


def test_other_data_with_the_right_serial_is_said(hidden):
    zone = hidden.zone("other.example.")
    problem = f"serial {zone.serial}, other data: its SOA is not the zone's"

    one = shown(hidden, zone, serial=zone.serial, problem=problem)

    assert (one["status"], one["lag"], one["last_error"]) == ("PENDING", 0, problem)


def test_a_foreign_zone_is_said_with_what_its_server_answers(hidden):
    zone = hidden.zone("foreign.example.")
    hidden.report(zone.id, Outcome.FAILED, "target 1 (bind9): a zone that is not ours")

    one = shown(hidden, zone, serial=zone.serial - 7)

    assert one["last_error"] == (
        f"serial {zone.serial - 7} is behind the zone's {zone.serial}; "
        "target 1 (bind9): a zone that is not ours"
    )


def test_a_change_while_the_nameservers_are_asked_is_not_taken_for_a_serial_ahead(hidden):
    zone = hidden.zone("races.example.")
    before = hidden.worker.look

    def look(context, change):
        made = hidden.add(zone, "www", "A", "192.0.2.1")
        assert made
        serial = hidden.fresh(zone).serial
        hidden.worker.nameserver_answers = (
            NameserverAnswer(host="a", port=53, serial=serial, failing=False, text="x"),
        )
        return before(context, change)

    hidden.worker.look = look
    try:
        one = shown(hidden, zone, serial=0)
    finally:
        hidden.worker.look = before

    assert (one["status"], one["last_error"]) == ("ACTIVE", None)


def test_nobody_else_gets_it(service):
    zone = service.zone("private.example.")
    path = f"/zones/{zone['id']}/nameservers"

    assert service.call("GET", f"{path}/status", X_Roles="member,reader")[0] == 403
    assert service.call("POST", f"{path}/status", {}, **OPS)[0] == 405
    assert service.call("GET", f"{path}/status/x", **OPS)[0] == 405
    assert service.call("GET", f"{path}/other", **OPS)[0] == 405
