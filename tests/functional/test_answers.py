"""What is ACTIVE is answered by each nameserver as MiniDNS answers it, by queries.

A transfer out of a server may be equal to the zone while its answers are not.
"""

import contextlib
from functools import partial

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from designate.context import admin_context
from designate.model.shards import SHARDS
from tests.support.deadlines import until
from tests.support.factories.identities import OPS
from tests.support.servers.catalog_pool import Consumed
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.secondaries import Knot, Nsd, Pdns
from tests.support.servers.standalone import Service, ask

SERVERS = {
    "bind": Named,
    "pdns": Pdns,
    "pdns-dnssec": partial(Pdns, dnssec=True),
    "nsd": Nsd,
    "knot": Knot,
}
ZONE = "answers.test."
# Each step changes one recordset: what, name, type, data. The queries follow it.
STEPS = [
    ("add", "x.y.ent", "A", "192.0.2.1", ["x.y.ent", "y.ent", "ent", "z.ent"]),
    ("add", "*.wild", "A", "192.0.2.2", ["q.wild", "a.q.wild", "wild", "*.wild"]),
    ("add", "deep.ent.wild", "A", "192.0.2.3", ["ent.wild", "z.ent.wild", "deep.ent.wild", "q.wild"]),
    ("delete", "deep.ent.wild", "A", "", ["ent.wild", "z.ent.wild", "deep.ent.wild"]),
    ("add", "*.a.wild", "TXT", '"under a wildcard"', ["a.wild", "b.a.wild", "c.wild"]),
    ("delete", "*.wild", "A", "", ["q.wild", "wild", "a.wild", "b.a.wild"]),
    ("add", "sub", "NS", "ns.elsewhere.example.", ["sub", "www.sub", "sub/DS", "sub/NS"]),
    ("add", "ns.sub", "A", "192.0.2.4", ["ns.sub", "www.sub", "sub"]),
    ("delete", "sub", "NS", "", ["ns.sub", "sub", "www.sub"]),
    ("add", "www", "A", "192.0.2.5", ["www", "www/AAAA"]),
    ("add", "alias", "CNAME", f"www.{ZONE}", ["alias", "alias/TXT"]),
    ("delete", "alias", "CNAME", "", ["alias"]),
    ("add", "alias", "A", "192.0.2.6", ["alias", "alias/CNAME"]),
    ("change", "www", "A", "192.0.2.7", ["www", "x.y.ent"]),
    ("delete", "x.y.ent", "A", "", ["x.y.ent", "y.ent", "ent"]),
    ("add", "ent", "A", "192.0.2.8", ["ent", "y.ent"]),
]  # fmt: skip


@contextlib.contextmanager
def serving(kind, folder):
    """Start a service and a nameserver of its pool."""
    port = free_port()
    if kind == "knot":
        with Consumed(folder, Knot) as consumed:
            yield consumed.service, consumed.server
        return
    make = partial(SERVERS[kind], master_port=port) if kind == "nsd" else SERVERS[kind]
    with make(folder / "server") as server, Service(folder, server, port) as service:
        yield service, server


def answer(address, name):
    """Return what a server answers to `name` or `name/TYPE`, in comparable form.

    Of the authority section only a delegation counts: servers add the zone's NS set or not.
    """
    label, _, rtype = name.partition("/")
    query = f"{label}.{ZONE}"
    found = ask(address, query, rtype or "A")
    delegation = {
        rdata.to_text()
        for rrset in found.authority
        if rrset.rdtype == dns.rdatatype.NS and rrset.name.to_text() != ZONE
        for rdata in rrset
    }
    return (
        dns.rcode.to_text(found.rcode()),
        bool(found.flags & dns.flags.AA),
        {f"{rrset.name} {rdata}" for rrset in found.answer for rdata in rrset},
        delegation,
    )


class Changes:
    """Makes the steps' changes and waits until each is ACTIVE."""

    def __init__(self, service):
        self.service = service
        self.zone = service.zone(ZONE)
        self.ids = {}
        service.active(f"/zones/{self.zone['id']}", 30)

    def make(self, what, name, rtype, data):
        path = f"/zones/{self.zone['id']}/recordsets"
        if what == "add":
            made = self.service.recordset(self.zone, f"{name}.{ZONE}", rtype, [data])
            self.ids[name, rtype] = made["id"]
        elif what == "change":
            self.service.call("PUT", f"{path}/{self.ids[name, rtype]}", {"records": [data]})
        else:
            self.service.call("DELETE", f"{path}/{self.ids[name, rtype]}")
        self.service.active(f"/zones/{self.zone['id']}", 30)


@pytest.mark.parametrize("kind", SERVERS)
def test_every_answer_of_an_active_zone_is_that_of_minidns(kind, tmp_path):
    with serving(kind, tmp_path) as (service, server):
        changes, address = Changes(service), ("127.0.0.1", server.port)
        differences = []
        for what, name, rtype, data, queries in STEPS:
            changes.make(what, name, rtype, data)
            for query in queries:
                theirs = answer(address, query)
                ours = answer(service.dns, query)
                if theirs != ours:
                    differences.append((f"{what} {name} {rtype}", query, theirs, ours))

    assert differences == []


def decided(service, zone):
    """Return a zone's status and error once it is ACTIVE or has an error."""
    found = service.call("GET", f"/zones/{zone['id']}")[1]
    (one,) = service.call("GET", f"/zones/{zone['id']}/nameservers/status", **OPS)[1]["nameservers"]
    done = found["status"] == "ACTIVE" or "other data" in (one["last_error"] or "")
    return (found["status"], one["last_error"] or "") if done else None


@pytest.mark.parametrize(("dnssec", "by_change"), [(False, True), (True, True), (False, False)])
def test_an_option_that_is_turned_off_is_undone_on_existing_zones(dnssec, by_change, tmp_path):
    """What PowerDNS got by IXFR is answered wrongly until the zone is transferred as a whole."""
    port = free_port()
    with Pdns(tmp_path / "server", dnssec=dnssec, ixfr="true") as server:
        address = ("127.0.0.1", server.port)
        with Service(tmp_path, server, port) as service:
            changes = Changes(service)
            service.recordset(changes.zone, f"x.y.ent.{ZONE}", "A", ["192.0.2.1"])
            shown = until(partial(decided, service, changes.zone), 30, "proof, or its lack")
            wrong = answer(address, "y.ent")
        server._options.clear()
        with Service(tmp_path, server, port) as service:
            if by_change:
                service.recordset(changes.zone, f"other.{ZONE}", "A", ["192.0.2.2"])
                service.active(f"/zones/{changes.zone['id']}")
            else:
                service.parts.central.sweeps.reconcile(admin_context(), 0, SHARDS - 1, 100, "")
                until(lambda: answer(address, "y.ent")[0] == "NOERROR", 20, "a whole transfer")
            right = answer(address, "y.ent")
            metadata = server.api("GET", f"/{ZONE}/metadata/IXFR").json()["metadata"]

    # The record itself is answered with dnssec=no only.
    assert shown[0] == ("PENDING" if dnssec else "ACTIVE")
    assert f"other data: x.y.ent.{ZONE} A is missing" in shown[1] or not dnssec
    assert wrong[0] == "NXDOMAIN"
    assert right[0] == "NOERROR"
    assert metadata == ["0"]
