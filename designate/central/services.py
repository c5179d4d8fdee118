"""Which services live, and what the admin API counts."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

from designate.central.base import Core, own_target, scope_of
from designate.central.policy import ADMIN, ADMIN_OR_READER, rule
from designate.context import Context
from designate.model.admin import Heartbeat, ServiceState, ServiceStatus
from designate.model.query import Page, Query
from designate.model.reports import Counts, ProjectZones
from designate.storage import admin as storage
from designate.storage import reports
from designate.storage.engine import Transaction

# As many heartbeats may be lost before a service counts as down.
MISSED = 3

RULES = (
    rule("find_service_status", ADMIN, "GET /v2/service_statuses/{id}", "Show a service."),
    rule("find_service_statuses", ADMIN, "GET /v2/service_statuses", "List services."),
    rule("update_service_status", ADMIN, None, "Store a heartbeat."),
    rule("delete_service_status", ADMIN, None, "Forget a service."),
    rule("count_zones", ADMIN_OR_READER, "GET /admin/reports/counts", "Count zones."),
    rule("count_records", ADMIN_OR_READER, "GET /admin/reports/counts", "Count records."),
    rule("count_tenants", ADMIN, "GET /admin/reports/counts", "Count projects."),
    rule("find_tenants", ADMIN, "GET /admin/reports/tenants", "List projects with zones."),
    rule("get_tenant", ADMIN, "GET /admin/reports/tenants/{id}", "Show a project's zones."),
)


class ServicesEndpoint:
    """See rpc.interfaces.ServicesApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def heartbeat(self, context: Context, heartbeat: Heartbeat) -> None:
        """Idempotent; the newest one counts."""
        now = self._core.now()

        def write(tx: Transaction) -> None:
            row = storage.service(tx.connection, heartbeat.service_name, heartbeat.hostname)
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

        self._core.db.write(write)

    def get(self, context: Context, service_id: str) -> ServiceStatus:
        self._core.policy.check("find_service_status", context, own_target(context))
        with self._core.db.read() as connection:
            return self._judged(storage.SERVICES.get(connection, service_id))

    def find(self, context: Context, query: Query) -> Page[ServiceStatus]:
        self._core.policy.check("find_service_statuses", context, own_target(context))
        limit = query.limit or self._core.conf["service:api"].default_limit_v2
        with self._core.db.read() as connection:
            page = storage.SERVICES.find(connection, query, limit=limit)
        return replace(page, items=tuple(self._judged(item) for item in page.items))

    def _judged(self, service: ServiceStatus) -> ServiceStatus:
        """A service that says nothing any more is down, whatever it said last."""
        silence = timedelta(
            seconds=MISSED * self._core.conf["heartbeat_emitter"].heartbeat_interval
        )
        last = service.heartbeated_at
        if service.status is ServiceState.UP and (
            last is None or self._core.now() - last > silence
        ):
            return replace(service, status=ServiceState.DOWN)
        return service


class ReportsEndpoint:
    """See rpc.interfaces.ReportsApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def counts(self, context: Context, names: tuple[str, ...]) -> Counts:
        own = own_target(context)
        for name in names:
            asked = "count_zones" if name == "zones_delayed_notify" else f"count_{name}"
            self._core.policy.check(asked, context, own)
        scope = scope_of(context)
        with self._core.db.read() as connection:
            found = {name: reports.count(connection, name, scope) for name in names}
        return Counts(**found)

    def projects(self, context: Context) -> tuple[ProjectZones, ...]:
        self._core.policy.check("find_tenants", context, own_target(context))
        with self._core.db.read() as connection:
            return tuple(reports.projects(connection, scope_of(context)))

    def project(self, context: Context, project_id: str) -> ProjectZones:
        target = {"project_id": project_id, "tenant_id": project_id}
        self._core.policy.check("get_tenant", context, target)
        visible = context.all_projects or project_id == context.project_id
        with self._core.db.read() as connection:
            names = reports.zone_names(connection, project_id) if visible else []
        return ProjectZones(id=project_id, zone_count=len(names), names=tuple(names))
