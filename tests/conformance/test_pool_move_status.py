"""Stale copies of moved zones in their old pools, as they are announced to workers."""

import logging
from datetime import datetime

import pytest

from designate.context import admin_context
from designate.model.pools import NsRecord, PoolSpec
from designate.model.tsigkeys import TsigKeyDraft, TsigScope
from designate.model.zones import Action, Outcome, ZoneReport
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.clock import ManualClock

A = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
B = "0f1e2d3c-4b5a-4697-8877-665544332211"
C = "0f1e2d3c-4b5a-4697-8877-665544332233"
SECRET = "YSBzZWNyZXQgb2YgYSBwb29sIGhlcmU="
GRACE_S = 30
RETRY_S = 15


class Moves:
    """Three pools, and a zone that the first one serves."""

    def __init__(self, hidden, clock):
        self.hidden = hidden
        self.clock = clock
        for pool_id, name in ((A, "default"), (B, "second"), (C, "third")):
            record = NsRecord(hostname=f"ns.{name}.example.")
            spec = PoolSpec(id=pool_id, name=name, ns_records=(record,))
            hidden.central.pools.apply(admin_context(), (spec,), False, False)
            key = TsigKeyDraft(
                name=name, algorithm="hmac-sha256", secret=SECRET, scope=TsigScope.POOL,
                resource_id=pool_id,
            )  # fmt: skip
            hidden.central.tsigkeys.create(hidden.context, key)
        self.zone = hidden.zone("moved.example.org.")
        self.serve()

    def shown(self):
        return self.hidden.central.zones.get(self.hidden.context, self.zone.id)

    def serve(self):
        """Report that the nameservers of the zone's pool serve it."""
        zone = self.shown()
        self.report(zone.id, Outcome.SERVED, revision=zone.revision, serial=zone.serial)

    def report(self, zone_id, outcome, revision=1, serial=0):
        error = "no response" if outcome is Outcome.LATE else None
        zone_report = ZoneReport(
            zone_id=zone_id, revision=revision, serial=serial, outcome=outcome, error=error
        )
        self.hidden.central.status.report(admin_context(), zone_report)

    def move(self, pool_id):
        self.hidden.central.zones.pool_move(self.hidden.context, self.zone.id, pool_id)

    def removals(self, after_s=0):
        """Run the sweep that much later; return the announced deletions: (old pool, current pool)."""
        return [(change.pool_id, change.kept_in) for change in self.changes(after_s)]

    def changes(self, after_s=0):
        self.clock.advance(seconds=after_s)
        del self.hidden.worker.changes[:]
        self.hidden.central.status.recover(admin_context(), 0, 4095, 100)
        return [
            change
            for change in self.hidden.worker.changes
            if change.zone_id != self.zone.id and change.action is Action.DELETE
        ]


@pytest.fixture
def moves(tmp_path):
    clock = ManualClock(datetime(2026, 11, 1))
    with Hidden(tmp_path, clock.now) as hidden:
        yield Moves(hidden, clock)


def test_the_old_copy_goes_when_the_new_one_has_been_served_for_long_enough(moves):
    moves.move(B)
    before = moves.removals() + moves.removals(after_s=1000)
    moves.serve()
    soon = moves.removals()
    found = moves.changes(after_s=GRACE_S)

    assert (before, soon) == ([], [])
    assert [(c.name, c.pool_id, c.kept_in) for c in found] == [("moved.example.org.", A, B)]
    assert found[0].created
    assert moves.shown().status == "ACTIVE"


def test_what_the_old_pools_servers_have_proves_nothing_for_the_new_pool(moves):
    moves.move(B)
    zone = moves.shown()
    for pool_id in (A, B):
        zone_report = ZoneReport(
            zone_id=zone.id,
            revision=zone.revision,
            serial=zone.serial,
            outcome=Outcome.SERVED,
            pool_id=pool_id,
        )
        moves.hidden.central.status.report(admin_context(), zone_report)
        assert moves.shown().status == ("PENDING" if pool_id == A else "ACTIVE")


