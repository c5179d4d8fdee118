"""Records of every type come out of an export, an import and nameservers as they went in.

Each type has a zone of its own, so that a nameserver that refuses one refuses nothing else. The records
are the examples of the RFCs and generated ones. They are made by the API, exported and deleted; the zone is
imported from that text, transferred by each nameserver, changed by the API and transferred again. Compared
is the canonical wire form (RFC 4034 section 6.2) with its TTL.
"""

from __future__ import annotations

import functools

import dns.exception
import dns.name
import dns.rdatatype
import dns.tsig
import dns.zone
import pytest
import requests
import yaml
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

from designate import errors, rrtypes
from designate.wire import types
from tests.support.deadlines import scaled, until
from tests.support.factories.rdata_examples import EXAMPLES
from tests.support.factories.rdata_strategies import TYPES, accepted_text, owner_for
from tests.support.servers import guide, programs
from tests.support.servers.catalog_pool import Consumed
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.secondaries import Knot, Nsd, Pdns
from tests.support.servers.standalone import Service, common_pool, transferred

GENERATED = 3
ALONE = ("CNAME", "DNAME", "NXT")  # one record a name
# Further records, each with something that a nameserver may change or refuse.
UNUSUAL = {
    "A6": "64 ::1 Mixed.Case.",
    "AMTRELAY": "10 0 3 Mixed.Case.",
    "APL": "1:192.0.2.129/24",
    "CERT": "0 1 1 AQID",
    "HIP": "2 200100107B1A74DF365639CC39F1D578 AQID Mixed.Case.",
    "HTTPS": '1 Mixed.Case. alpn="h2"',
    "IPSECKEY": "10 3 2 Mixed.Case. AQID",
    "LP": "10 Mixed.Case.",
    "NSAP-PTR": "Mixed.Case.",
    "SVCB": '1 Mixed.Case. alpn="h2" dohpath="/;,{?dns}"',
    "TXT": '"Mixed" "Case\\000"',
}
PROGRAMS = {
    "BIND": ("named", "-V"),
    "Knot": ("knotd", "--version"),
    "NSD": ("nsd", "-v"),
    "PowerDNS": ("pdns_server", "--version"),
}
Content = dict[tuple[dns.name.Name, int], tuple[int, frozenset[bytes]]]


def zone_of(rtype: str) -> str:
    return f"type{types.number_of(rtype)}.example."


def example_of(rtype: str) -> tuple[str, str]:
    """Return the owner below a zone and the text of an example."""
    return EXAMPLES.get(rtype, ("x", "\\# 4 03616263"))


@pytest.fixture(scope="module")
def generated() -> dict[str, list[tuple[str, list[str]]]]:
    """Draw recordsets of each type before servers run: hypothesis must not share `random` with threads."""
    return {rtype: drawn(rtype) for rtype in TYPES}


