"""Changed NS records of a pool: all its zones are updated without delaying other changes."""

import pytest

from designate.central.pools import MAX_SYNCED_ZONES
from designate.context import admin_context
from designate.model.pools import NsRecord, PoolSpec
from tests.support.factories.zone_data import Hidden

POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"


@pytest.fixture
def hidden(tmp_path):
    with Hidden(tmp_path) as hidden:
        yield hidden


def rename(hidden, hostname):
    spec = PoolSpec(id=POOL, name="default", ns_records=(NsRecord(hostname=hostname),))
    hidden.central.pools.apply(admin_context(), (spec,), False, False)


def test_zones_that_follow_their_pool_let_other_changes_go_first(hidden):
    zones = [hidden.zone(f"z{n}.example.org.") for n in range(3)]
    made = list(hidden.worker.changes)
    del hidden.worker.changes[:]
    rename(hidden, "ns9.example.org.")
    followed = list(hidden.worker.changes)
    hidden.add(zones[0], "www", "A", "192.0.2.1")

    assert {change.again for change in made} == {False}
    assert {change.zone_id for change in followed} == {zone.id for zone in zones}
    assert {change.again for change in followed} == {True}
    assert hidden.worker.changes[-1].again is False


def test_who_changes_a_pool_waits_for_some_of_its_zones_and_the_sweep_does_the_rest(hidden):
    count = MAX_SYNCED_ZONES + 3
    for n in range(count):
        hidden.zone(f"z{n}.example.org.")
    del hidden.worker.changes[:]
    rename(hidden, "ns9.example.org.")
    at_once = len(hidden.worker.changes)
    done = hidden.central.sweeps.follow_pools(admin_context(), 0, 4095, 100)

    assert (at_once, done, len(hidden.worker.changes)) == (MAX_SYNCED_ZONES, 3, count)
    assert hidden.central.sweeps.follow_pools(admin_context(), 0, 4095, 100) == 0