def test_the_removal_is_repeated_until_it_is_proven(moves, caplog):
    moves.move(B)
    moves.serve()
    moves.removals()
    (first,) = moves.changes(after_s=GRACE_S)
    with caplog.at_level(logging.WARNING, "designate.central.status"):
        moves.report(first.zone_id, Outcome.LATE)
    soon = moves.changes(after_s=RETRY_S - 1)
    (repeated,) = moves.changes(after_s=1)
    moves.report(repeated.zone_id, Outcome.ABSENT)

    assert "moved.example.org." in caplog.text
    assert "no response" in caplog.text
    assert (soon, repeated.zone_id) == ([], first.zone_id)
    assert moves.removals(after_s=1000) == []
    assert moves.shown().status == "ACTIVE"


def test_a_zone_that_is_moved_back_stays_there_and_goes_from_the_other_pool(moves):
    moves.move(B)
    moves.serve()
    moves.removals()
    moves.move(A)
    moves.serve()
    moves.removals()

    assert moves.removals(after_s=GRACE_S) == [(B, A)]


def test_a_zone_that_is_moved_on_goes_from_both(moves):
    moves.move(B)
    moves.move(C)
    moves.serve()
    moves.removals()

    assert sorted(moves.removals(after_s=GRACE_S)) == [(B, C), (A, C)]


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_is_left_of_a_deleted_zone_goes_at_once(moves, is_gone):
    moves.move(B)
    moves.hidden.central.zones.delete(moves.hidden.context, moves.zone.id)
    if is_gone:
        moves.report(moves.zone.id, Outcome.ABSENT)

    assert moves.removals() == [(A, None if is_gone else B)]


def test_another_zone_of_the_name_in_the_old_pool_is_left_alone(moves):
    moves.move(B)
    moves.serve()
    other = moves.hidden.zone("moved.example.org.", attributes={"pool_id": A})
    moves.removals()

    assert (other.pool_id, moves.removals(after_s=GRACE_S)) == (A, [])
    moves.hidden.central.zones.delete(moves.hidden.context, other.id)
    assert {change.zone_id for change in moves.changes(after_s=1000)} == {other.id}


def test_a_pool_that_is_gone_is_asked_for_nothing(moves):
    moves.move(B)
    moves.move(C)
    moves.serve()
    moves.hidden.central.pools.delete(moves.hidden.context, B)
    moves.removals()

    assert moves.removals(after_s=GRACE_S) == [(A, C)]
    assert moves.removals(after_s=RETRY_S) == [(A, C)]


def test_a_sweep_of_other_shards_leaves_it_alone(moves):
    moves.move(B)
    moves.serve()
    moves.removals()
    moves.clock.advance(seconds=GRACE_S)
    del moves.hidden.worker.changes[:]
    shard = int(moves.zone.id[:3], 16)
    for first, last in ((0, shard - 1), (shard + 1, 4095)):
        moves.hidden.central.status.recover(admin_context(), first, last, 100)

    assert moves.hidden.worker.changes == []


def test_a_pool_whose_nameservers_have_the_same_names_is_told_of_the_zone(moves):
    same = PoolSpec(id=C, name="third", ns_records=(NsRecord(hostname="ns.default.example."),))
    moves.hidden.central.pools.apply(admin_context(), (same,), False, False)
    del moves.hidden.worker.changes[:]

    moves.move(C)

    announced = [(change.zone_id, change.pool_id) for change in moves.hidden.worker.changes]
    assert announced == [(moves.zone.id, C)]
    assert moves.shown().status == "PENDING"
    moves.serve()
    assert moves.shown().status == "ACTIVE"
    assert moves.removals() == []
    assert moves.removals(after_s=GRACE_S) == [(A, C)]
