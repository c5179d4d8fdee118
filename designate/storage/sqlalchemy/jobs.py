"""Imports and exports: their rows, their files, and the claims of the processes that run them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from designate.model.jobs import JobStatus, ZoneJob
from designate.runtime.cooperative import yield_to_others
from designate.storage.sqlalchemy.db.rows import DATES, Rows
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import recordsets, zone_task_files, zone_tasks

FILTERS = ("status", "message", "zone_id")
IMPORT = zone_tasks.c.task_type == "IMPORT"
EXPORT = zone_tasks.c.task_type == "EXPORT"
IMPORTS = Rows(ZoneJob, zone_tasks, "zone_import", sort_keys=DATES, filters=FILTERS)
EXPORTS = Rows(ZoneJob, zone_tasks, "zone_export", sort_keys=DATES, filters=FILTERS)
STREAM_BATCH = 2000


def insert(
    tx: Transaction,
    task: ZoneJob,
    task_type: str,
    context: dict[str, Any],
    attributes: dict[str, str],
    text: str | None = None,
) -> None:
    """Insert an import or export; text: its zone file, where there is one already."""
    IMPORTS.insert(
        tx, task, task_type=task_type, context=context, attributes=attributes, attempts=0
    )
    if text is not None:
        store_file(tx, task.id, text)


def store_file(tx: Transaction, task_id: str, text: str) -> None:
    """Store the task's zone file, compressed, in place of an older one."""
    tx.execute(sa.delete(zone_task_files).where(zone_task_files.c.task_id == task_id))
    content = zlib.compress(text.encode("utf-8"), 1)
    tx.execute(sa.insert(zone_task_files), {"task_id": task_id, "content": content})


def delete_file(tx: Transaction, task_id: str) -> None:
    """Delete the task's zone file."""
    tx.execute(sa.delete(zone_task_files).where(zone_task_files.c.task_id == task_id))


def read_file(connection: sa.Connection, task_id: str) -> str | None:
    """Return the text of the task's zone file; None: there is none."""
    statement = sa.select(zone_task_files.c.content).where(zone_task_files.c.task_id == task_id)
    content = connection.execute(statement).scalar()
    return None if content is None else zlib.decompress(content).decode("utf-8")


def claim(tx: Transaction, task_id: str, now: datetime, for_s: float) -> sa.Row[Any] | None:
    """Claim a pending task that is not claimed, or whose claim has expired.

    Args:
        tx: The transaction.
        task_id: The task.
        now: The current time.
        for_s: How many seconds the claim lasts.

    Returns:
        The task's row, whose `attempts` include this one; None: the task cannot be claimed.
    """
    free = sa.or_(zone_tasks.c.claimed_until.is_(None), zone_tasks.c.claimed_until < now)
    pending = sa.and_(zone_tasks.c.id == task_id, zone_tasks.c.status == JobStatus.PENDING)
    claimed = tx.execute(
        sa.update(zone_tasks)
        .where(pending, free)
        .values(claimed_until=now + timedelta(seconds=for_s), attempts=zone_tasks.c.attempts + 1)
    )
    if claimed.rowcount != 1:
        return None
    return tx.execute(sa.select(zone_tasks).where(zone_tasks.c.id == task_id)).one()


def get_requester(connection: sa.Connection, task_id: str) -> tuple[str, dict[str, Any]]:
    """Return the task's type and the plain form of its requester's context."""
    statement = sa.select(zone_tasks.c.task_type, zone_tasks.c.context)
    row = connection.execute(statement.where(zone_tasks.c.id == task_id)).one()
    return row.task_type, row.context


def set_message(
    tx: Transaction, task_id: str, attempt: int, text: str, now: datetime, for_s: float
) -> None:
    """Set the message of a task that this attempt has claimed, and renew the claim for for_s."""
    tx.execute(
        sa.update(zone_tasks)
        .where(
            zone_tasks.c.id == task_id,
            zone_tasks.c.status == JobStatus.PENDING,
            zone_tasks.c.attempts == attempt,
        )
        .values(message=text, updated_at=now, claimed_until=now + timedelta(seconds=for_s))
    )


def lock_claim(tx: Transaction, task_id: str, attempt: int) -> bool:
    """Lock the task's row and return whether this attempt's claim still holds."""
    statement = sa.select(zone_tasks.c.status, zone_tasks.c.attempts).where(
        zone_tasks.c.id == task_id
    )
    row = tx.execute(tx.lock(statement, statement.with_for_update())).first()
    return row is not None and row.status == JobStatus.PENDING and row.attempts == attempt


def find_runnable(connection: sa.Connection, now: datetime, limit: int) -> list[str]:
    """Return pending tasks that no process has claimed, oldest first."""
    statement = (
        sa.select(zone_tasks.c.id)
        .where(
            zone_tasks.c.status == JobStatus.PENDING,
            sa.or_(zone_tasks.c.claimed_until.is_(None), zone_tasks.c.claimed_until < now),
        )
        .order_by(zone_tasks.c.created_at)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


def content(
    connection: sa.Connection, zone_id: str
) -> Iterator[tuple[str, str, int | None, int, bytes]]:
    """Yield (name, type, ttl, record_count, wire) of the zone's recordsets, without its SOA.

    Managed recordsets come first, then the others in the order of their creation.
    """
    columns = (recordsets.c[name] for name in ("name", "type", "ttl", "record_count", "wire"))
    rows = connection.execute(
        sa.select(*columns)
        .where(recordsets.c.zone_id == zone_id, recordsets.c.type != "SOA")
        .order_by(recordsets.c.managed.desc(), recordsets.c.created_at, recordsets.c.id)
    )
    for batch in rows.partitions(STREAM_BATCH):
        yield_to_others()
        for row in batch:
            yield row.name, row.type, row.ttl, row.record_count, row.wire
