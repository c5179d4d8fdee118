"""Which zones' existence is still to be told for an audit period."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from designate.model.zones import Zone
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.tables import LIVE, zones
from designate.storage.sqlalchemy.zones import SHARED, value


def claim(
    tx: Transaction, shards: tuple[int, int], after: str, until: datetime, limit: int
) -> list[Zone]:
    """The next live zones of the shards whose period that ends at `until` nobody has claimed; they
    are claimed now. In the order of their ids, which is that of the shards, behind the id `after`.
    """
    first, last = shards
    open_ = (
        zones.c.deleted == LIVE,
        zones.c.created_at < until,
        sa.or_(zones.c.audited_until.is_(None), zones.c.audited_until < until),
    )
    wanted = sa.select(zones.c.id).where(
        zones.c.id > max(after, f"{first:03x}"), zones.c.shard.between(first, last), *open_
    )
    ids = tx.execute(wanted.order_by(zones.c.id).limit(limit)).scalars().all()
    if not ids:
        return []
    # Locked by their keys alone; a range would hold up new zones on MySQL. Who comes second finds
    # them claimed.
    chosen = sa.select(zones, SHARED).where(zones.c.id.in_(ids), *open_)
    rows = tx.execute(tx.lock(chosen, chosen.with_for_update(of=zones)).order_by(zones.c.id)).all()
    mine = [row.id for row in rows]
    if mine:
        tx.execute(sa.update(zones).where(zones.c.id.in_(mine)).values(audited_until=until))
    return [value(row) for row in rows]
