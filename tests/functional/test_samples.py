"""Every change announces the zone's SOA and a sample of its data, as MiniDNS serves them."""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest
import sqlalchemy as sa

from designate.context import Context, admin_context
from designate.model.pools import NsRecord, PoolSpec
from designate.model.recordsets import Managed, RecordSetDraft, RecordSetPatch
from designate.model.shards import SHARDS
from designate.model.zones import PrimaryAddress, ZoneDraft, ZonePatch
from designate.storage.sqlalchemy.tables import zones
from designate.wire.comparison import Asker, Comparison, Expected, compare
from tests.support.deadlines import scaled
from tests.support.factories.identities import POOL
from tests.support.factories.zone_data import Hidden

A, NS = 1, 2
# The recordset and its records, the zone's row, the journal, the counts of the project.
WRITES = 5
NUMBERS = itertools.count(1)
EVERYTHING = Context(project_id="p", roles=["admin"], all_projects=True)


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("hidden")) as parts:
        yield parts


@pytest.fixture
def zone(hidden):
    return hidden.zone(f"samples{next(NUMBERS)}.example.")


def announced(hidden):
    """Return the newest announcement after checking it against MiniDNS, which serves the change."""
    change = hidden.worker.changes[-1]
    asker = Asker(*hidden.address, None, scaled(5), False)
    answer = asker.soa(change.name)
    assert (answer.serial, answer.digest) == (change.serial, change.soa)
    sample = change.sample
    if sample is not None:
        expected = Expected(
            zone=change.name, name=sample.name, rtype=sample.rtype, digest=sample.digest
        )
        assert compare(asker, expected, answer) == (Comparison.EQUAL, "")
    return change


def sampled(hidden):
    sample = announced(hidden).sample
    return sample and (sample.name, sample.rtype, bool(sample.digest))


def change(hidden, recordset, **members):
    patch = RecordSetPatch(**members)
    hidden.central.recordsets.update(hidden.context, recordset.zone_id, recordset.id, patch)


def test_each_change_of_a_recordset_is_its_sample(hidden, zone):
    found = [sampled(hidden)]
    made = hidden.add(zone, "www", "A", "192.0.2.1", "192.0.2.2")
    found.append(sampled(hidden))
    change(hidden, made, records=("192.0.2.2", "192.0.2.3"))
    found.append(sampled(hidden))
    change(hidden, made, ttl=77)
    found.append(sampled(hidden))
    change(hidden, made, records=())
    found.append(sampled(hidden))
    change(hidden, made, records=("192.0.2.9",))
    found.append(sampled(hidden))
    hidden.central.recordsets.delete(hidden.context, zone.id, made.id)
    found.append(sampled(hidden))
    www = f"www.{zone.name}"

    assert found == [
        (zone.name, NS, True),
        (www, A, True),
        (www, A, True),
        (www, A, True),
        (www, A, False),
        (www, A, True),
        (www, A, False),
    ]


@pytest.mark.parametrize(
    ("rtype", "data"),
    [
        ("CNAME", "Target.Example.ORG."),
        ("MX", "10 Mail.Example.org."),
        ("SRV", "0 0 5060 SIP.example.org."),
        ("NAPTR", '100 50 "s" "http" "" Www.Example.com.'),
        ("TXT", '"' + "x" * 250 + '" "' + "y" * 250 + '" "' + "z" * 250 + '"'),
        ("CAA", "0 issue letsencrypt.org"),
        ("HTTPS", "1 Svc.example.org. alpn=h2"),
        ("PTR", "Host.example.org."),
        ("NS", "Ns.elsewhere.example."),
    ],
)
def test_names_and_texts_in_the_data_are_equal(hidden, zone, rtype, data):
    name = "_sip._tcp" if rtype == "SRV" else "Name"
    hidden.add(zone, name, rtype, data)

    assert sampled(hidden)[0] == f"{name}.{zone.name}"


def test_a_change_of_the_soa_alone_has_none(hidden, zone):
    hidden.central.zones.update(hidden.context, zone.id, ZonePatch(email="other@example.org"))
    first = announced(hidden)
    hidden.central.zones.update(hidden.context, zone.id, ZonePatch(ttl=1234))
    second = announced(hidden)

    assert (first.sample, second.sample) == (None, None)
    assert first.soa != second.soa, "the SOA's TTL is the zone's"


def test_a_secondary_zone_has_none_before_its_first_transfer(hidden):
    count = len(hidden.worker.changes)
    masters = (PrimaryAddress(host="192.0.2.1"),)
    draft = ZoneDraft(name=f"second{next(NUMBERS)}.example.", type="SECONDARY", masters=masters)
    hidden.central.zones.create(hidden.context, draft)

    assert len(hidden.worker.changes) == count


def test_a_declaration_of_names_prefers_one_that_exists(hidden, zone):
    resource = Managed(
        plugin_type="sink", plugin_name="x", resource_type="instance", resource_id="i"
    )
    drafts = tuple(
        RecordSetDraft(name=f"{label}.{zone.name}", type="A", records=("192.0.2.1",))
        for label in ("a", "b")
    )
    declare = hidden.central.managed_names.declare
    declare(admin_context(), zone.id, resource, drafts)
    both = sampled(hidden)
    declare(admin_context(), zone.id, resource, (drafts[1],))
    one_deleted = sampled(hidden)
    declare(admin_context(), zone.id, resource, ())
    all_deleted = sampled(hidden)

    assert both[2]
    assert (one_deleted[0], one_deleted[2]) == (drafts[0].name, False)
    assert (all_deleted[0], all_deleted[2]) == (drafts[1].name, False)


def test_other_nameservers_of_the_pool_are_the_sample(hidden, zone):
    records = tuple(NsRecord(hostname=f"ns{n}.example.org.") for n in (1, next(NUMBERS) + 1))
    spec = PoolSpec(id=POOL, name="default", ns_records=records)
    hidden.central.pools.apply(admin_context(), (spec,), False, False)
    while hidden.central.sweeps.follow_pools(admin_context(), 0, SHARDS - 1, 100):
        pass
    found = [change for change in hidden.worker.changes if change.zone_id == zone.id][-1]

    assert (found.sample.name, found.sample.rtype) == (zone.name, NS)


def test_recovery_and_reconciliation_announce_what_the_change_announced(hidden, zone):
    hidden.add(zone, "www", "A", "192.0.2.1")
    first = announced(hidden)
    hidden.worker.changes.clear()
    _make_due(hidden, zone)
    hidden.central.status.recover(admin_context(), 0, SHARDS - 1, 1000)
    again = next(change for change in hidden.worker.changes if change.zone_id == zone.id)

    assert (again.soa, again.sample) == (first.soa, first.sample)


def _make_due(hidden, zone):
    past = {"pending_since": datetime(2026, 1, 1), "sent_at": None, "version": zones.c.version + 1}
    update = sa.update(zones).where(zones.c.id == zone.id).values(**past)
    hidden.database.write(lambda tx: tx.execute(update))


def test_the_sample_costs_no_statement(hidden, zone):
    """It is written by the UPDATE of the zone's row and read with that row."""
    statements = []

    def record(_connection, _cursor, text, *_):
        statements.append(text)

    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    try:
        hidden.add(zone, "www", "A", "192.0.2.1")
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)
    changes = [text for text in statements if not text.startswith("SELECT")]

    assert sum(text.startswith("UPDATE zones") for text in changes) == 1
    assert sum("sample=" in text for text in changes) == 1
    assert len(changes) == WRITES, changes
