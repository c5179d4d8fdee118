"""Recordsets across zones are counted by the counters of zones and of other projects in them."""

from __future__ import annotations

import itertools
import uuid

import pytest
import sqlalchemy as sa

from designate.context import Context
from designate.model.query import Query
from designate.model.recordsets import RecordSetDraft
from designate.model.shares import ShareDraft
from designate.model.transfers import TransferAcceptDraft, TransferRequestDraft
from designate.model.zones import ZoneDraft
from designate.runtime.clock import utcnow
from designate.storage.sqlalchemy import shared_zone_counts, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import recordsets

NUMBERS = itertools.count(1)


class Tenant:
    def __init__(self, hidden) -> None:
        self.context = Context(project_id=uuid.uuid4().hex, roles=["member", "reader"], user_id="u")
        self.central = hidden.central

    def zone(self):
        draft = ZoneDraft(name=f"guests{next(NUMBERS)}.example.", email="a@example.com")
        return self.central.zones.create(self.context, draft)

    def add(self, zone, label, context=None):
        draft = RecordSetDraft(name=f"{label}.{zone.name}", type="A", records=("192.0.2.1",))
        return self.central.recordsets.create(context or self.context, zone.id, draft)

    def delete(self, made, context=None):
        self.central.recordsets.delete(context or self.context, made.zone_id, made.id)

    def share(self, zone, other):
        draft = ShareDraft(target_project_id=other.context.project_id)
        return self.central.shares.create(self.context, zone.id, draft)

    @property
    def listed(self):
        """Return total_count and the number of items on all pages."""
        shown, marker = 0, None
        while True:
            query = Query(limit=3, marker=marker)
            page = self.central.recordsets.find(self.context, None, query)
            shown += len(page.items)
            if not page.items:
                return page.total_count, shown
            marker = page.items[-1].id


@pytest.fixture
def owner(hidden):
    return Tenant(hidden)


@pytest.fixture
def guest(hidden):
    return Tenant(hidden)


@pytest.mark.usefixtures("hidden")
def test_each_counts_what_is_its_own_whosever_the_zone_is(owner, guest):
    zone, other = owner.zone(), guest.zone()
    owner.share(zone, guest)
    owner.add(zone, "own")
    made = [guest.add(zone, f"guest{number}") for number in range(3)]
    guest.add(other, "home")
    assert (owner.listed, guest.listed) == ((3, 3), (6, 6))

    guest.delete(made[0])
    owner.delete(made[1])
    assert (owner.listed, guest.listed) == ((3, 3), (4, 4))

    by_type = Query(filters={"type": "A"})
    assert owner.central.recordsets.find(owner.context, None, by_type).total_count == 1
    assert owner.central.recordsets.find(guest.context, None, by_type).total_count == 2


@pytest.mark.usefixtures("hidden")
def test_operators_who_see_everything_count_it_once(owner, guest):
    operator = Context(project_id=uuid.uuid4().hex, roles=["admin"], all_projects=True)
    before = owner.central.recordsets.find(operator, None, Query()).total_count
    zone = owner.zone()
    owner.share(zone, guest)
    guest.add(zone, "guest")
    made = owner.add(zone, "operator", operator)

    assert owner.central.recordsets.find(operator, None, Query()).total_count == before + 4
    assert owner.listed == (2, 2)
    owner.delete(made, operator)
    assert owner.central.recordsets.find(operator, None, Query()).total_count == before + 3


def test_a_zone_that_changes_hands_takes_what_it_holds_along(hidden, owner, guest):
    zone, heir = owner.zone(), Tenant(hidden)
    owner.share(zone, guest)
    guest.add(zone, "guest")
    request = owner.central.transfer_requests.create(owner.context, zone.id, TransferRequestDraft())
    draft = TransferAcceptDraft(zone_transfer_request_id=request.id, key=request.key)

    owner.central.transfer_accepts.create(heir.context, draft)

    assert (owner.listed, guest.listed, heir.listed) == ((0, 0), (0, 0), (3, 3))


def test_a_zone_that_is_gone_is_counted_for_nobody(hidden, owner, guest):
    zone = owner.zone()
    owner.share(zone, guest)
    guest.add(zone, "guest")
    assert (owner.listed, guest.listed) == ((2, 2), (1, 1))

    hidden.database.write(lambda tx: zones.soft_delete(tx, zones.lock(tx, zone.id).zone, utcnow()))

    assert (owner.listed, guest.listed) == ((0, 0), (0, 0))


def test_what_a_transfer_took_away_is_counted_anew(hidden, owner, guest):
    zone = owner.zone()
    owner.share(zone, guest)
    for number in range(3):
        guest.add(zone, f"guest{number}")

    def take(tx: Transaction) -> None:
        gone = recordsets.c.name_key.in_((f"guest0.{zone.name}", f"guest1.{zone.name}"))
        tx.execute(sa.delete(recordsets).where(gone))
        tx.execute(
            sa.text("UPDATE zones SET version=version + 1, recordset_count = 3 WHERE id = :id"),
            {"id": zone.id},
        )
        shared_zone_counts.recount(tx, hidden.central.zones.get(owner.context, zone.id))

    hidden.database.write(take)

    assert (owner.listed, guest.listed) == ((2, 2), (1, 1))
