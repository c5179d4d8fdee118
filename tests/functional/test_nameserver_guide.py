"""The configurations of doc/nameservers.md, started word by word: a zone's life with each."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import dns.rcode
import pytest

from tests.support.deadlines import scaled, until
from tests.support.servers import guide
from tests.support.servers.secondaries import StartError
from tests.support.servers.standalone import Service, ask, texts

SECTIONS = {
    "BIND by its control channel": guide.Bind,
    "BIND by catalog zone": guide.Bind,
    "BIND over TLS": guide.Bind,
    "PowerDNS by its API": guide.PowerDns,
    "PowerDNS by catalog zone": guide.PowerDns,
    "NSD by its control channel": guide.Nsd,
    "NSD by catalog zone": guide.Nsd,
    "NSD over TLS": guide.Nsd,
    "Knot by catalog zone": guide.Knot,
    "Knot over TLS": guide.Knot,
}
POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
# All but PowerDNS with a catalog take some 30 ms; NSD without `xfrd-reload-timeout: 0` takes a second.
MEDIAN_S = 0.5


@pytest.mark.parametrize("title", SECTIONS)
def test_a_zone_is_served_changed_and_gone(title, tmp_path):
    place = guide.Place(tmp_path)
    conf = guide.service_conf(place)
    server = SECTIONS[title](place, title)
    if not server.is_new_enough():
        with pytest.raises(StartError):
            server.__enter__()
        return
    listen = {"service:mdns": {"listen": [f"127.0.0.1:{place.ports['5354']}"]}}
    with (
        server,
        Service(tmp_path, config_file=conf, pools_file=server.pools_file, **listen) as service,
    ):
        add_pool_key(service, place)
        zone = service.zone("guide.example.")
        service.active(f"/zones/{zone['id']}", 30)
        www = service.recordset(zone, f"www.{zone['name']}", "A", ["192.0.2.1"])
        path = f"/zones/{zone['id']}/recordsets/{www['id']}"
        service.active(path, 30)
        took_s = [change(service, server, path, f"192.0.2.{number}") for number in range(2, 5)]
        service.call("DELETE", f"/zones/{zone['id']}")
        service.gone(f"/zones/{zone['id']}", 30)
        until(lambda: set(catalog_statuses(service)) <= {"ACTIVE"}, 30, "the catalog's serial")

        assert ask(server.address, zone["name"], "SOA").rcode() == dns.rcode.REFUSED
        assert title == "PowerDNS by catalog zone" or median(took_s) < scaled(MEDIAN_S)


def change(service, server, path, address):
    """Change a record and return the seconds until it is ACTIVE; it is served then."""
    started = perf_counter()
    service.call("PUT", path, {"records": [address]})
    www = service.active(path, 30)
    took_s = perf_counter() - started
    assert texts(ask(server.address, www["name"], "A")) == {address}
    return took_s


def catalog_statuses(service):
    """Return how the nameserver has the catalog, if there is one: its serial must be seen there."""
    everything = {"x_auth_all_projects": "true"}
    _, found = service.call("GET", "/zones?type=CATALOG", **everything)
    paths = [f"/zones/{zone['id']}/nameservers/status" for zone in found["zones"]]
    shown = [service.call("GET", path, **everything)[1] for path in paths]
    return [server["status"] for status in shown for server in status["nameservers"]]


def add_pool_key(service, place):
    key = {
        "name": "pool",
        "algorithm": "hmac-sha256",
        "secret": place.words["POOL-SECRET"],
        "scope": "POOL",
        "resource_id": POOL,
    }
    assert service.call("POST", "/tsigkeys", key)[0] == 201


# A network of its own, whose default route leads to nobody; prints what was sent there.
ALONE = """
ip link set lo up
ip link add out type veth peer name peer
sysctl -qw net.ipv6.conf.out.disable_ipv6=1 net.ipv6.conf.peer.disable_ipv6=1
ip address add 198.18.0.1/24 dev out
ip link set out up
ip link set peer up
ip neighbor add 198.18.0.2 lladdr 02:00:00:00:00:01 dev out
ip route add default via 198.18.0.2
"$@"
ip -statistics link show out | awk '/TX:/ { getline; print "packets:", $2 }'
"""
TWO = "served_changed and ((BIND and control) or (PowerDNS and API))"


def test_bind_and_powerdns_ask_nobody_but_the_service():
    """BIND asks the root servers, and PowerDNS its vendor, unless they are told not to."""
    program = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider"]
    namespace = ["unshare", "--user", "--map-root-user", "--net", "sh", "-ec", ALONE, "sh"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    ran = subprocess.run(
        [*namespace, *program, "-k", TWO, __file__],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(120),
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("\nPASSED ") == 2
    assert "packets: 0\n" in ran.stdout
