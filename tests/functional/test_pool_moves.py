"""Pool move between two real BIND servers: the old one serves the zone until the new one does."""

import base64
import secrets

import dns.rcode
import pytest

from designate.context import admin_context
from designate.model.pools import Nameserver, NsRecord, PoolSpec, Target
from designate.model.zones import PrimaryAddress
from tests.support.deadlines import until
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import Service, ask, texts

SECOND = "0f1e2d3c-4b5a-4697-8877-665544332211"


@pytest.fixture
def moving(tmp_path):
    """A service, the BIND of its default pool, and the BIND of a second pool."""
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    key_text = f'key "second" {{ algorithm hmac-sha256; secret "{secret}"; }};'
    port = free_port()
    options = {"service:central": {"pool_move_grace": 0, "retry_failed_after": 1}}
    (tmp_path / "service").mkdir()
    with (
        Named(tmp_path / "first") as first,
        Named(tmp_path / "second", more=key_text) as second,
        Service(tmp_path / "service", bind=first, dns_port=port, **options) as service,
    ):
        service.parts.central.pools.apply(
            admin_context(), (pool(second, port, None),), False, False
        )
        body = {
            "name": "second", "algorithm": "hmac-sha256", "secret": secret, "scope": "POOL",
            "resource_id": SECOND,
        }  # fmt: skip
        status, key = service.call("POST", "/tsigkeys", body)
        assert status == 201, key
        spec = pool(second, port, key["id"])
        service.parts.central.pools.apply(admin_context(), (spec,), False, False)
        yield service, first, second


def pool(bind, port, key_id):
    return PoolSpec(
        id=SECOND,
        name="second",
        ns_records=(NsRecord(hostname="ns2.example.org."),),
        nameservers=(Nameserver(host="127.0.0.1", port=bind.port),),
        targets=(
            Target(
                type="bind9",
                masters=(PrimaryAddress(host="127.0.0.1", port=port),),
                options=bind.options,
                tsigkey_id=key_id,
            ),
        ),
    )


def rcode(bind, name):
    return ask(("127.0.0.1", bind.port), name, "SOA").rcode()


def move(service, zone, pool_id):
    path = f"/zones/{zone['id']}"
    status, _ = service.call("POST", f"{path}/tasks/pool_move", {"pool_id": pool_id})
    assert status == 202
    return service.active(path)


def test_a_moved_zone_is_served_by_the_new_pool_and_goes_from_the_old_one(moving):
    service, first, second = moving
    zone = service.zone("moved.example.")
    path = f"/zones/{zone['id']}"
    service.active(path)
    www = service.recordset(zone, "www.moved.example.", "A", ["192.0.2.1"])
    service.active(f"{path}/recordsets/{www['id']}")

    moved = move(service, zone, SECOND)

    assert moved["pool_id"] == SECOND
    assert texts(ask(("127.0.0.1", second.port), "www.moved.example.", "A")) == {"192.0.2.1"}
    until(lambda: rcode(first, zone["name"]) == dns.rcode.REFUSED, 15, "the old copy is gone")
    assert service.active(path)["pool_id"] == SECOND

    back = move(service, zone, zone["pool_id"])

    assert back["pool_id"] == zone["pool_id"]
    until(lambda: rcode(second, zone["name"]) == dns.rcode.REFUSED, 15, "the copy is gone again")
    assert texts(ask(("127.0.0.1", first.port), "www.moved.example.", "A")) == {"192.0.2.1"}
    service.call("DELETE", path)
    service.gone(path)
    until(lambda: rcode(first, zone["name"]) == dns.rcode.REFUSED, 15, "the zone is gone")


def test_an_old_server_that_is_away_is_cleared_when_it_is_back(moving):
    service, first, _ = moving
    zone = service.zone("away.example.")
    service.active(f"/zones/{zone['id']}")
    first.stop()
    move(service, zone, SECOND)
    first.start()

    until(lambda: rcode(first, zone["name"]) == dns.rcode.REFUSED, 20, "the old copy is gone")
