"""TSIG keys: their rows, and the keys of one pool or zone."""

from __future__ import annotations

import sqlalchemy as sa

from designate.model.tsigkeys import TsigKey, TsigScope
from designate.storage.sqlalchemy.db.rows import DATES, Rows
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import LIVE, pools, tsigkeys, zones

TSIGKEYS = Rows(
    TsigKey,
    tsigkeys,
    "tsigkey",
    sort_keys=(*DATES, "name"),
    filters=("name", "algorithm", "scope"),
)


def resource_exists(connection: sa.Connection, kind: str, id: str) -> bool:
    """Return whether there is a pool or a live zone of this id; kind: "pool" or "zone"."""
    if kind == "pool":
        statement = sa.select(pools.c.id).where(pools.c.id == id)
    else:
        statement = sa.select(zones.c.id).where(zones.c.id == id, zones.c.deleted == LIVE)
    return connection.execute(statement).first() is not None


def pool_has_key(connection: sa.Connection, pool_id: str) -> bool:
    """Return whether the pool has a TSIG key of its own."""
    statement = sa.select(tsigkeys.c.id).where(
        tsigkeys.c.resource_id == pool_id, tsigkeys.c.scope == TsigScope.POOL
    )
    return connection.execute(statement.limit(1)).first() is not None


def name_is_taken(connection: sa.Connection, key_id: str, name: str) -> bool:
    """Return whether another key has this lower-case name, with or without its trailing dot."""
    statement = sa.select(tsigkeys.c.id).where(
        tsigkeys.c.name_key.in_((name, name.removesuffix("."))), tsigkeys.c.id != key_id
    )
    return connection.execute(statement.limit(1)).first() is not None


def find_of_zone(connection: sa.Connection, zone_id: str, limit: int) -> list[tuple[str, str, str]]:
    """Return (name, algorithm, secret) of a zone's keys, the newest first."""
    found = connection.execute(
        sa.select(tsigkeys.c.name, tsigkeys.c.algorithm, tsigkeys.c.secret)
        .where(tsigkeys.c.scope == TsigScope.ZONE, tsigkeys.c.resource_id == zone_id)
        .order_by(tsigkeys.c.created_at.desc(), tsigkeys.c.id)
        .limit(limit)
    )
    return [(row.name, row.algorithm, row.secret) for row in found]


def delete_of_zone(tx: Transaction, zone_id: str, name: str | None = None) -> None:
    """Delete a zone's keys: all of them, or the one of this name."""
    statement = sa.delete(tsigkeys).where(
        tsigkeys.c.scope == TsigScope.ZONE, tsigkeys.c.resource_id == zone_id
    )
    if name is not None:
        statement = statement.where(tsigkeys.c.name_key == name.lower())
    tx.execute(statement)
