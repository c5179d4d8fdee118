"""A real BIND that exchanges only signed messages with MiniDNS and the worker."""

import base64
import secrets

import dns.message
import dns.query
import dns.rcode
import dns.tsig
import pytest

from designate.context import admin_context
from designate.model.pools import Nameserver, NsRecord, PoolSpec, Target
from designate.model.zones import PrimaryAddress
from tests.support.deadlines import scaled, until
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import Service

POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"


class Signed:
    """A service and a BIND that refuse unsigned messages."""

    def __init__(self, folder, algorithm):
        self.algorithm = algorithm
        self.secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.bind = Named(
            folder / "bind",
            more=f'key "pull" {{ algorithm {algorithm}; secret "{self.secret}"; }};',
            options='allow-query { key "pull"; }; allow-notify { key "pull"; };',
        )
        self.port = free_port()
        (folder / "service").mkdir()
        mdns = {
            "query_enforce_tsig": True,
            "allow_transfer": [],
            "listen": [f"127.0.0.1:{self.port}"],
        }
        self.service = Service(folder / "service", **{"service:mdns": mdns})

    def __enter__(self):
        self.bind.__enter__()
        self.service.__enter__()
        body = {
            "name": "pull",
            "algorithm": self.algorithm,
            "secret": self.secret,
            "scope": "POOL",
            "resource_id": POOL,
        }
        status, key = self.service.call("POST", "/tsigkeys", body)
        assert status == 201, key
        self.key = key
        target = Target(
            type="bind9",
            masters=(PrimaryAddress(host="127.0.0.1", port=self.port),),
            options=self.bind.options,
            tsigkey_id=key["id"],
        )
        spec = PoolSpec(
            id=POOL,
            name="default",
            ns_records=(NsRecord(hostname="ns1.example.org."),),
            nameservers=(Nameserver(host="127.0.0.1", port=self.bind.port, tsigkey_id=key["id"]),),
            targets=(target,),
        )
        self.service.parts.central.pools.apply(admin_context(), (spec,), False, False)
        return self

    def __exit__(self, *_):
        self.service.__exit__()
        self.bind.__exit__()

    def ask(self, name, rtype, *, sign=True):
        query = dns.message.make_query(name, rtype)
        if sign:
            query.use_tsig(dns.tsig.Key("pull", self.secret, self.algorithm))
        return dns.query.udp(query, "127.0.0.1", port=self.bind.port, timeout=scaled(5))


@pytest.mark.parametrize("algorithm", ["hmac-sha1", "hmac-sha256", "hmac-sha512"])
def test_bind_serves_a_zone_that_is_signed_all_the_way(tmp_path, algorithm):
    with Signed(tmp_path, algorithm) as signed:
        zone = signed.service.zone("signed.example.")
        signed.service.active(f"/zones/{zone['id']}")
        www = signed.service.recordset(zone, "www.signed.example.", "A", ["192.0.2.1"])
        signed.service.active(f"/zones/{zone['id']}/recordsets/{www['id']}")

        answer = signed.ask("www.signed.example.", "A")

        assert [rdata.to_text() for rdata in answer.answer[0]] == ["192.0.2.1"]
        unsigned = signed.ask("www.signed.example.", "A", sign=False)
        assert unsigned.rcode() == dns.rcode.REFUSED
        shown = (signed.bind.folder / "named.log").read_text()
        assert "TSIG 'pull'" in shown
        signed.service.call("DELETE", f"/zones/{zone['id']}")
        signed.service.gone(f"/zones/{zone['id']}")


def test_without_the_key_on_our_side_nothing_is_served(tmp_path):
    with Signed(tmp_path, "hmac-sha256") as signed:
        status, _ = signed.service.call("DELETE", f"/tsigkeys/{signed.key['id']}")
        assert status == 204
        zone = signed.service.zone("unkeyed.example.")

        def status_now():
            return signed.service.call("GET", f"/zones/{zone['id']}")[1]["status"]

        until(lambda: status_now() == "ERROR", 10, "the zone's error")
        assert signed.ask(zone["name"], "SOA").rcode() == dns.rcode.REFUSED
