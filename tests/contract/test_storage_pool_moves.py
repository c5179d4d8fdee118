"""Stale copies of moved zones, on every database."""

from __future__ import annotations

from datetime import datetime, timedelta

from designate.storage.sqlalchemy import pool_moves, zones
from tests.support.factories.zone_data import Hidden

OLD_POOL = "0f1e2d3c-4b5a-4697-8877-665544332299"
NOW = datetime(2026, 11, 1, 12, 0, 0, 123456)
ALL = (0, 4095)


def claimed(hidden: Hidden, now: datetime) -> list[pool_moves.StaleCopy]:
    earlier = now - timedelta(seconds=10)
    return list(
        hidden.database.write(
            lambda tx: pool_moves.claim(
                tx, ALL, now, limit=10, served_before=earlier, sent_before=earlier
            )
        )
    )


def test_a_copy_is_claimed_when_its_zone_is_served_and_again_until_its_end(hidden: Hidden) -> None:
    zone = hidden.zone("left.example.org.")
    write = hidden.database.write
    before = hidden.central.zones.get(hidden.context, zone.id)

    def move(tx):
        pool_moves.record(tx, before, before.revision)
        stored = zones.lock(tx, zone.id)
        return stored.pool_version

    version = write(move)
    write(lambda tx: pool_moves.mark_served(tx, ALL, NOW, 10))
    unserved = claimed(hidden, NOW + timedelta(seconds=20))
    write(lambda tx: zones.update(tx, zone.id, served_revision=before.revision))
    write(lambda tx: pool_moves.mark_served(tx, ALL, NOW, 10))
    early = claimed(hidden, NOW + timedelta(seconds=9))
    (found,) = claimed(hidden, NOW + timedelta(seconds=10))
    lately = claimed(hidden, NOW + timedelta(seconds=19))
    (again,) = claimed(hidden, NOW + timedelta(seconds=20))
    name = write(lambda tx: pool_moves.delete_copy(tx, found.id))

    assert (unserved, early, lately) == ([], [], [])
    assert (found.zone_id, found.name, found.pool_id) == (zone.id, zone.name, before.pool_id)
    assert (found.kept_in, found.kept_version) == (before.pool_id, version)
    assert (found.pool_version, found.replaced) == (version, True)  # by itself, for it never moved
    assert again == found
    assert name == zone.name
    assert claimed(hidden, NOW + timedelta(days=1)) == []


def test_a_zone_that_left_one_pool_twice_is_remembered_once(hidden: Hidden) -> None:
    zone = hidden.zone("twice.example.org.")

    def move(tx):
        pool_moves.record(tx, zone, 2)
        pool_moves.record(tx, zone, 3)
        pool_moves.delete(tx, zone.id, OLD_POOL)

    hidden.database.write(move)
    hidden.central.zones.delete(hidden.context, zone.id)
    (found,) = claimed(hidden, NOW)
    hidden.database.write(lambda tx: pool_moves.delete(tx, zone.id, zone.pool_id))

    assert found.zone_id == zone.id
    assert claimed(hidden, NOW + timedelta(days=1)) == []
