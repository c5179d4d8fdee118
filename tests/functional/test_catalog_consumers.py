"""Real nameservers that make their zones from a catalog zone. RFC 9432."""

import base64
import secrets
import shutil
import subprocess

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.tsig
import pytest

from designate.context import admin_context
from designate.model.pools import CatalogZone, Nameserver, NsRecord, PoolSpec, Target
from tests.servers import Named, free_port, until
from tests.service import Service, ask, texts

POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
CATALOG = "catalog.example."


class Bind(Named):
    """A BIND with a catalog zone and no control channel that anybody could use."""

    def __init__(self, folder, dns_port, secret):
        primary = f'{{ 127.0.0.1 port {dns_port} key "%s"; }}'
        super().__init__(
            folder,
            options=f"""
    catalog-zones {{
        zone "catalog.example" default-primaries {primary % "pool"} min-update-interval 1;
    }};""",
            more=f"""
key "pool" {{ algorithm hmac-sha256; secret "{secret}"; }};
key "catalog.example" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "catalog.example" {{
    type secondary; file "catalog.db"; primaries {primary % "catalog.example"};
}};""",
        )


class Knot:
    """A Knot DNS with a catalog zone."""

    def __init__(self, folder, dns_port, secret):
        self.folder = folder
        self.port = free_port()
        self._dns_port = dns_port
        self._secret = secret
        self._process = None

    def __enter__(self):
        self.folder.mkdir(parents=True)
        (self.folder / "knot.conf").write_text(f"""
server:
    rundir: "{self.folder}"
    listen: 127.0.0.1@{self.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 2
log:
  - target: stderr
    any: info
database:
    storage: "{self.folder}"
    journal-db-max-size: 8M
    timer-db-max-size: 1M
    kasp-db-max-size: 5M
    catalog-db-max-size: 5M
key:
  - id: pool
    algorithm: hmac-sha256
    secret: {self._secret}
  - id: catalog.example
    algorithm: hmac-sha256
    secret: {self._secret}
remote:
  - id: for-zones
    address: 127.0.0.1@{self._dns_port}
    key: pool
  - id: for-catalog
    address: 127.0.0.1@{self._dns_port}
    key: catalog.example
acl:
  - id: told
    address: 127.0.0.1
    action: notify
template:
  - id: member
    storage: "{self.folder}"
    master: for-zones
    acl: told
zone:
  - domain: catalog.example.
    storage: "{self.folder}"
    master: for-catalog
    acl: told
    catalog-role: interpret
    catalog-template: member
""")
        program = shutil.which("knotd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        assert program, "Knot DNS (knotd) is not installed; tools/test installs it"
        with (self.folder / "knot.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(self.folder / "knot.conf")], stdout=log, stderr=log
            )
        until(self._answers, 20, "knotd's first answer")
        return self

    def _answers(self):
        assert self._process.poll() is None, (self.folder / "knot.log").read_text()
        query = dns.message.make_query("version.bind.", "TXT", "CH")
        try:
            dns.query.udp(query, "127.0.0.1", port=self.port, timeout=0.5)
        except (OSError, dns.exception.DNSException):
            return False
        return True

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(timeout=20)


class Consumed:
    """A service whose default pool is served by a consumer of its catalog."""

    def __init__(self, folder, kind):
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        dns_port = free_port()
        self.server = kind(folder / "server", dns_port, secret)
        (folder / "service").mkdir()
        mdns = {"listen": [f"127.0.0.1:{dns_port}"], "allow_transfer": []}
        self.service = Service(folder / "service", **{"service:mdns": mdns})
        self._secret = secret

    def __enter__(self):
        self.service.__enter__()
        options = {"host": "127.0.0.1", "port": str(self.server.port)}
        catalog = CatalogZone(
            fqdn=CATALOG, refresh=60, algorithm="hmac-sha256", secret=self._secret
        )
        spec = PoolSpec(
            id=POOL,
            name="default",
            ns_records=(NsRecord(hostname="ns1.example.org."),),
            nameservers=(Nameserver(host="127.0.0.1", port=self.server.port),),
            # Its backend would fail at every call, were it called.
            targets=(Target(type="bind9", options={**options, "rndc_port": "1"}),),
            catalog_zone=catalog,
        )
        self.service.parts.central.pools.apply(admin_context(), (spec,), False, False)
        key = {
            "name": "pool",
            "algorithm": "hmac-sha256",
            "secret": self._secret,
            "scope": "POOL",
            "resource_id": POOL,
        }
        assert self.service.call("POST", "/tsigkeys", key)[0] == 201
        self.server.__enter__()
        return self

    def __exit__(self, *_):
        self.server.__exit__(*_)
        self.service.__exit__()

    @property
    def catalog(self):
        path = "/zones?type=CATALOG&name=catalog.example."
        _, found = self.service.call("GET", path, x_auth_all_projects="true")
        return found["zones"][0]


@pytest.fixture(params=[Bind, Knot])
def consumed(request, tmp_path):
    with Consumed(tmp_path, request.param) as consumed:
        yield consumed


def test_zones_come_and_go_with_the_catalog_and_no_backend_is_called(consumed):
    service = consumed.service
    address = ("127.0.0.1", consumed.server.port)
    zones = [service.zone(f"member{n}.example.org.") for n in range(3)]
    for zone in zones:
        service.active(f"/zones/{zone['id']}", 30)
    www = service.recordset(zones[0], "www.member0.example.org.", "A", ["192.0.2.1"])
    service.active(f"/zones/{zones[0]['id']}/recordsets/{www['id']}", 30)

    assert texts(ask(address, "www.member0.example.org.", "A")) == {"192.0.2.1"}

    service.call("DELETE", f"/zones/{zones[1]['id']}")
    service.gone(f"/zones/{zones[1]['id']}", 30)

    assert ask(address, zones[1]["name"], "SOA").rcode() == dns.rcode.REFUSED
    assert ask(address, zones[2]["name"], "SOA").rcode() == dns.rcode.NOERROR
    until(lambda: consumed.catalog["status"] == "ACTIVE", 30, f"the catalog: {consumed.catalog}")
