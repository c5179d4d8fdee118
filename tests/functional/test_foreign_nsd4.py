"""Zones of others on NSD: neither believed, changed nor removed, and repaired where they are ours."""

import pytest

from designate import errors
from designate.backend.nsd4 import Nsd4Backend
from designate.model.pools import Target
from tests.support.factories.worker import change
from tests.support.servers.nameservers import free_port
from tests.support.servers.secondaries import Nsd
from tests.support.servers.standalone import Service, ask, texts

THEIRS = """$TTL 60
@ SOA ns.theirs. admin.theirs. 3000000000 60 60 600 60
@ NS ns.theirs.
www A 198.51.100.7
"""


class Static(Nsd):
    """An NSD with the zone static.test in its configuration, and the pattern `theirs` for files."""

    def prepare(self):
        super().prepare()
        (self.folder / "theirs.db").write_text(THEIRS)
        with (self.folder / "nsd.conf").open("a") as file:
            file.write(f"""
zone:
    name: static.test
    zonefile: "{self.folder}/theirs.db"
pattern:
    name: "theirs"
    zonefile: "{self.folder}/theirs.db"
""")


@pytest.fixture(scope="module")
def nsd(tmp_path_factory):
    with Static(tmp_path_factory.mktemp("nsd"), free_port()) as nsd:
        yield nsd


@pytest.fixture(scope="module")
def service(tmp_path_factory, nsd):
    with Service(tmp_path_factory.mktemp("service"), nsd, nsd.master_port) as service:
        yield service


def backend_of(nsd, **options):
    return Nsd4Backend(Target(type="nsd4", options={**nsd.options, **options}))


@pytest.mark.parametrize(
    ("name", "kind"), [("static.test.", "in nsd.conf"), ("added.test.", "pattern theirs")]
)
def test_a_zone_of_others_is_neither_believed_nor_removed(service, nsd, name, kind):
    address = ("127.0.0.1", nsd.port)
    if name == "added.test.":
        nsd.control("addzone", name, "theirs")
    zone = service.zone(name)
    error = service.failed(zone)
    service.call("DELETE", f"/zones/{zone['id']}")
    service.gone(f"/zones/{zone['id']}")

    assert f"NSD 127.0.0.1:{nsd.control_port}: " in error
    assert f"({kind})" in error
    assert texts(ask(address, f"www.{name}", "A")) == {"198.51.100.7"}


def test_a_zone_heals_when_the_foreign_one_is_removed(service, nsd):
    nsd.control("addzone", "heals.test.", "theirs")
    zone = service.zone("heals.test.")
    service.failed(zone)

    nsd.control("delzone", "heals.test.")

    service.active(f"/zones/{zone['id']}", 20)
    assert texts(ask(("127.0.0.1", nsd.port), "heals.test.", "NS")) == {"ns1.example.org."}


def test_a_zone_with_a_former_pattern_is_repaired_on_creation(nsd):
    nsd.control("addzone", "former.test.", "other")

    backend_of(nsd, former_patterns="older, other").create_zone(change(name="former.test."))

    assert "pattern: slave" in nsd.control("zonestatus", "former.test.")


def test_a_foreign_zone_stays_whatever_is_called(nsd):
    zone = change(name="stays.test.")
    nsd.control("addzone", "stays.test.", "theirs")
    backend = backend_of(nsd)

    for call in (
        lambda: backend.create_zone(zone),
        lambda: backend.update_zone(zone),
        lambda: backend.delete_zone(zone, hard_delete=True),
    ):
        with pytest.raises(errors.ForeignZone, match="pattern theirs"):
            call()

    assert "pattern: theirs" in nsd.control("zonestatus", "stays.test.")


def test_adopt_replaces_an_added_zone_and_tells_that_it_cannot_replace_a_configured_one(nsd):
    nsd.control("addzone", "adopted.test.", "theirs")
    backend = backend_of(nsd, adopt="true")

    backend.create_zone(change(name="adopted.test."))
    with pytest.raises(errors.BackendError, match=r"delzone static\.test\. failed"):
        backend.create_zone(change(name="static.test."))

    assert "pattern: slave" in nsd.control("zonestatus", "adopted.test.")


def test_all_zones_are_listed_with_their_owners(nsd):
    nsd.control("addzone", "listed1.test.", "theirs")
    nsd.control("addzone", "listed2.test.", "slave")

    found = {zone.name: (zone.is_ours, zone.kind) for zone in backend_of(nsd).find_zones(5)}

    assert found["listed1.test."] == (False, "pattern theirs")
    assert found["listed2.test."] == (True, "pattern slave")
    assert found["static.test."] == (False, "in nsd.conf")
