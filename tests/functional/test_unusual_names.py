"""Zones and recordsets whose names need escapes, slashes or U-labels, on every product of nameserver."""

from contextlib import contextmanager

import dns.rcode
import pytest

from designate.cmd import pool_check
from designate.context import Context
from tests.support.deadlines import scaled
from tests.support.servers.catalog_pool import POOL, Consumed
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.secondaries import Knot, Nsd, Pdns
from tests.support.servers.standalone import Service, ask, texts

# As clients write them, and as queries do.
ZONES = {
    "0/25.2.0.192.in-addr.arpa.": "0/25.2.0.192.in-addr.arpa.",
    "a\\.b.names.example.": "a\\.b.names.example.",
    'x\\032\\;\\"\\\\\\$y.names.example.': 'x\\032\\;\\"\\\\\\$y.names.example.',
    "b\u00fccher.names.example.": "xn--bcher-kva.names.example.",
    "\\110ormal.names.example.": "normal.names.example.",
}
OWNERS = {
    "www.": "www.",
    "dot\\.ted.": "dot\\.ted.",
    "\\000\\255\\@.": "\\000\\255\\@.",
    "*.stra\u00dfe.": "any.xn--strae-oqa.",
    "9/32.": "9/32.",
}


EVERYTHING = Context(project_id="p", roles=["admin"], all_projects=True)
# A zone that a product refuses is told at the deadline.
WORKER = {"service:worker": {"convergence_deadline": 4.0}}


class Direct:
    """A service whose targets are of the server's own type."""

    def __init__(self, folder, server, dns_port):
        self.server = server
        self.service = Service(folder, server, dns_port, **WORKER)

    def __enter__(self):
        self.service.__enter__()
        return self

    def __exit__(self, *_):
        self.service.__exit__()


@contextmanager
def direct(folder, make):
    dns_port = free_port()
    (folder / "service").mkdir()
    with (
        make(folder / "server", dns_port) as server,
        Direct(folder / "service", server, dns_port) as setup,
    ):
        yield setup


# What a product does not take; everything here must still fail.
REFUSED = {
    "pdns": ("a\\.b.names.example.", 'x\\032\\;\\"\\\\\\$y.names.example.', "\\000\\255\\@."),
}
SETUPS = {
    "bind": lambda folder: direct(folder, lambda own, _port: Named(own)),
    "pdns": lambda folder: direct(folder, lambda own, _port: Pdns(own)),
    "nsd": lambda folder: direct(folder, lambda own, port: Nsd(own, port)),
    "knot by catalog": lambda folder: Consumed(folder, Knot),
}


@pytest.fixture(params=SETUPS)
def setup(request, tmp_path):
    (tmp_path / "server").mkdir()
    with SETUPS[request.param](tmp_path) as setup:
        yield setup, REFUSED.get(request.param, ())


def kinds(service):
    """Return whose the zones of the target are, as `pool check` tells them."""
    central = service.parts.central
    pool = central.pools.get(EVERYTHING, POOL)
    found = pool_check.check_target(
        pool, pool.targets[0], pool_check.zones_by_pool(central), scaled(20)
    )
    assert not found.failed, found.remark
    return {kind for kind, _, _ in found.zones}


def test_zones_of_unusual_names_are_served_changed_and_removed(setup):
    setup, refused = setup
    service, address = setup.service, ("127.0.0.1", setup.server.port)
    zones = {asked: service.zone(given) for given, asked in ZONES.items()}
    for asked in [name for name in zones if name in refused]:
        assert "unsupported characters" in service.failed(zones.pop(asked))
    for asked, zone in zones.items():
        service.active(f"/zones/{zone['id']}", 60)
        found = [
            service.recordset(zone, owner + zone["name"], "TXT", [f'"{number}"'])
            for number, owner in enumerate(OWNERS)
        ]
        service.active(f"/zones/{zone['id']}/recordsets/{found[-1]['id']}", 60)
        for number, owner in enumerate(OWNERS.values()):
            served = texts(ask(address, owner + asked, "TXT")) == {f'"{number}"'}
            assert served is (owner not in refused), (asked, owner)
        assert ask(address, "ted." + asked, "TXT").rcode() == dns.rcode.NXDOMAIN
    if isinstance(setup, Direct):
        assert kinds(service) == ({"ours", "missing"} if refused else {"ours"})
    for zone in zones.values():
        service.call("DELETE", f"/zones/{zone['id']}")
    for asked, zone in zones.items():
        service.gone(f"/zones/{zone['id']}", 60)
        assert ask(address, asked, "SOA").rcode() == dns.rcode.REFUSED
