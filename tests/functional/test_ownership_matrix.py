"""Every product, every zone that its server may have, every change: the status is right at each step.

Zones of others keep their data; what an earlier service of ours left there is repaired.
"""

import contextlib
import time
from functools import partial

import dns.rcode
import pytest

from designate.context import Context
from designate.model.recordsets import RecordSetDraft
from tests.support.deadlines import until
from tests.support.servers.catalog_pool import Consumed
from tests.support.servers.foreign_zones import (
    ForeignBind,
    ForeignKnot,
    ForeignNsd,
    ForeignPdns,
    ForeignSigningBind,
    ForeignSigningKnot,
    ForeignSigningPdns,
    has_their_data,
    wait_for_serial,
)
from tests.support.servers.nameservers import free_port
from tests.support.servers.standalone import Service, ask, texts

EVERYTHING = Context(project_id="p", roles=["admin"], user_id="u", all_projects=True)
SERVERS = {
    "bind": ForeignBind,
    "pdns": ForeignPdns,
    "pdns-dnssec": partial(ForeignPdns, dnssec=True),
    "nsd": ForeignNsd,
    "bind-signs": ForeignSigningBind,
    "pdns-signs": partial(ForeignSigningPdns, dnssec=True),
}
CONSUMERS = {"knot": ForeignKnot, "knot-signs": ForeignSigningKnot}
OURS = ["empty.test.", "left.test.", "former.test."]
FOREIGN = ["lower.test.", "equal.test.", "higher.test."]
LOWER, HIGHER = 1_000_000_000, 3_000_000_000
# By which the serials of an earlier service are ahead of the clock.
AHEAD = 40
# Without a back end, a serial that stays behind is told only at the deadline.
WORKER = {"service:worker": {"convergence_deadline": 4.0}}


class Setup:
    """A nameserver and the service of its pool, which can be replaced by one with an empty database."""

    def __init__(self, server, service, renew, *, by_catalog=False):
        self.server = server
        self.service = service
        self._renew = renew
        self.by_catalog = by_catalog
        self.zones = {}

    def renew(self):
        self.service = self._renew()
        self.zones = {}

    def create(self, *names):
        for name in names:
            self.zones[name] = self.service.zone(name)

    def stored(self, name):
        return self.service.parts.central.zones.get(EVERYTHING, self.zones[name]["id"])

    def active(self, *names):
        for name in names:
            self.service.active(f"/zones/{self.zones[name]['id']}", 30)

    def in_the_way(self, *names):
        """Wait until the reason of each zone names the zone of others."""
        for name in names:
            until(partial(self._has_reason, name), 40, f"the reason of {name}")

    def _has_reason(self, name):
        zone = self.stored(name)
        assert zone.status != "ACTIVE", zone
        if self.by_catalog:
            # Only its answers tell.
            return zone.error is not None and zone.status == "PENDING"
        return zone.status == "ERROR" and "that is not ours" in zone.error

    def sign(self, *names):
        """Have a server that signs do so."""
        if self.server.SIGNS:
            for name in names:
                self.server.sign(name)
                until(partial(self._has_keys, name), 30, f"signed {name}")

    def resign(self, *names):
        """Have a server that signs do so again: the zones stay ACTIVE, with other serials."""
        for name in names if self.server.SIGNS else ():
            before = self.serial(name)
            self.server.resign(name)
            until(lambda b=before, n=name: self.serial(n) not in (None, b), 30, f"re-signed {name}")
            # The serial may move several times while the nameserver is asked.
            until(lambda n=name: self.status(n) == "ACTIVE", 20, f"the status of {name}")
            assert self.stored(name).status == "ACTIVE"

    def _has_keys(self, name):
        return bool(ask(("127.0.0.1", self.server.port), name, "DNSKEY").answer)

    def serial(self, name):
        found = ask(("127.0.0.1", self.server.port), name, "SOA").answer
        return found[0][0].serial if found else None

    def add(self, name, label, address):
        self.service.recordset(self.zones[name], f"{label}.{name}", "A", [address])

    def answer(self, name):
        return texts(ask(("127.0.0.1", self.server.port), name, "A"))

    def status(self, name):
        """Return the status of the nameserver, which is asked now."""
        path = f"/zones/{self.zones[name]['id']}/nameservers/status"
        _, found = self.service.call("GET", path)
        (server,) = found["nameservers"]
        return server["status"]

    def leave_zones(self):
        """Have an earlier service create zones with serials ahead of the clock, and end."""
        self.create("left.test.", "former.test.")
        recordsets = self.service.parts.central.recordsets
        for name, zone in self.zones.items():
            for number in range(AHEAD):
                draft = RecordSetDraft(name=f"n{number}.{name}", type="A", records=("192.0.2.1",))
                recordsets.create(EVERYTHING, zone["id"], draft)
        self.active("left.test.", "former.test.")