def drawn(rtype: str) -> list[tuple[str, list[str]]]:
    """Return an owner below `r.` and texts that it may have, several times."""
    found: list[tuple[str, list[str]]] = []
    most = 1 if rtype in ALONE else 2
    texts = st.lists(accepted_text(rtype), min_size=1, max_size=most, unique=True)

    @settings(
        max_examples=GENERATED,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(recordset=st.tuples(owner_for(rtype, "r."), texts))
    def collect(recordset: tuple[str, list[str]]) -> None:
        owner, texts = recordset
        try:
            rrtypes.rdata(rtype, owner, texts)
        except errors.InvalidObject:
            reject()
        found.append(recordset)

    collect()
    return found


class Side:
    """A service and the nameservers of its pool, by name."""

    def __init__(
        self, service: Service, servers: dict[str, int], key: dns.tsig.Key | None = None
    ) -> None:
        self.service = service
        self.servers = {name: ("127.0.0.1", port) for name, port in servers.items()}
        self._key = key

    def own(self, rtype: str) -> Content:
        """Return what MiniDNS transfers."""
        return content(transferred(self.service.dns, zone_of(rtype), self._key))

    def serves(self, server: str, rtype: str) -> bool:
        """Return whether a nameserver has the zone as MiniDNS has it."""
        try:
            found = transferred(self.servers[server], zone_of(rtype))
        except (OSError, EOFError, dns.exception.DNSException):
            return False
        return content(found) == self.own(rtype)


def content(zone: dns.zone.Zone) -> Content:
    """Return all that a zone holds, in canonical form."""
    assert zone.origin is not None
    return {
        (name.derelativize(zone.origin).canonicalize(), rdataset.rdtype): (
            rdataset.ttl,
            frozenset(rdata.to_digestable(zone.origin) for rdata in rdataset),
        )
        for name, rdataset in zone.iterate_rdatasets()
    }


@pytest.fixture(scope="module")
def driven(tmp_path_factory, generated):  # noqa: ARG001 - drawn before
    folder, port = tmp_path_factory.mktemp("driven"), free_port()
    with (
        Named(folder / "bind") as bind,
        Nsd(folder / "nsd", port) as nsd,
        Pdns(folder / "pdns") as pdns,
    ):
        servers = {"BIND": bind, "NSD": nsd, "PowerDNS": pdns}
        file = folder / "pools.yaml"
        file.write_text(yaml.safe_dump(common_pool(servers.values(), port)))
        listen = {"service:mdns": {"listen": [f"127.0.0.1:{port}"]}}
        with Service(folder, pools_file=file, **listen) as service:
            yield Side(service, {name: server.port for name, server in servers.items()})


@pytest.fixture(scope="module")
def following(tmp_path_factory, generated):  # noqa: ARG001 - drawn before
    with Consumed(tmp_path_factory.mktemp("following"), Knot) as consumed:
        yield Side(consumed.service, {"Knot": consumed.server.port}, consumed.key)


@pytest.fixture(params=["driven", "following"])
def side(request) -> Side:
    return request.getfixturevalue(request.param)


def make(side: Side, rtype: str, generated: list[tuple[str, list[str]]]) -> None:
    zone = side.service.zone(zone_of(rtype), ttl=300)
    owner, text = example_of(rtype)
    side.service.recordset(zone, f"{owner}.{zone['name']}", rtype, [text], ttl=0)
    unusual = [("u.r.", [UNUSUAL[rtype]])] if rtype in UNUSUAL else []
    for number, (below, texts) in enumerate(unusual + generated):
        name = below.removesuffix("r.") + f"r{number}.{zone['name']}"
        side.service.recordset(zone, name, rtype, texts, ttl=60 + number)


def zones(side: Side) -> dict[str, dict]:
    """Return the service's zones by name."""
    status, found = side.service.call("GET", "/zones?limit=1000")
    assert status == 200, found
    return {zone["name"]: zone for zone in found["zones"]}


def task(side: Side, path: str) -> dict:
    """Return an import or export once it is complete."""

    def complete() -> dict | None:
        status, found = side.service.call("GET", path)
        assert status == 200, found
        assert found["status"] != "ERROR", found
        return found if found["status"] == "COMPLETE" else None

    found = until(complete, 20, f"{path} complete")
    assert isinstance(found, dict)
    return found


def exported(side: Side, zone: dict) -> bytes:
    status, made = side.service.call("POST", f"/zones/{zone['id']}/tasks/export", {})
    assert status == 202, made
    path = f"/zones/tasks/exports/{made['id']}"
    task(side, path)
    done = requests.get(f"{side.service.url}/v2{path}/export", timeout=scaled(10))
    assert done.status_code == 200, done.text
    return done.content


def imported(side: Side, text: bytes) -> str:
    done = requests.post(
        f"{side.service.url}/v2/zones/tasks/imports",
        data=text,
        headers={"Content-Type": "text/dns"},
        timeout=scaled(10),
    )
    assert done.status_code == 202, done.text
    return f"/zones/tasks/imports/{done.json()['id']}"


def not_served(side: Side) -> set[tuple[str, str]]:
    """Return the nameservers and types whose zones differ from MiniDNS's."""
    return {
        (server, rtype)
        for server in side.servers
        for rtype in TYPES
        if not side.serves(server, rtype)
    }


@functools.cache
def version(server: str) -> str:
    """Return the version of the nameserver's program."""
    return programs.version(*PROGRAMS[server])


def documented(side: Side) -> set[tuple[str, str]]:
    """Return the nameservers and types that differ as the guide says."""
    lines = guide.section("nameservers.md", "Record types").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    return {
        (server, rtype.strip(" `"))
        for title, rtypes, _ in rows[2:]
        for rtype in rtypes.split(",")
        for server in side.servers
        if title in (server, f"{server} {version(server)}")
    }


def check(side: Side) -> None:
    """Assert that each nameserver has each zone, but those in the guide, and is ACTIVE then."""
    expected = documented(side)
    until(lambda: not_served(side) <= expected, 60, "the zones on the nameservers")
    assert not_served(side) == expected, "the guide's table is not true any more"
    others = {zone_of(rtype) for rtype in set(TYPES) - {rtype for _, rtype in expected}}
    for name, zone in zones(side).items():
        if name in others:
            side.service.active(f"/zones/{zone['id']}", 30)


def without_soa(found: Content) -> Content:
    return {key: value for key, value in found.items() if key[1] != dns.rdatatype.SOA}


def change(side: Side, zone: dict) -> None:
    """Put back what was imported, and give one recordset another TTL and another one another name."""
    path = f"/zones/{zone['id']}/recordsets"
    status, found = side.service.call("GET", f"{path}?limit=100")
    assert status == 200, found
    apex = ("SOA", "NS")
    own = [
        one for one in found["recordsets"] if one["type"] not in apex or one["name"] != zone["name"]
    ]
    for number, recordset in enumerate(own):
        body = {"records": recordset["records"], "ttl": 77 if number == 0 else recordset["ttl"]}
        status, answer = side.service.call("PUT", f"{path}/{recordset['id']}", body)
        assert status in (200, 202), answer
    last = own[-1]
    assert side.service.call("DELETE", f"{path}/{last['id']}")[0] == 202
    name = last["name"].removesuffix(zone["name"]) + f"other.{zone['name']}"
    side.service.recordset(zone, name, last["type"], last["records"])


def test_what_the_api_takes_is_served_and_comes_back(side, generated):
    for rtype in TYPES:
        make(side, rtype, generated[rtype])
    before = {rtype: side.own(rtype) for rtype in TYPES}
    texts = {name: exported(side, zone) for name, zone in zones(side).items()}
    assert len(texts) == len(TYPES)
    for zone in zones(side).values():
        assert side.service.call("DELETE", f"/zones/{zone['id']}")[0] == 202
    until(lambda: not zones(side), 60, "the end of the zones")

    for path in [imported(side, text) for text in texts.values()]:
        task(side, path)
    for rtype, was in before.items():
        assert without_soa(side.own(rtype)) == without_soa(was), rtype
    check(side)

    for zone in zones(side).values():
        change(side, zone)
    check(side)
