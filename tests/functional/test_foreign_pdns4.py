"""Zones of others on PowerDNS: neither believed, changed nor removed, and repaired where they are ours."""

import pytest

from designate import errors
from designate.backend.pdns4 import Pdns4Backend
from designate.model.pools import Target
from designate.model.zones import PrimaryAddress
from tests.support.factories.worker import change
from tests.support.servers.nameservers import free_port
from tests.support.servers.standalone import Service, ask, texts

MASTERS = (PrimaryAddress(host="127.0.0.1", port=5399),)
HIGHER, LOWER = 3_000_000_000, 1_000_000_000


@pytest.fixture(scope="module")
def service(tmp_path_factory, pdns):
    with Service(tmp_path_factory.mktemp("service"), pdns, free_port()) as service:
        yield service


def backend_of(pdns, **options):
    return Pdns4Backend(Target(type="pdns4", masters=MASTERS, options={**pdns.options, **options}))


def add(pdns, name, serial=HIGHER, kind="Native", **members):
    """Add a zone with data of its own."""
    soa = f"ns.theirs. admin.theirs. {serial} 60 60 600 60"
    rrsets = [
        {"name": name, "type": "SOA", "ttl": 60, "records": [{"content": soa}]},
        {"name": f"www.{name}", "type": "A", "ttl": 60, "records": [{"content": "198.51.100.7"}]},
    ]
    body = {"name": name, "kind": "Native", "rrsets": rrsets, "soa_edit_api": ""}
    assert pdns.api("POST", "", body).status_code == 201
    if kind != "Native":
        assert pdns.api("PUT", f"/{name}", {"kind": kind, **members}).status_code == 204


def shown(pdns, name):
    return pdns.api("GET", f"/{name}?rrsets=false").json()


@pytest.mark.parametrize("serial", [LOWER, HIGHER])
def test_a_native_zone_is_neither_believed_nor_removed(service, pdns, serial):
    name, address = f"native{serial}.test.", ("127.0.0.1", pdns.port)
    add(pdns, name, serial)
    zone = service.zone(name)
    error = service.failed(zone)
    service.call("DELETE", f"/zones/{zone['id']}")
    service.gone(f"/zones/{zone['id']}")

    assert f"PowerDNS {pdns.url}: a zone of this name exists there" in error
    assert "(kind Native)" in error
    assert texts(ask(address, f"www.{name}", "A")) == {"198.51.100.7"}


@pytest.mark.parametrize(
    ("number", "members", "options"),
    [
        (1, {"masters": ["127.0.0.1:5399"]}, {}),
        (2, {"masters": ["127.0.0.1:5377"]}, {"former_masters": "127.0.0.1:5377"}),
        (3, {"masters": ["::9"]}, {"former_masters": "[::9]:53"}),
        (4, {"masters": ["127.0.0.1:5377"], "account": "designate"}, {}),
        (5, {"masters": ["127.0.0.1:5377"], "account": "other"}, {"account": "other"}),
    ],
)
@pytest.mark.parametrize("verb", ["create", "update"])
def test_what_is_ours_is_repaired_in_place(pdns, verb, number, members, options):
    zone = change(name=f"ours{number}.{verb}.test.")
    add(pdns, zone.name, kind="Slave", **members)
    backend = backend_of(pdns, **options)

    (backend.create_zone if verb == "create" else backend.update_zone)(zone)
    found = shown(pdns, zone.name)
    backend.delete_zone(zone, hard_delete=False)

    assert found["masters"] == ["127.0.0.1:5399"]
    assert found["account"] == options.get("account", "designate")
    assert pdns.api("GET", f"/{zone.name}").status_code == 404


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("Native", {}),
        ("Master", {"account": "designate"}),
        ("Slave", {"masters": ["127.0.0.1:5377"]}),
        ("Slave", {"masters": ["127.0.0.1:5399", "127.0.0.1:5377"]}),
    ],
)
def test_a_foreign_zone_stays_whatever_is_called(pdns, kind, members):
    zone = change(name="theirs.test.")
    add(pdns, zone.name, kind=kind, **members)
    before = shown(pdns, zone.name)
    backend = backend_of(pdns)

    for call in (
        lambda: backend.create_zone(zone),
        lambda: backend.update_zone(zone),
        lambda: backend.delete_zone(zone, hard_delete=True),
    ):
        with pytest.raises(errors.ForeignZone, match=f"kind {kind}"):
            call()

    assert shown(pdns, zone.name) == before
    pdns.api("DELETE", f"/{zone.name}")


def test_our_leftover_is_replaced_though_its_serial_is_higher(service, pdns):
    add(pdns, "left.test.", kind="Slave", masters=["127.0.0.1:1"], account="designate")

    zone = service.zone("left.test.")
    service.active(f"/zones/{zone['id']}")

    address = ("127.0.0.1", pdns.port)
    assert texts(ask(address, "left.test.", "NS")) == {"ns1.example.org."}
    assert not texts(ask(address, "www.left.test.", "A"))


def test_adopt_replaces_a_foreign_zone_with_its_data(tmp_path, pdns):
    add(pdns, "adopted.test.")
    pdns_options = pdns.options

    class Adopting:
        TYPE, SIGNS, port = "pdns4", False, pdns.port
        options = pdns_options | {"adopt": "true"}

    with Service(tmp_path, Adopting(), free_port()) as service:
        zone = service.zone("adopted.test.")
        service.active(f"/zones/{zone['id']}")

    assert shown(pdns, "adopted.test.")["kind"] == "Slave"
    assert not texts(ask(("127.0.0.1", pdns.port), "www.adopted.test.", "A"))


def test_all_zones_are_listed_with_their_owners(pdns):
    add(pdns, "listed1.test.")
    add(pdns, "listed2.test.", kind="Slave", account="designate")

    found = {zone.name: zone.is_ours for zone in backend_of(pdns).find_zones(5)}

    assert found["listed1.test."] is False
    assert found["listed2.test."] is True
