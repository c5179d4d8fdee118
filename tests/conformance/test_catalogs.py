"""Catalog zones as MiniDNS serves them (RFC 9432)."""

from dataclasses import replace

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.xfr
import dns.zone
import pytest
import sqlalchemy as sa

from designate import errors
from designate.central import catalogs, pool_sync
from designate.context import Context, admin_context
from designate.model.pools import CatalogZone, NsRecord, PoolSpec
from designate.model.query import Query
from designate.model.recordsets import RecordSetDraft
from designate.model.tsigkeys import TsigKeyDraft, TsigScope
from designate.model.zones import Action, Outcome, ZonePatch, ZoneReport, ZoneType
from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden
from tests.support.servers.standalone import transferred

DEFAULT = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
OTHER = "0f1e2d3c-4b5a-4697-8877-665544332211"
CATALOG = "Cat.Example."
SECRET = "YSBzZWNyZXQgZm9yIHRoZSBjYXRhbG9n"


def spec(catalog=None, pool_id=DEFAULT, name="default"):
    return PoolSpec(
        id=pool_id,
        name=name,
        ns_records=(NsRecord(hostname="ns1.example.org."),),
        catalog_zone=catalog,
    )


def apply(served, *specs, delete=False):
    return served.central.pools.apply(admin_context(), specs, delete, False)


@pytest.fixture
def served(tmp_path):
    with Hidden(tmp_path) as served:
        yield served


@pytest.fixture
def listed(served):
    """A service whose pool has a catalog zone from the start."""
    apply(served, spec(CatalogZone(fqdn=CATALOG, refresh=77)))
    return served


def members(served, name=CATALOG):
    """Transfer the catalog, and return its members: zone ids to zone names."""
    found = transferred(served.address, name)
    assert found.find_rdataset("version", "TXT")[0].to_text() == '"2"'
    assert [rdata.to_text() for rdata in found.find_rdataset("@", "NS")] == ["invalid."]
    return {
        owner.labels[0].decode(): rdata.to_text()
        for owner, _, rdata in found.iterate_rdatas("PTR")
        if owner.labels[1:] == (b"zones",)
    }


def catalog_of(served):
    """Return the stored catalog zone."""
    page = served.central.zones.find(everything(), Query(filters={"name": CATALOG}))
    return page.items[0]


def everything():
    return Context(project_id="p", roles=["admin"], all_projects=True)


def test_rfc9432_s4_the_catalog_lists_every_zone_of_the_pool(listed):
    one = listed.zone("one.example.org.")
    two = listed.zone("Two.example.net.")
    catalog = catalog_of(listed)

    assert members(listed) == {one.id: "one.example.org.", two.id: "Two.example.net."}
    assert (catalog.type, catalog.project_id, catalog.refresh) == (ZoneType.CATALOG, None, 77)


def test_a_change_of_the_members_moves_the_serial_in_the_same_transaction(listed):
    before = catalog_of(listed)
    zone = listed.zone("moves.example.org.")
    between = catalog_of(listed)
    listed.central.zones.update(listed.context, zone.id, ZonePatch(ttl=77))
    still = catalog_of(listed)
    listed.central.zones.delete(listed.context, zone.id)
    after = catalog_of(listed)

    revisions = [found.revision for found in (before, between, still, after)]
    assert revisions == [1, 2, 2, 3]
    assert before.serial < between.serial < after.serial
    assert members(listed) == {}
    announced = [change.name for change in listed.worker.changes]
    assert announced.count(CATALOG) == 3


def test_a_zone_that_is_not_stored_is_no_member(listed):
    listed.zone("there.example.org.")
    with pytest.raises(errors.Duplicate):
        listed.zone("there.example.org.")

    assert list(members(listed).values()) == ["there.example.org."]
    assert catalog_of(listed).revision == 2


def test_rfc1995_a_consumer_gets_the_difference(listed):
    listed.zone("first.example.org.")
    mine = transferred(listed.address, CATALOG)
    gone = listed.zone("second.example.org.")
    listed.zone("third.example.org.")
    listed.central.zones.delete(listed.context, gone.id)
    query, _ = dns.xfr.make_query(mine)
    host, port = listed.address
    dns.query.inbound_xfr(host, mine, query=query, port=port, timeout=scaled(5))

    assert query.question[0].rdtype == dns.rdatatype.IXFR
    assert mine == transferred(listed.address, CATALOG)
    assert {r.to_text() for _, _, r in mine.iterate_rdatas("PTR")} == {
        "first.example.org.",
        "third.example.org.",
    }


