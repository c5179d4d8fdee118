"""The journal: the difference of each revision in wire form, for IXFR (RFC 1995)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import zone_journal


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStep:
    """The difference that one revision made.

    Attributes:
        payload: Old SOA, deleted RRs, new SOA, added RRs, whose owners end in a pointer to offset 12.
            None: not stored, transfers across it are whole.
    """

    zone_id: str
    revision: int
    from_serial: int
    to_serial: int
    deleted_count: int = 0
    added_count: int = 0
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class JournalSpan:
    """The part of a zone's journal from one serial to the newest.

    Attributes:
        first: Its first revision.
        steps: How many steps it has.
        size_bytes: The size of their payloads.
        complete: Whether all of them have payloads.
    """

    first: int
    steps: int
    size_bytes: int
    complete: bool


APPEND = sa.insert(zone_journal)
_OF_JOURNAL = zone_journal.c.zone_id == sa.bindparam("zone")
_SPAN = sa.select(
    sa.func.min(zone_journal.c.revision),
    sa.func.count(),
    sa.func.sum(sa.func.coalesce(sa.func.length(zone_journal.c.payload), 0)),
    sa.func.count(zone_journal.c.payload),
).where(
    _OF_JOURNAL,
    zone_journal.c.revision
    >= sa.select(sa.func.max(zone_journal.c.revision))
    .where(_OF_JOURNAL, zone_journal.c.from_serial == sa.bindparam("serial"))
    .scalar_subquery(),
)
_STEPS = (
    sa.select(zone_journal.c.from_serial, zone_journal.c.to_serial, zone_journal.c.payload)
    .where(_OF_JOURNAL, zone_journal.c.revision >= sa.bindparam("first"))
    .order_by(zone_journal.c.revision)
)


def append(tx: Transaction, step: JournalStep, now: datetime) -> None:
    """Append a step; a batch appends those of all its writes at once."""
    values = {name: getattr(step, name) for name in JournalStep.__slots__}
    tx.defer("journal", partial(_append, tx), {**values, "created_at": now})


def _append(tx: Transaction, steps: list[dict[str, Any]]) -> None:
    tx.execute_unflushed(APPEND, steps)


def prune(tx: Transaction, zone_id: str, up_to_revision: int) -> None:
    """Delete the zone's steps up to a revision."""
    tx.execute(
        sa.delete(zone_journal).where(
            zone_journal.c.zone_id == zone_id, zone_journal.c.revision <= up_to_revision
        )
    )


def prune_older(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete at most `limit` steps that were made before a time; return their number."""
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


def find_span(connection: sa.Connection, zone_id: str, serial: int) -> JournalSpan | None:
    """Return the part of the journal from a serial on; None: the journal does not reach back to it."""
    row = connection.execute(_SPAN, {"zone": zone_id, "serial": serial}).one()
    first, steps, size_bytes, payloads = row
    if first is None:
        return None
    return JournalSpan(int(first), int(steps), int(size_bytes), payloads == steps)


def read_steps(
    connection: sa.Connection, zone_id: str, first: int, serial: int, now: int
) -> list[bytes] | None:
    """Return payloads of the journal from a revision on, oldest first.

    Returns:
        The payloads; None: they do not lead from `serial` to `now`, the zone's serial, without a gap.
    """
    payloads = []
    for row in connection.execute(_STEPS, {"zone": zone_id, "first": first}):
        if row.from_serial != serial or row.payload is None:
            return None
        serial = row.to_serial
        payloads.append(row.payload)
    return payloads if serial == now else None
