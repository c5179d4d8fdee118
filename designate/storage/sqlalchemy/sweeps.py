"""What sweeps read and change: zones to recover, to compare, to update and to purge."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from designate.model.shards import SHARDS
from designate.model.zones import Action, Status, ZoneId, ZoneType
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import LIVE, zones
from designate.storage.sqlalchemy.zone_rows import STORED, StoredZone, stored_from_row


def claim_pending(
    tx: Transaction,
    shards: tuple[int, int],
    now: datetime,
    *,
    limit: int,
    max_in_flight: int,
    pending_age_s: float,
    error_age_s: float,
) -> list[StoredZone]:
    """Return zones that their nameservers do not serve yet, and mark them as sent to a worker now.

    Zones that were sent recently are left out. Those not sent for the longest time come first, so that
    zones that cannot be served do not block the others. Secondary zones are left out while they have
    nothing to serve: without content, or with expired content that the nameservers have dropped.

    Args:
        tx: The transaction.
        shards: The first and the last shard.
        now: The current time.
        limit: The largest number of zones.
        max_in_flight: The largest number of pending zones that were sent recently, the new ones
            included.
        pending_age_s: What counts as recent for new changes.
        error_age_s: What counts as recent for changes that have failed before.
    """
    pending_before = now - timedelta(seconds=pending_age_s)
    failed_before = now - timedelta(seconds=error_age_s)
    unserved = (
        zones.c.deleted == LIVE,
        zones.c.shard.between(*shards),
        zones.c.status.in_((Status.PENDING, Status.ERROR)),
    )
    due = sa.or_(
        sa.and_(
            zones.c.status == Status.PENDING,
            zones.c.error.is_(None),
            zones.c.pending_since <= pending_before,
            sa.or_(zones.c.sent_at.is_(None), zones.c.sent_at <= pending_before),
        ),
        sa.and_(
            sa.or_(zones.c.status == Status.ERROR, zones.c.error.is_not(None)),
            sa.or_(zones.c.sent_at.is_(None), zones.c.sent_at <= failed_before),
        ),
    )
    has_content = sa.or_(
        zones.c.type != ZoneType.SECONDARY,
        sa.and_(
            zones.c.transferred_at.is_not(None),
            sa.or_(zones.c.expired_at.is_(None), sa.not_(zones.c.withdrawn)),
        ),
        zones.c.action == Action.DELETE,
    )
    rows = tx.execute(
        STORED.where(*unserved, due, has_content)
        .order_by(sa.func.coalesce(zones.c.sent_at, zones.c.pending_since))
        .limit(limit)
    ).all()
    if rows:
        in_flight = (
            sa.select(zones.c.id)
            .where(*unserved, zones.c.sent_at > pending_before)
            .limit(max_in_flight)
        )
        count = sa.select(sa.func.count()).select_from(in_flight.subquery())
        rows = rows[: max(0, max_in_flight - tx.execute(count).scalar_one())]
    if rows:
        tx.execute(
            sa.update(zones).where(zones.c.id.in_([row.id for row in rows])).values(sent_at=now)
        )
    return [stored_from_row(row) for row in rows]


def find_converged(
    connection: sa.Connection, shards: tuple[int, int], after: str, limit: int
) -> list[StoredZone]:
    """Return zones whose newest revision was found on their nameservers, with no change pending.

    They come in the order of their ids, which is that of the shards, after the id `after`.
    """
    first, last = shards
    rows = connection.execute(
        STORED.where(
            zones.c.id > max(after, f"{first:03x}"),
            zones.c.id < (f"{last + 1:03x}" if last + 1 < SHARDS else "g"),
            zones.c.deleted == LIVE,
            zones.c.status == Status.ACTIVE,
            zones.c.action == Action.NONE,
            zones.c.expired_at.is_(None),
        )
        .order_by(zones.c.id)
        .limit(limit)
    )
    return [stored_from_row(row) for row in rows]


def find_outdated(
    connection: sa.Connection, pool_id: str, ns_version: int, limit: int, shards: tuple[int, int]
) -> list[ZoneId]:
    """Return primary zones of the pool whose apex NS set is older than ns_version."""
    rows = connection.execute(
        sa.select(zones.c.id)
        .where(
            zones.c.pool_id == pool_id,
            zones.c.deleted == LIVE,
            zones.c.ns_version < ns_version,
            zones.c.shard.between(*shards),
            zones.c.type == ZoneType.PRIMARY,
            zones.c.action != Action.DELETE,
        )
        .limit(limit)
    )
    return [ZoneId(row.id) for row in rows]


def purge(tx: Transaction, shards: tuple[int, int], before: datetime, limit: int) -> int:
    """Delete zones that were soft-deleted before `before`, with all their rows; return their number."""
    ids = (
        tx.execute(
            sa.select(zones.c.id)
            .where(
                zones.c.deleted != LIVE,
                zones.c.deleted_at <= before,
                zones.c.shard.between(*shards),
            )
            .limit(limit)
        )
        .scalars()
        .all()
    )
    if ids:
        tx.execute(sa.delete(zones).where(zones.c.id.in_(ids)))
    return len(ids)
