"""Which services live, and what the admin API counts."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from designate import errors
from designate.central.base import Core, own_target
from designate.central.policy import ADMIN, rule
from designate.context import Context
from designate.model.query import Page, Query
from designate.model.services import Heartbeat, ServiceState, ServiceStatus
from designate.storage.sqlalchemy import leases
from designate.storage.sqlalchemy import services as storage
from designate.storage.sqlalchemy.db.engine import Transaction

# As many heartbeats may be lost before a service counts as down.
MISSED = 3
LONGEST_GROUP = 100
LEASES_KEPT_S = 3600

RULES = (
    rule("find_service_status", ADMIN, "GET /v2/service_statuses/{id}", "Show a service."),
    rule("find_service_statuses", ADMIN, "GET /v2/service_statuses", "List services."),
    rule("update_service_status", ADMIN, None, "Store a heartbeat."),
    rule("delete_service_status", ADMIN, None, "Forget a service."),
)


class ServicesEndpoint:
    """See rpc.interfaces.ServicesApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def heartbeat(self, context: Context, heartbeat: Heartbeat) -> None:
        """Idempotent; the newest one counts. A service has one row on a host, whatever the number of
        its processes: it stopped when the last of them said so."""
        now = self._core.now()

        def write(tx: Transaction) -> None:
            if not self._stopped_last(tx, heartbeat, now):
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
            # The first beat of another process of the service came between: there is a row now.
            self._core.db.write(write)

    def _stopped_last(self, tx: Transaction, heartbeat: Heartbeat, now: datetime) -> bool:
        """Remember which processes beat; False: one stopped and others go on."""
        if not heartbeat.process:
            return True
        group = f"{heartbeat.service_name}@{heartbeat.hostname}"[:LONGEST_GROUP]
        if heartbeat.status is not ServiceState.STOPPED:
            until = now + (now - self._silent_since())
            leases.renew(tx, group, heartbeat.process, now, until)
            return True
        return leases.release(tx, group, heartbeat.process, now) == 0

    def get(self, context: Context, service_id: str) -> ServiceStatus:
        self._core.policy.check("find_service_status", context, own_target(context))
        with self._core.db.read() as connection:
            return self._judged(storage.SERVICES.get(connection, service_id))

    def find(self, context: Context, query: Query) -> Page[ServiceStatus]:
        self._core.policy.check("find_service_statuses", context, own_target(context))
        limit = query.limit or self._core.conf["service:api"].default_limit_v2
        with self._core.db.read() as connection:
            page = storage.find(connection, query, self._silent_since(), limit=limit)
        return replace(page, items=tuple(self._judged(item) for item in page.items))

    def mark_down(self, context: Context, silent_s: float, limit: int) -> int:
        now = self._core.now()
        before = now - timedelta(seconds=silent_s)
        return self._core.db.write(lambda tx: storage.mark_down(tx, before, now, limit))

    def clean_up(self, context: Context, down_s: float | None, limit: int) -> int:
        core = self._core
        now = core.now()
        before = None if down_s is None else now - timedelta(seconds=down_s)
        leases_before = now - timedelta(seconds=LEASES_KEPT_S)

        def write(tx: Transaction) -> int:
            leases.prune(tx, leases_before, limit)
            return storage.delete_stopped(tx, before, limit)

        return core.db.write(write)

    def _silent_since(self) -> datetime:
        """Who has said nothing from this moment on is down, whatever it said last."""
        silence_s = MISSED * self._core.conf["heartbeat_emitter"].heartbeat_interval
        return self._core.now() - timedelta(seconds=silence_s)

    def _judged(self, service: ServiceStatus) -> ServiceStatus:
        """A service that says nothing any more is down, whatever it said last."""
        last = service.heartbeated_at
        if service.status is ServiceState.UP and (last is None or last < self._silent_since()):
            return replace(service, status=ServiceState.DOWN)
        return service
