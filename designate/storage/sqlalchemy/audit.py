"""Claims of zones whose existence has to be notified for an audit period."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from designate.model.zones import Zone
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import LIVE, zones
from designate.storage.sqlalchemy.zone_rows import SHARED, from_row


def claim(
    tx: Transaction, shards: tuple[int, int], after: str, until: datetime, limit: int
) -> list[Zone]:
    """Claim and return the next live zones of the shards for the period that ends at `until`.

    They come in the order of their ids, which is that of the shards, after the id `after`.
    """
    first, last = shards
    open_ = (
        zones.c.deleted == LIVE,
        zones.c.created_at < until,
        sa.or_(zones.c.audited_until.is_(None), zones.c.audited_until < until),
    )
    unclaimed = sa.select(zones.c.id).where(
        zones.c.id > max(after, f"{first:03x}"), zones.c.shard.between(first, last), *open_
    )
    ids = tx.execute(unclaimed.order_by(zones.c.id).limit(limit)).scalars().all()
    if not ids:
        return []
    # Locked by their keys only, because a range would block new zones on MySQL. A second process finds
    # them claimed.
    chosen = sa.select(zones, SHARED).where(zones.c.id.in_(ids), *open_)
    rows = tx.execute(tx.lock(chosen, chosen.with_for_update(of=zones)).order_by(zones.c.id)).all()
    claimed = [row.id for row in rows]
    if claimed:
        tx.execute(sa.update(zones).where(zones.c.id.in_(claimed)).values(audited_until=until))
    return [from_row(row) for row in rows]
