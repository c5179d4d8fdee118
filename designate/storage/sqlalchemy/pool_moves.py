"""Stale copies of zones in the pools that they were moved out of."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from designate.model.shards import shard_of
from designate.model.zones import Action, Zone, ZoneType
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import LIVE, moved_zones, pools, zones

_NAMESAKE = zones.alias("namesake")
_NEW_POOL = pools.alias("new_pool")
_ANY = (
    sa.select(sa.literal(1))
    .select_from(moved_zones)
    .where(moved_zones.c.shard.between(sa.bindparam("first"), sa.bindparam("last")))
    .limit(1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleCopy:
    """The copy of a zone on the nameservers of a pool that it was moved out of.

    Attributes:
        id: The id of the copy itself.
        pool_id: The old pool.
        pool_version: Its version; None: the pool is deleted.
        kept_in: The pool that has the zone now; None: the zone is deleted.
        kept_version: The version of that pool.
        replaced: The old pool has another zone of the same name.
    """

    id: str
    zone_id: str
    name: str
    type: ZoneType
    pool_id: str
    pool_version: int | None
    kept_in: str | None
    kept_version: int | None
    replaced: bool


def record(tx: Transaction, before: Zone, revision: int) -> None:
    """Record that the zone leaves its pool; revision: what the new pool must serve first."""
    delete(tx, before.id, before.pool_id)
    tx.execute(
        sa.insert(moved_zones).values(
            id=str(uuid.uuid4()),
            zone_id=before.id,
            name=before.name,
            type=before.type,
            pool_id=before.pool_id,
            revision=revision,
            shard=shard_of(before.id),
        )
    )


def delete(tx: Transaction, zone_id: str, pool_id: str) -> None:
    """Delete the zone's copy in a pool: it is in that pool again, or the nameservers dropped it."""
    tx.execute(
        sa.delete(moved_zones).where(
            moved_zones.c.zone_id == zone_id, moved_zones.c.pool_id == pool_id
        )
    )


def delete_copy(tx: Transaction, copy_id: str) -> str | None:
    """Delete a copy by its id; return its zone's name, None: there was no such copy."""
    name = zone_name(tx.connection, copy_id)
    tx.execute(sa.delete(moved_zones).where(moved_zones.c.id == copy_id))
    return name


def zone_name(connection: sa.Connection, copy_id: str) -> str | None:
    """Return the name of a copy's zone; None: there is no such copy."""
    name: str | None = connection.execute(
        sa.select(moved_zones.c.name).where(moved_zones.c.id == copy_id)
    ).scalar()
    return name


def any_copy(connection: sa.Connection, pool_id: str) -> bool:
    """Return whether the pool's servers may still have the stale copy of a zone."""
    query = sa.select(moved_zones.c.id).where(moved_zones.c.pool_id == pool_id).limit(1)
    return connection.execute(query).first() is not None


def any_pending(connection: sa.Connection, shards: tuple[int, int]) -> bool:
    """Return whether there are stale copies, a cheap check for a sweep that mostly finds none."""
    return connection.execute(_ANY, {"first": shards[0], "last": shards[1]}).first() is not None


def mark_served(tx: Transaction, shards: tuple[int, int], now: datetime, limit: int) -> None:
    """Mark the copies whose zones are served by their new pools."""
    served = (
        sa.select(moved_zones.c.id)
        .join(zones, zones.c.id == moved_zones.c.zone_id)
        .where(
            moved_zones.c.served_at.is_(None),
            moved_zones.c.shard.between(*shards),
            zones.c.deleted == LIVE,
            zones.c.served_revision >= moved_zones.c.revision,
        )
        .limit(limit)
    )
    ids = tx.execute(served).scalars().all()
    if ids:
        tx.execute(sa.update(moved_zones).where(moved_zones.c.id.in_(ids)).values(served_at=now))


def claim(
    tx: Transaction,
    shards: tuple[int, int],
    now: datetime,
    *,
    limit: int,
    served_before: datetime,
    sent_before: datetime,
) -> Sequence[StaleCopy]:
    """Return copies to be deleted from the old nameservers, and mark them as sent now.

    Copies of deleted zones are due at once, others when the new pool has served the zone for long enough.
    Those not sent for the longest time come first.

    Args:
        tx: The transaction.
        shards: The first and the last shard.
        now: The current time.
        limit: The largest number of copies.
        served_before: The new pool has to serve the zone since then.
        sent_before: Copies that were sent later are left out.
    """
    deleted = sa.or_(zones.c.id.is_(None), zones.c.deleted != LIVE, zones.c.action == Action.DELETE)
    kept_in = sa.case((zones.c.deleted == LIVE, zones.c.pool_id))
    rows = tx.execute(
        sa.select(
            moved_zones,
            kept_in.label("kept_in"),
            _NEW_POOL.c.version.label("kept_version"),
            pools.c.version.label("pool_version"),
            _NAMESAKE.c.id.is_not(None).label("replaced"),
        )
        .join(zones, zones.c.id == moved_zones.c.zone_id, isouter=True)
        .join(pools, pools.c.id == moved_zones.c.pool_id, isouter=True)
        .join(_NEW_POOL, _NEW_POOL.c.id == zones.c.pool_id, isouter=True)
        .join(
            _NAMESAKE,
            sa.and_(
                _NAMESAKE.c.name_key == sa.func.lower(moved_zones.c.name),
                _NAMESAKE.c.pool_id == moved_zones.c.pool_id,
                _NAMESAKE.c.deleted == LIVE,
            ),
            isouter=True,
        )
        .where(
            moved_zones.c.shard.between(*shards),
            sa.or_(deleted, moved_zones.c.served_at <= served_before),
            sa.or_(moved_zones.c.sent_at.is_(None), moved_zones.c.sent_at <= sent_before),
        )
        .order_by(sa.func.coalesce(moved_zones.c.sent_at, moved_zones.c.served_at))
        .limit(limit)
    ).all()
    ids = [row.id for row in rows]
    if ids:
        tx.execute(sa.update(moved_zones).where(moved_zones.c.id.in_(ids)).values(sent_at=now))
    return [
        StaleCopy(
            id=row.id,
            zone_id=row.zone_id,
            name=row.name,
            type=ZoneType(row.type),
            pool_id=row.pool_id,
            pool_version=row.pool_version,
            kept_in=row.kept_in,
            kept_version=row.kept_version,
            replaced=bool(row.replaced),
        )
        for row in rows
    ]
