"""The journal: each revision's difference in wire form, from which IXFR is answered (RFC 1995)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.tables import zone_journal


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStep:
    """One revision's difference. payload: old SOA, deleted RRs, new SOA, added RRs, owners ending in
    a pointer to offset 12; None: not kept, a transfer across it is whole."""

    zone_id: str
    revision: int
    from_serial: int
    to_serial: int
    deleted_count: int = 0
    added_count: int = 0
    payload: bytes | None = None


APPEND = sa.insert(zone_journal)


def append(tx: Transaction, step: JournalStep, now: datetime) -> None:
    """Works that share a transaction append theirs together."""
    values = {name: getattr(step, name) for name in JournalStep.__slots__}
    tx.defer("journal", partial(_append, tx), {**values, "created_at": now})


def _append(tx: Transaction, steps: list[dict[str, Any]]) -> None:
    tx.execute_unflushed(APPEND, steps)


def prune(tx: Transaction, zone_id: str, up_to_revision: int) -> None:
    """Forget the zone's steps up to a revision."""
    tx.execute(
        sa.delete(zone_journal).where(
            zone_journal.c.zone_id == zone_id, zone_journal.c.revision <= up_to_revision
        )
    )


def prune_older(tx: Transaction, before: datetime, limit: int) -> int:
    """Forget steps made before a moment, at most `limit` of them; answers how many."""
    old = tx.execute(
        sa.select(zone_journal.c.zone_id, zone_journal.c.revision)
        .where(zone_journal.c.created_at < before)
        .limit(limit)
    ).all()
    newest: dict[str, int] = {}
    for row in old:
        newest[row.zone_id] = max(row.revision, newest.get(row.zone_id, 0))
    for zone_id, revision in newest.items():
        prune(tx, zone_id, revision)
    return len(old)
