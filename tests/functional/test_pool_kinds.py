"""Pools that change between control channels and a catalog zone leave no zones behind."""

import dns.rcode
import pytest

from designate import errors
from designate.context import admin_context
from designate.model.pools import CatalogZone, Nameserver, NsRecord, PoolSpec, Target
from designate.model.zones import PrimaryAddress
from tests.support.deadlines import until
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import Service, ask

DEFAULT = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
OTHER = "0f1e2d3c-4b5a-4697-8877-665544332211"
CATALOG = CatalogZone(fqdn="catalog.example.", refresh=60)
NS = (NsRecord(hostname="ns1.example.org."),)


class Bind(Named):
    """A BIND that takes zones from its control channel and from the catalog zone."""

    def __init__(self, folder, dns_port):
        primary = f"{{ 127.0.0.1 port {dns_port}; }}"
        super().__init__(
            folder,
            options=f"""
    catalog-zones {{
        zone "catalog.example" default-primaries {primary} min-update-interval 1;
    }};""",
            more=f'zone "catalog.example" {{ type secondary; file "c.db"; primaries {primary}; }};',
        )


def pool(server, dns_port, *, catalog=None, **members):
    target = Target(
        type="bind9",
        masters=(PrimaryAddress(host="127.0.0.1", port=dns_port),),
        options=server.options,
    )
    spec = {
        "id": DEFAULT,
        "name": "default",
        "ns_records": NS,
        "nameservers": (Nameserver(host="127.0.0.1", port=server.port),),
        "targets": (target,),
        "catalog_zone": catalog,
    }
    return PoolSpec(**{**spec, **members})


@pytest.fixture
def served(tmp_path):
    port = free_port()
    listen = {"listen": [f"127.0.0.1:{port}"]}
    central = {"pool_move_grace": 0.0, "retry_failed_after": 1.0}
    with (
        Bind(tmp_path / "bind", port) as bind,
        Service(tmp_path, **{"service:mdns": listen, "service:central": central}) as service,
    ):
        apply(service, pool(bind, port))
        yield service, bind, port


def apply(service, *specs):
    service.parts.central.pools.apply(admin_context(), specs, False, False)


def move(service, zone, pool_id):
    path = f"/zones/{zone['id']}/tasks/pool_move"
    assert service.call("POST", path, {"pool_id": pool_id})[0] == 202
    service.active(f"/zones/{zone['id']}", 30)


def rcode(bind, name):
    return ask(("127.0.0.1", bind.port), name, "SOA").rcode()


def test_a_pool_changes_its_kind_by_moving_its_zones_away_and_back(served):
    service, bind, port = served
    zone = service.zone("kinds.test.")
    service.active(f"/zones/{zone['id']}")
    with pytest.raises(errors.BadRequest, match=r"pool default: .*pool_move"):
        apply(service, pool(bind, port, catalog=CATALOG))

    apply(service, PoolSpec(id=OTHER, name="away", ns_records=NS))
    key = {"name": "away", "algorithm": "hmac-sha256", "secret": "c2VjcmV0", "scope": "POOL"}
    status, made = service.call("POST", "/tsigkeys", {**key, "resource_id": OTHER})
    assert status == 201
    minidns = Nameserver(host="127.0.0.1", port=port, tsigkey_id=made["id"])
    builtin = (Target(type="builtin"),)
    away = PoolSpec(id=OTHER, name="away", ns_records=NS, nameservers=(minidns,), targets=builtin)
    apply(service, away)
    move(service, zone, OTHER)
    until(lambda: rcode(bind, "kinds.test.") == dns.rcode.REFUSED, 20, "the copy's end")

    def changes():
        try:
            apply(service, pool(bind, port, catalog=CATALOG))
        except errors.BadRequest:
            return False
        return True

    until(changes, 20, "the pool's change")
    move(service, zone, DEFAULT)
    served_by_catalog = rcode(bind, "kinds.test.")
    with pytest.raises(errors.BadRequest, match="by a catalog zone"):
        apply(service, pool(bind, port))
    service.call("DELETE", f"/zones/{zone['id']}")
    service.gone(f"/zones/{zone['id']}", 30)

    assert served_by_catalog == dns.rcode.NOERROR
    assert rcode(bind, "kinds.test.") == dns.rcode.REFUSED


def test_a_pool_that_goes_without_targets_is_refused_while_it_has_zones(served):
    service, bind, port = served
    zone = service.zone("kinds.test.")
    builtin = pool(bind, port, targets=(Target(type="builtin"),))

    with pytest.raises(errors.BadRequest, match="by control channels"):
        apply(service, builtin)
    service.call("DELETE", f"/zones/{zone['id']}")
    service.gone(f"/zones/{zone['id']}")
    apply(service, builtin)


def test_a_move_between_pools_that_share_a_server_and_treat_it_differently_is_refused(served):
    service, bind, port = served
    zone = service.zone("kinds.test.")
    catalog = CatalogZone(fqdn="other.example.", refresh=60)
    apply(service, pool(bind, port, id=OTHER, name="other", catalog=catalog))
    key = {"name": "other", "algorithm": "hmac-sha256", "secret": "c2VjcmV0", "scope": "POOL"}
    assert service.call("POST", "/tsigkeys", {**key, "resource_id": OTHER})[0] == 201

    path = f"/zones/{zone['id']}/tasks/pool_move"
    status, body = service.call("POST", path, {"pool_id": OTHER})

    assert status == 400
    assert f"Both pools have the nameserver 127.0.0.1:{bind.port}" in body["message"]


@pytest.mark.parametrize("keyed", ["target", "pool"])
def test_powerdns_in_a_pool_with_a_catalog_and_a_key_is_refused(served, keyed):
    service, bind, port = served
    members = {"id": OTHER, "name": "pdns"} if keyed == "pool" else {}
    options = {"api_endpoint": "http://127.0.0.1:1", "api_token": "t"}
    key_id = OTHER if keyed == "target" else None
    target = Target(type="pdns4", options=options, tsigkey_id=key_id)

    with pytest.raises(errors.BadRequest, match=r"target 1: PowerDNS .* without a TSIG key"):
        apply(service, pool(bind, port, catalog=CATALOG, targets=(target,), **members))
