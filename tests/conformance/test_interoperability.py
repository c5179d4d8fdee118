"""The nameservers of Debian through the life of a zone: they end up with what the database has.

BIND, PowerDNS and NSD are driven by their backends, Knot follows the pool's catalog zone with TSIG on every
message; `tests/functional/test_tsig_bind.py` and the backends' own tests have the others' keys.
"""

from __future__ import annotations

import itertools
from typing import Any

import dns.rcode
import pytest

from designate import metrics
from tests.support.deadlines import scaled, until
from tests.support.servers.catalog_pool import Consumed
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.secondaries import Knot, Nsd, Pdns
from tests.support.servers.standalone import Service, ask, texts, transferred

NUMBERS = itertools.count(1)
# Reconcile all the time.
SWEEP = {"producer_task:periodic_reconciliation": {"interval": 0.5, "rate": 1000.0}}
KINDS = ("bind", "pdns", "nsd", "knot")


class Setup:
    """A nameserver and the service that has it in its pool."""

    def __init__(self, server: Any, service: Service, master: tuple[str, int], keys: Any) -> None:
        self.server, self.service, self._keys = server, service, keys
        self._master = master

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.server.port

    def zone(self, **members: Any) -> dict[str, Any]:
        zone = self.service.zone(f"life{next(NUMBERS)}.example.", **members)
        return self.service.active(f"/zones/{zone['id']}", 40)

    def changed(self, zone: dict[str, Any], label: str, *records: str) -> None:
        """Create a recordset, and wait until the nameserver serves it."""
        made = self.service.recordset(zone, f"{label}.{zone['name']}", "A", list(records))
        self.service.active(f"/zones/{zone['id']}/recordsets/{made['id']}", 40)

    def equal(self, zone: dict[str, Any]) -> None:
        """Check that the server's copy equals the zone in the database, including the serial."""
        stored = self.service.call("GET", f"/zones/{zone['id']}")[1]
        copy = transferred(self.address, zone["name"])
        sets = self.service.call("GET", f"/zones/{zone['id']}/recordsets?limit=20000&type=A")[1]
        expected = {(s["name"], text) for s in sets["recordsets"] for text in s["records"]}
        found = {
            (name.derelativize(copy.origin).to_text(), rdata.to_text())
            for name, _, rdata in copy.iterate_rdatas("A")
        }
        assert copy.get_soa().serial == stored["serial"]
        assert found == expected
        assert copy == transferred(self._master, zone["name"], self._keys)


def transfers(kind: str) -> float:
    found: float = metrics.TRANSFERS.labels(kind)._value.get()
    return found


@pytest.fixture(scope="module", params=KINDS)
def side(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "knot":
        with Consumed(folder, Knot, **SWEEP) as consumed:
            keys = consumed.key
            yield Setup(consumed.server, consumed.service, consumed.service.dns, keys)
        return
    port = free_port()
    made = {"bind": Named, "pdns": Pdns, "nsd": lambda where: Nsd(where, port)}[request.param]
    with made(folder / "server") as server, Service(folder, server, port, **SWEEP) as service:
        yield Setup(server, service, service.dns, None)


def test_a_new_zone_is_there_by_axfr(side):
    before = transfers("axfr")
    zone = side.zone()

    assert transfers("axfr") > before
    side.equal(zone)


def test_a_change_travels_by_ixfr_but_to_powerdns_as_a_whole(side):
    """PowerDNS gets answers wrong after an IXFR."""
    kind, other = ("axfr", "ixfr") if isinstance(side.server, Pdns) else ("ixfr", "axfr")
    zone = side.zone()
    used, unused = transfers(kind), transfers(other)
    for number in range(3):
        side.changed(zone, f"n{number}", "192.0.2.1", f"198.51.100.{number}")

    assert transfers(kind) >= used + 1
    assert transfers(other) == unused
    side.equal(zone)


def test_a_change_of_everything_travels_as_a_whole(side):
    """The zone's TTL applies to all records without a TTL of their own."""
    zone = side.zone(ttl=300)
    side.changed(zone, "www", "192.0.2.1")
    assert side.service.call("PATCH", f"/zones/{zone['id']}", {"ttl": 77})[0] == 202
    side.service.active(f"/zones/{zone['id']}", 40)

    answer = ask(side.address, f"www.{zone['name']}", "A")
    assert answer.answer[0].ttl == 77
    side.equal(zone)


def test_a_deleted_zone_is_gone(side):
    zone = side.zone()
    assert side.service.call("DELETE", f"/zones/{zone['id']}")[0] == 202
    side.service.gone(f"/zones/{zone['id']}", 40)

    assert ask(side.address, zone["name"], "SOA").rcode() == dns.rcode.REFUSED


def test_what_changed_while_the_server_was_away_is_there_when_it_is_back(side):
    zone, other = side.zone(), side.zone()
    side.changed(zone, "before", "192.0.2.1")
    side.server.stop()
    side.service.recordset(zone, f"meanwhile.{zone['name']}", "A", ["192.0.2.2"])
    made = side.service.zone(f"meanwhile{next(NUMBERS)}.example.")
    side.service.call("DELETE", f"/zones/{other['id']}")
    side.server.start()

    side.service.active(f"/zones/{zone['id']}", 40)
    side.service.active(f"/zones/{made['id']}", 40)
    side.service.gone(f"/zones/{other['id']}", 40)
    side.equal(zone)
    side.equal(made)


def test_a_server_that_was_rebuilt_empty_gets_all_its_zones(side):
    """No change of a zone would reveal it."""
    zones = [side.zone() for _ in range(3)]
    for zone in zones:
        side.changed(zone, "www", "192.0.2.7")
    side.server.stop()
    side.server.wipe()
    side.server.start()

    def served(zone: dict[str, Any]) -> bool:
        return texts(ask(side.address, f"www.{zone['name']}", "A")) == {"192.0.2.7"}

    for zone in zones:
        until(lambda zone=zone: served(zone), 60, f"{zone['name']} of the rebuilt server")
        side.service.active(f"/zones/{zone['id']}", 40)
        side.equal(zone)


def test_a_large_zone_is_whole(side, request):
    """The zone has the size of the targets with --long only."""
    count = 100_000 if request.config.getoption("--long") else 3_000
    name = f"large{next(NUMBERS)}.example."
    lines = [
        f"$ORIGIN {name}",
        "$TTL 300",
        f"@ IN SOA ns1.example.org. a.{name} 1 3600 600 86400 300",
    ]
    lines += [f"r{n} IN A 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(count)]
    response = side.service.http.post(
        f"{side.service.url}/v2/zones/tasks/imports",
        data="\n".join(lines) + "\n",
        headers={"Content-Type": "text/dns"},
        timeout=scaled(60),
    )
    assert response.status_code == 202, response.text
    path = f"/zones/tasks/imports/{response.json()['id']}"

    def imported() -> str | None:
        task = side.service.call("GET", path)[1]
        assert task["status"] != "ERROR", task
        return task["zone_id"] if task["status"] == "COMPLETE" else None

    zone_id = until(imported, 120, "the import")
    zone = side.service.active(f"/zones/{zone_id}", 120)
    side.changed(zone, "last", "192.0.2.99")

    copy = transferred(side.address, name)
    assert sum(1 for _ in copy.iterate_rdatas("A")) == count + 1
    assert texts(ask(side.address, f"r{count - 1}.{name}", "A"))
