"""Imports and exports: their rows, their files, and who is running them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from designate.model.jobs import JobStatus, ZoneJob
from designate.model.zones import Zone
from designate.runtime.cooperative import yield_to_others
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.db.rows import DATES, Rows
from designate.storage.sqlalchemy.tables import recordsets, zone_task_files, zone_tasks

FILTERS = ("status", "message", "zone_id")
IMPORT = zone_tasks.c.task_type == "IMPORT"
EXPORT = zone_tasks.c.task_type == "EXPORT"
IMPORTS = Rows(ZoneJob, zone_tasks, "zone_import", sort_keys=DATES, filters=FILTERS)
EXPORTS = Rows(ZoneJob, zone_tasks, "zone_export", sort_keys=DATES, filters=FILTERS)
BATCH = 2000


def insert(
    tx: Transaction,
    task: ZoneJob,
    task_type: str,
    context: dict[str, Any],
    attributes: dict[str, str],
    text: str | None = None,
) -> None:
    """text: of the zone file, if the task has one already."""
    IMPORTS.insert(
        tx, task, task_type=task_type, context=context, attributes=attributes, attempts=0
    )
    if text is not None:
        store_file(tx, task.id, text)


def store_file(tx: Transaction, task_id: str, text: str) -> None:
    tx.execute(sa.delete(zone_task_files).where(zone_task_files.c.task_id == task_id))
    content = zlib.compress(text.encode("utf-8"), 1)
    tx.execute(sa.insert(zone_task_files), {"task_id": task_id, "content": content})


def delete_file(tx: Transaction, task_id: str) -> None:
    tx.execute(sa.delete(zone_task_files).where(zone_task_files.c.task_id == task_id))


def read_file(connection: sa.Connection, task_id: str) -> str | None:
    statement = sa.select(zone_task_files.c.content).where(zone_task_files.c.task_id == task_id)
    content = connection.execute(statement).scalar()
    return None if content is None else zlib.decompress(content).decode("utf-8")


def claim(tx: Transaction, task_id: str, now: datetime, for_s: float) -> sa.Row[Any] | None:
    """Take a waiting task that nobody runs, or whose runner has not been heard of in time; None: it
    is not to be had. attempts of the row: including this one."""
    free = sa.or_(zone_tasks.c.claimed_until.is_(None), zone_tasks.c.claimed_until < now)
    mine = sa.and_(zone_tasks.c.id == task_id, zone_tasks.c.status == JobStatus.PENDING)
    taken = tx.execute(
        sa.update(zone_tasks)
        .where(mine, free)
        .values(claimed_until=now + timedelta(seconds=for_s), attempts=zone_tasks.c.attempts + 1)
    )
    if taken.rowcount != 1:
        return None
    return tx.execute(sa.select(zone_tasks).where(zone_tasks.c.id == task_id)).one()


def requested_by(connection: sa.Connection, task_id: str) -> tuple[str, dict[str, Any]]:
    """(type of the task, the plain form of the context of whoever asked for it)."""
    statement = sa.select(zone_tasks.c.task_type, zone_tasks.c.context)
    row = connection.execute(statement.where(zone_tasks.c.id == task_id)).one()
    return row.task_type, row.context


def set_message(
    tx: Transaction, task_id: str, attempt: int, words: str, now: datetime, for_s: float
) -> None:
    """A message of a task that this attempt runs, whose claim begins anew."""
    tx.execute(
        sa.update(zone_tasks)
        .where(
            zone_tasks.c.id == task_id,
            zone_tasks.c.status == JobStatus.PENDING,
            zone_tasks.c.attempts == attempt,
        )
        .values(message=words, updated_at=now, claimed_until=now + timedelta(seconds=for_s))
    )


def lock_claim(tx: Transaction, task_id: str, attempt: int) -> bool:
    """Whether the task is still the one that this attempt claimed; its row is held."""
    statement = sa.select(zone_tasks.c.status, zone_tasks.c.attempts).where(
        zone_tasks.c.id == task_id
    )
    row = tx.execute(tx.lock(statement, statement.with_for_update())).first()
    return row is not None and row.status == JobStatus.PENDING and row.attempts == attempt


def find_runnable(connection: sa.Connection, now: datetime, limit: int) -> list[str]:
    """Tasks that somebody should run, oldest first."""
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
    connection: sa.Connection, zone: Zone
) -> Iterator[tuple[str, str, int | None, tuple[str, ...]]]:
    """(name, type, ttl, texts) of the zone's recordsets with data, the SOA first, then those that the
    service keeps itself, then in the order in which they were made."""
    rows = connection.execute(
        sa.select(recordsets.c.name, recordsets.c.type, recordsets.c.ttl, recordsets.c.texts)
        .where(recordsets.c.zone_id == zone.id, recordsets.c.type != "SOA")
        .order_by(recordsets.c.managed.desc(), recordsets.c.created_at, recordsets.c.id)
    )
    yield zone.name, "SOA", None, (zone.soa_text,)
    for batch in rows.partitions(BATCH):
        yield_to_others()
        for row in batch:
            yield row.name, row.type, row.ttl, tuple(row.texts)
