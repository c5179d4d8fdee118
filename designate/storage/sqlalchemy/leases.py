"""Leases: the current members of groups of processes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.db.upsert import insert_or_add
from designate.storage.sqlalchemy.tables import lease_groups, leases

_GENERATION = sa.select(lease_groups.c.generation).where(
    lease_groups.c.name == sa.bindparam("name")
)


def generation(connection: sa.Connection, name: str) -> int:
    """Return the group's generation; 0: it never had a member."""
    return int(connection.execute(_GENERATION, {"name": name}).scalar() or 0)


def renew(
    tx: Transaction, name: str, owner: str, now: datetime, until: datetime
) -> tuple[int, list[str]]:
    """Renew the owner's lease and remove members whose lease has expired.

    Returns:
        The group's generation and its members in order.
    """
    before = _lock(tx, name)
    others = sa.delete(leases).where(
        leases.c.name == name, leases.c.owner != owner, leases.c.expires_at <= now
    )
    removed = tx.execute(others).rowcount
    mine = sa.update(leases).where(leases.c.name == name, leases.c.owner == owner)
    known = tx.execute(mine.values(expires_at=until)).rowcount
    if not known:
        tx.execute(sa.insert(leases).values(name=name, owner=owner, expires_at=until))
    if removed or not known:
        before = _increment_generation(tx, name, before)
    found = tx.execute(sa.select(leases.c.owner).where(leases.c.name == name))
    return before, sorted(found.scalars())


def release(tx: Transaction, name: str, owner: str, now: datetime) -> int:
    """Leave the group; return how many members remain."""
    before = _lock(tx, name)
    gone = sa.delete(leases).where(
        leases.c.name == name, sa.or_(leases.c.owner == owner, leases.c.expires_at <= now)
    )
    if tx.execute(gone).rowcount:
        _increment_generation(tx, name, before)
    count = sa.select(sa.func.count()).select_from(leases).where(leases.c.name == name)
    return int(tx.execute(count).scalar_one())


def prune(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete leases that expired before a time, in whatever group; return their number."""
    rows = tx.execute(
        sa.select(leases.c.name, leases.c.owner).where(leases.c.expires_at < before).limit(limit)
    ).all()
    for row in rows:
        tx.execute(
            sa.delete(leases).where(
                leases.c.name == row.name,
                leases.c.owner == row.owner,
                leases.c.expires_at < before,
            )
        )
    return len(rows)


def _lock(tx: Transaction, name: str) -> int:
    """Lock the group's row until the transaction ends and return its generation."""
    tx.execute(
        insert_or_add(tx.dialect, lease_groups, "generation"), {"name": name, "generation": 0}
    )
    return generation(tx.connection, name)


def _increment_generation(tx: Transaction, name: str, before: int) -> int:
    tx.execute(
        sa.update(lease_groups).where(lease_groups.c.name == name).values(generation=before + 1)
    )
    return before + 1