def test_abandoning_a_zone_takes_it_out(listed):
    zone = listed.zone("abandoned.example.org.")
    listed.central.zones.abandon(listed.context, zone.id)

    assert members(listed) == {}


def test_deleting_twice_changes_the_catalog_once(listed):
    zone = listed.zone("twice.example.org.")
    listed.central.zones.delete(listed.context, zone.id)
    listed.central.zones.delete(listed.context, zone.id)

    assert catalog_of(listed).revision == 3


def give_key(served):
    """Create the TSIG key that the second pool needs to take zones."""
    key = TsigKeyDraft(
        name="other", algorithm="hmac-sha256", secret=SECRET, scope=TsigScope.POOL,
        resource_id=OTHER,
    )  # fmt: skip
    served.central.tsigkeys.create(served.context, key)


def test_a_zone_that_moves_leaves_one_catalog_and_enters_the_other(listed):
    other = replace(
        spec(CatalogZone(fqdn="other-cat.example."), OTHER, "other"),
        ns_records=(NsRecord(hostname="ns2.example.org."),),
    )
    apply(listed, other)
    give_key(listed)
    zone = listed.zone("mover.example.org.")
    listed.central.zones.pool_move(listed.context, zone.id, OTHER)

    found = dns.zone.Zone("other-cat.example.")
    query = dns.message.make_query("other-cat.example.", "AXFR")
    query.use_tsig(dns.tsig.Key("other", SECRET, "hmac-sha256"))
    host, port = listed.address
    dns.query.inbound_xfr(host, found, query=query, port=port, timeout=scaled(5))
    assert [r.to_text() for _, _, r in found.iterate_rdatas("PTR")] == ["mover.example.org."]
    listed.central.sweeps.follow_pools(admin_context(), 0, 4095, 100)
    assert set(members(listed)) == {zone.id}

    moved = listed.central.zones.get(listed.context, zone.id)
    served = ZoneReport(
        zone_id=zone.id, revision=moved.revision, serial=moved.serial, outcome=Outcome.SERVED
    )
    listed.central.status.report(admin_context(), served)
    listed.conf.set_override("pool_move_grace", 0, "service:central")
    listed.central.status.recover(admin_context(), 0, 4095, 100)

    assert members(listed) == {}


def test_a_zone_that_moves_back_is_in_the_catalog_once(listed):
    apply(listed, spec(None, OTHER, "other"))
    give_key(listed)
    zone = listed.zone("mover.example.org.")
    listed.central.zones.pool_move(listed.context, zone.id, OTHER)
    listed.central.zones.pool_move(listed.context, zone.id, DEFAULT)

    assert members(listed) == {zone.id: "mover.example.org."}


def test_a_pool_that_gets_a_catalog_lists_the_zones_it_has(served):
    zones = {served.zone(f"z{n}.example.org.").id for n in range(5)}
    gone = served.zone("gone.example.org.")
    served.central.zones.delete(served.context, gone.id)

    apply(served, spec(CatalogZone(fqdn=CATALOG)))

    assert set(members(served)) == zones


def test_the_sweep_repairs_what_was_missed_and_does_nothing_else(listed):
    kept, lost = listed.zone("kept.example.org."), listed.zone("lost.example.org.")
    catalog = catalog_of(listed)
    with listed.database.engine.begin() as connection:
        drop = sa.text("DELETE FROM recordsets WHERE name = :name")
        connection.execute(drop, {"name": f"{lost.id}.zones.{CATALOG}"})
        fewer = "UPDATE zones SET version=version + 1, recordset_count = recordset_count - 1"
        connection.execute(sa.text(f"{fewer} WHERE id = :id"), {"id": catalog.id})
    assert set(members(listed)) == {kept.id}

    for _ in range(2):
        pool_sync.sync_zones(core_of(listed), limit=100)

    assert set(members(listed)) == {kept.id, lost.id}
    assert catalog_of(listed).revision == catalog.revision + 1


def core_of(served):
    """Return the shared parts of central."""
    from designate.central.base import Core
    from designate.central.policy import Policy
    from designate.central.quotas import StorageQuotas

    return Core(
        conf=served.conf,
        db=served.database,
        worker=served.worker,
        policy=Policy(served.conf),
        quotas=StorageQuotas(),
    )


