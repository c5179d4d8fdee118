"""Service statuses: what the processes report of themselves, and since when they are silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from designate.model.query import Page, Query
from designate.model.services import ServiceState, ServiceStatus
from designate.storage.sqlalchemy.db.rows import DATES, Rows
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing.pagination import Condition
from designate.storage.sqlalchemy.tables import service_statuses

SERVICES = Rows(
    ServiceStatus,
    service_statuses,
    "service_status",
    sort_keys=(*DATES, "hostname", "service_name", "status"),
    filters=("hostname", "service_name", "status"),
)


def find_by_name(connection: sa.Connection, name: str, hostname: str) -> ServiceStatus | None:
    """Return the status of the service on a host; None: it never reported one."""
    return SERVICES.first(
        connection,
        service_statuses.c.service_name == name,
        service_statuses.c.hostname == hostname,
    )


def find(
    connection: sa.Connection, query: Query, stale_before: datetime, *, limit: int
) -> Page[ServiceStatus]:
    """Return one page of service statuses.

    A service whose status is UP is found as DOWN when its last heartbeat came before `stale_before`.
    """
    status = query.filters.get("status")
    if status not in (ServiceState.UP, ServiceState.DOWN):
        return SERVICES.find(connection, query, limit=limit)
    stored_as_up = service_statuses.c.status == ServiceState.UP
    stale = sa.or_(
        service_statuses.c.heartbeated_at.is_(None),
        service_statuses.c.heartbeated_at < stale_before,
    )
    if status == ServiceState.UP:
        condition = sa.and_(stored_as_up, sa.not_(stale))
    else:
        condition = sa.or_(
            service_statuses.c.status == ServiceState.DOWN, sa.and_(stored_as_up, stale)
        )
    filters = {name: value for name, value in query.filters.items() if name != "status"}
    return SERVICES.find(connection, replace(query, filters=filters), condition, limit=limit)


def mark_down(tx: Transaction, before: datetime, now: datetime, limit: int) -> int:
    """Mark services as DOWN that are UP without a heartbeat since `before`; return their number."""
    stale = (
        service_statuses.c.status == ServiceState.UP,
        service_statuses.c.heartbeated_at < before,
    )
    ids = _ids(tx, limit, *stale)
    for id in ids:
        tx.execute(
            sa.update(service_statuses)
            .where(service_statuses.c.id == id, *stale)
            .values(status=ServiceState.DOWN, updated_at=now)
        )
    return len(ids)


def delete_stopped(tx: Transaction, down_before: datetime | None, limit: int) -> int:
    """Delete services that have stopped; return their number.

    Args:
        tx: The transaction.
        down_before: Also delete those that are DOWN without a heartbeat since then; None: do not.
        limit: The largest number to delete.
    """
    stopped: Condition = service_statuses.c.status == ServiceState.STOPPED
    if down_before is not None:
        stopped = sa.or_(
            stopped,
            sa.and_(
                service_statuses.c.status == ServiceState.DOWN,
                service_statuses.c.heartbeated_at < down_before,
            ),
        )
    ids = _ids(tx, limit, stopped)
    for id in ids:
        tx.execute(sa.delete(service_statuses).where(service_statuses.c.id == id, stopped))
    return len(ids)


def _ids(tx: Transaction, limit: int, *conditions: Condition) -> list[str]:
    statement = sa.select(service_statuses.c.id).where(*conditions).limit(limit)
    return list(tx.execute(statement).scalars())
