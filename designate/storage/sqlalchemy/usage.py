"""Counts of zones and records, and projects with zones, for administrators."""

from __future__ import annotations

import sqlalchemy as sa

from designate.model.usage import ProjectZones
from designate.storage.sqlalchemy.listing.pagination import Scope, of_project
from designate.storage.sqlalchemy.tables import LIVE, project_usage, recordsets, zones

MAX_ROWS = 10_000


def count(connection: sa.Connection, name: str, scope: Scope) -> int:
    """Return a count; name: a member of `designate.model.usage.Counts`."""
    live = [zones.c.deleted == LIVE]
    if not scope.all_projects:
        live.append(of_project(zones.c.project_id, scope.project_id))
    if name == "records":
        statement = sa.select(sa.func.coalesce(sa.func.sum(recordsets.c.record_count), 0))
        statement = statement.join_from(recordsets, zones, zones.c.id == recordsets.c.zone_id)
    elif name == "tenants":
        statement = sa.select(sa.func.count(sa.distinct(zones.c.project_id)))
    else:
        statement = sa.select(sa.func.count()).select_from(zones)
    if name == "zones_delayed_notify":
        live.append(zones.c.served_revision < zones.c.revision)
    return int(connection.execute(statement.where(*live)).scalar_one())


def projects(connection: sa.Connection, scope: Scope) -> list[ProjectZones]:
    """Return the projects that own zones and the number of their zones, by id."""
    statement = sa.select(project_usage).where(project_usage.c.zones > 0)
    if not scope.all_projects:
        statement = statement.where(of_project(project_usage.c.project_id, scope.project_id))
    rows = connection.execute(statement.order_by(project_usage.c.project_id).limit(MAX_ROWS))
    return [ProjectZones(id=row.project_id, zone_count=row.zones) for row in rows]


def zone_names(connection: sa.Connection, project_id: str) -> list[str]:
    """Return the names of the project's zones in order."""
    rows = connection.execute(
        sa.select(zones.c.name)
        .where(zones.c.deleted == LIVE, zones.c.project_id == project_id)
        .order_by(zones.c.name_key)
        .limit(MAX_ROWS)
    )
    return list(rows.scalars())
