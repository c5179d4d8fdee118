"""Counts of zones, records and projects for the admin API."""

from __future__ import annotations

from designate.central.base import Core, own_target, scope_of
from designate.central.policy import ADMIN, ADMIN_OR_READER, rule
from designate.context import Context
from designate.model.usage import Counts, ProjectZones
from designate.storage.sqlalchemy import usage

RULES = (
    rule("count_zones", ADMIN_OR_READER, "GET /admin/reports/counts", "Count zones."),
    rule("count_records", ADMIN_OR_READER, "GET /admin/reports/counts", "Count records."),
    rule("count_tenants", ADMIN, "GET /admin/reports/counts", "Count projects."),
    rule("find_tenants", ADMIN, "GET /admin/reports/tenants", "List projects with zones."),
    rule("get_tenant", ADMIN, "GET /admin/reports/tenants/{id}", "Show a project's zones."),
)


class UsageEndpoint:
    """See rpc.interfaces.UsageApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def counts(self, context: Context, names: tuple[str, ...]) -> Counts:
        own = own_target(context)
        for name in names:
            rule_name = "count_zones" if name == "zones_delayed_notify" else f"count_{name}"
            self._core.policy.check(rule_name, context, own)
        scope = scope_of(context)
        with self._core.db.read() as connection:
            found = {name: usage.count(connection, name, scope) for name in names}
        return Counts(**found)

    def projects(self, context: Context) -> tuple[ProjectZones, ...]:
        self._core.policy.check("find_tenants", context, own_target(context))
        with self._core.db.read() as connection:
            return tuple(usage.projects(connection, scope_of(context)))

    def project(self, context: Context, project_id: str) -> ProjectZones:
        target = {"project_id": project_id, "tenant_id": project_id}
        self._core.policy.check("get_tenant", context, target)
        visible = context.all_projects or project_id == context.project_id
        with self._core.db.read() as connection:
            names = usage.zone_names(connection, project_id) if visible else []
        return ProjectZones(id=project_id, zone_count=len(names), names=tuple(names))