@contextlib.contextmanager
def serving(kind, folder):
    port = free_port()
    if kind in CONSUMERS:
        with Consumed(folder, CONSUMERS[kind], **WORKER) as consumed:

            def renew():
                consumed.renew()
                return consumed.service

            yield Setup(consumed.server, consumed.service, renew, by_catalog=True)
        return
    make = SERVERS[kind]
    if kind == "nsd":
        make = partial(make, master_port=port)
    with make(folder / "server") as server, contextlib.ExitStack() as stack:
        services = []

        def start():
            if services:
                services[-1].__exit__()
            place = folder / f"service{len(services)}"
            place.mkdir()
            services.append(Service(place, server, port, **WORKER).__enter__())
            return services[-1]

        stack.callback(lambda: services[-1].__exit__())
        yield Setup(server, start(), start)


@pytest.mark.parametrize("kind", [*SERVERS, *CONSUMERS])
def test_each_zone_of_a_server_gets_the_right_status_at_every_step(kind, tmp_path):
    with serving(kind, tmp_path) as setup:
        server = setup.server
        setup.leave_zones()
        setup.renew()
        # A consumer's leftovers are members of its catalog; their masters are those of its configuration.
        ours = [name for name in OURS if not (setup.by_catalog and name == "former.test.")]
        if not setup.by_catalog:
            server.forget_owner("former.test.")
        for name, serial in zip(FOREIGN, (LOWER, int(time.time()) - 100, HIGHER), strict=True):
            server.add_foreign(name, serial)

        # Creation.
        setup.create(*ours, *FOREIGN)
        setup.active(*ours)
        server.set_serial("equal.test.", setup.stored("equal.test.").serial)
        wait_for_serial(server, "equal.test.", setup.stored("equal.test.").serial)
        setup.in_the_way(*FOREIGN)
        for name in ours:
            assert texts(ask(("127.0.0.1", server.port), name, "NS")) == {"ns1.example.org."}
            assert setup.answer(f"n0.{name}") == set()
        setup.sign(*ours)
        setup.resign(*ours)

        # A change.
        for name in (*ours, *FOREIGN):
            setup.add(name, "new", "192.0.2.9")
        setup.active(*ours)
        server.set_serial("equal.test.", setup.stored("equal.test.").serial)
        wait_for_serial(server, "equal.test.", setup.stored("equal.test.").serial)
        assert setup.status("equal.test.") == "PENDING"
        setup.in_the_way(*FOREIGN)
        assert [setup.answer(f"new.{name}") for name in ours] == [{"192.0.2.9"}] * len(ours)
        assert all(has_their_data(server, name) for name in FOREIGN)
        setup.resign(*ours)

        # Deletion.
        for zone in setup.zones.values():
            setup.service.call("DELETE", f"/zones/{zone['id']}")
        for zone in setup.zones.values():
            setup.service.gone(f"/zones/{zone['id']}", 30)
        gone = OURS if setup.by_catalog else ours
        rcodes = [ask(("127.0.0.1", server.port), name, "SOA").rcode() for name in gone]
        assert rcodes == [dns.rcode.REFUSED] * len(gone)
        assert all(has_their_data(server, name) for name in FOREIGN)
