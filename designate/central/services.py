"""Service statuses: heartbeats, and which services are up."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from designate import errors
from designate.central.base import Core, own_target, page_limit
from designate.central.policy import ADMIN, rule
from designate.context import Context
from designate.model.query import Page, Query
from designate.model.services import Heartbeat, ServiceState, ServiceStatus
from designate.storage.sqlalchemy import leases
from designate.storage.sqlalchemy import services as storage
from designate.storage.sqlalchemy.db.transaction import Transaction

MAX_MISSED_HEARTBEATS = 3
MAX_GROUP_LENGTH = 100
EXPIRED_LEASE_RETENTION_S = 3600

RULES = (
    rule("find_service_status", ADMIN, "GET /v2/service_statuses/{id}", "Show a service."),
    rule("find_service_statuses", ADMIN, "GET /v2/service_statuses", "List services."),
    rule("update_service_status", ADMIN, None, "Store a heartbeat."),
    rule("delete_service_status", ADMIN, None, "Delete a service status."),
)


class ServicesEndpoint:
    """See rpc.interfaces.ServicesApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def heartbeat(self, context: Context, heartbeat: Heartbeat) -> None:
        """Store a heartbeat; see the interface.

        All processes of a service on a host share one row, which is STOPPED when the last of them
        stops.
        """
        now = self._core.now()

        def write(tx: Transaction) -> None:
            if not self._is_row_affected(tx, heartbeat, now):
                return
            row = storage.find_by_name(tx.connection, heartbeat.service_name, heartbeat.hostname)
            members: dict[str, Any] = {
                "status": heartbeat.status,
                "stats": heartbeat.stats,
                "capabilities": heartbeat.capabilities,
                "heartbeated_at": now,
            }
            if row is None:
                new = ServiceStatus(
                    id=str(uuid.uuid4()),
                    service_name=heartbeat.service_name,
                    hostname=heartbeat.hostname,
                    created_at=now,
                    **members,
                )
                storage.SERVICES.insert(tx, new)
            else:
                storage.SERVICES.update(tx, row.id, **members, updated_at=now)

        try:
            self._core.db.write(write)
        except errors.Duplicate:
            # Another process of the service has inserted the row since.
            self._core.db.write(write)

    def _is_row_affected(self, tx: Transaction, heartbeat: Heartbeat, now: datetime) -> bool:
        """Record the process's lease; return False if it stopped and others still run."""
        if not heartbeat.process:
            return True
        group = f"{heartbeat.service_name}@{heartbeat.hostname}"[:MAX_GROUP_LENGTH]
        if heartbeat.status is not ServiceState.STOPPED:
            until = now + (now - self._down_since())
            leases.renew(tx, group, heartbeat.process, now, until)
            return True
        return leases.release(tx, group, heartbeat.process, now) == 0

    def get(self, context: Context, service_id: str) -> ServiceStatus:
        self._core.policy.check("find_service_status", context, own_target(context))
        with self._core.db.read() as connection:
            return self._with_current_status(storage.SERVICES.get(connection, service_id))

    def find(self, context: Context, query: Query) -> Page[ServiceStatus]:
        self._core.policy.check("find_service_statuses", context, own_target(context))
        limit = page_limit(self._core, query)
        with self._core.db.read() as connection:
            page = storage.find(connection, query, self._down_since(), limit=limit)
        return replace(page, items=tuple(self._with_current_status(item) for item in page.items))

    def mark_down(self, context: Context, silent_s: float, limit: int) -> int:
        now = self._core.now()
        before = now - timedelta(seconds=silent_s)
        return self._core.db.write(lambda tx: storage.mark_down(tx, before, now, limit))

    def clean_up(self, context: Context, down_s: float | None, limit: int) -> int:
        core = self._core
        now = core.now()
        before = None if down_s is None else now - timedelta(seconds=down_s)
        leases_before = now - timedelta(seconds=EXPIRED_LEASE_RETENTION_S)

        def write(tx: Transaction) -> int:
            leases.prune(tx, leases_before, limit)
            return storage.delete_stopped(tx, before, limit)

        return core.db.write(write)

    def _down_since(self) -> datetime:
        """Return since when a service without a heartbeat counts as down."""
        max_gap_s = MAX_MISSED_HEARTBEATS * self._core.conf["heartbeat_emitter"].heartbeat_interval
        return self._core.now() - timedelta(seconds=max_gap_s)

    def _with_current_status(self, service: ServiceStatus) -> ServiceStatus:
        """Return the service, with the status DOWN if its heartbeats have ended."""
        last = service.heartbeated_at
        if service.status is ServiceState.UP and (last is None or last < self._down_since()):
            return replace(service, status=ServiceState.DOWN)
        return service
