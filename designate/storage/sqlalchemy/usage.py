"""Counts for administrators."""

from __future__ import annotations

import sqlalchemy as sa

from designate.model.usage import ProjectZones
from designate.storage.sqlalchemy.listing.pagination import Scope, of_project
from designate.storage.sqlalchemy.tables import LIVE, project_usage, recordsets, zones

MOST = 10_000


def count(connection: sa.Connection, name: str, scope: Scope) -> int:
    """name: a member of Counts."""
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
    """Projects that own zones, by id."""
    statement = sa.select(project_usage).where(project_usage.c.zones > 0)
    if not scope.all_projects:
        statement = statement.where(of_project(project_usage.c.project_id, scope.project_id))
    rows = connection.execute(statement.order_by(project_usage.c.project_id).limit(MOST))
    return [ProjectZones(id=row.project_id, zone_count=row.zones) for row in rows]


def zone_names(connection: sa.Connection, project_id: str) -> list[str]:
    rows = connection.execute(
        sa.select(zones.c.name)
        .where(zones.c.deleted == LIVE, zones.c.project_id == project_id)
        .order_by(zones.c.name_key)
        .limit(MOST)
    )
    return list(rows.scalars())