def test_the_catalogs_own_key_opens_it_under_its_name(served):
    catalog = CatalogZone(fqdn=CATALOG, algorithm="hmac-sha256", secret=SECRET)
    changes = apply(served, spec(catalog))
    zone = served.zone("member.example.org.")
    key = dns.tsig.Key("cat.example.", SECRET, "hmac-sha256")
    host, port = served.address

    found = dns.zone.Zone(CATALOG)
    query = dns.message.make_query(CATALOG, "AXFR")
    query.use_tsig(key)
    dns.query.inbound_xfr(host, found, query=query, port=port, timeout=scaled(5))
    other = dns.message.make_query(zone.name, "SOA")
    other.use_tsig(key)

    assert len(list(found.iterate_rdatas("PTR"))) == 1
    assert dns.query.udp(other, host, port=port, timeout=scaled(5)).rcode() == dns.rcode.REFUSED
    assert SECRET not in str(changes)


def test_a_changed_key_replaces_the_old_one(served):
    for secret in (SECRET, "bmV3IHNlY3JldA=="):
        apply(served, spec(CatalogZone(fqdn=CATALOG, algorithm="hmac-sha256", secret=secret)))

    (key,) = served.central.tsigkeys.find(served.context, Query()).items
    assert (key.secret, key.scope) == ("bmV3IHNlY3JldA==", TsigScope.ZONE)


def test_applying_the_same_file_again_changes_nothing(listed):
    listed.zone("same.example.org.")
    before = catalog_of(listed)

    assert apply(listed, spec(CatalogZone(fqdn=CATALOG, refresh=77))) == ()
    assert catalog_of(listed) == before


def test_a_new_refresh_reaches_the_soa(listed):
    apply(listed, spec(CatalogZone(fqdn=CATALOG, refresh=99)))

    assert transferred(listed.address, CATALOG).get_soa().refresh == 99


def test_without_the_key_in_the_file_the_catalog_and_its_keys_go(served):
    apply(served, spec(CatalogZone(fqdn=CATALOG, algorithm="hmac-sha256", secret=SECRET)))
    served.zone("stays.example.org.")
    apply(served, spec())

    host, port = served.address
    query = dns.message.make_query(CATALOG, "SOA")
    assert dns.query.udp(query, host, port=port, timeout=scaled(5)).rcode() == dns.rcode.REFUSED
    assert served.central.tsigkeys.find(served.context, Query()).items == ()
    assert served.zone("after.example.org.").action is Action.CREATE


def test_a_pool_with_nothing_but_its_catalog_can_be_deleted(served):
    apply(served, spec(), spec(CatalogZone(fqdn=CATALOG), OTHER, "other"))
    changes = apply(served, spec(), delete=True)

    assert [change.kind for change in changes] == ["delete"]
    found = served.central.zones.find(everything(), Query(filters={"name": CATALOG}))
    assert found.items == ()


def test_nobody_changes_a_catalog_through_the_api(listed):
    catalog = catalog_of(listed)
    draft = RecordSetDraft(name=f"x.{CATALOG}", type="TXT", records=('"x"',))

    for change in (
        lambda: listed.central.zones.update(everything(), catalog.id, ZonePatch(ttl=5)),
        lambda: listed.central.zones.delete(everything(), catalog.id),
        lambda: listed.central.zones.abandon(everything(), catalog.id),
        lambda: listed.central.recordsets.create(everything(), catalog.id, draft),
    ):
        with pytest.raises(errors.Forbidden, match="catalog"):
            change()


def test_a_name_that_leaves_no_room_for_members_is_refused(served):
    long = ".".join(["x" * 60] * 4) + "."

    with pytest.raises(errors.InvalidObject, match="catalog_zone"):
        apply(served, spec(CatalogZone(fqdn=long)))


def test_a_catalog_cannot_have_the_name_of_a_zone(served):
    served.zone("cat.example.")

    with pytest.raises(errors.Duplicate):
        apply(served, spec(CatalogZone(fqdn=CATALOG)))


def test_many_zones_enter_a_new_catalog_in_batches_of_one_serial_each(served):
    for number in range(7):
        served.zone(f"m{number}.example.org.")
    apply(served, spec(CatalogZone(fqdn=CATALOG)))
    with served.database.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM recordsets WHERE type = 'PTR'"))
        fewer = "UPDATE zones SET version=version + 1, recordset_count = 3 WHERE type = 'CATALOG'"
        connection.execute(sa.text(fewer))
    core = core_of(served)
    (pool,) = served.central.pools.find(admin_context())
    before = catalog_of(served).revision

    moved = [catalogs.sync_members(core, pool, limit=3) for _ in range(4)]

    assert moved == [3, 3, 1, 0]
    assert catalog_of(served).revision == before + 3
    assert len(members(served)) == 7
