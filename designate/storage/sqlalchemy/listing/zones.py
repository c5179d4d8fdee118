"""Lists of zones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from designate import errors
from designate.model.query import Page, Query
from designate.model.zones import Zone, ZoneType
from designate.storage.sqlalchemy.db.json_rows import JsonRows
from designate.storage.sqlalchemy.listing import pagination
from designate.storage.sqlalchemy.listing.pagination import Condition, Scope
from designate.storage.sqlalchemy.tables import LIVE, project_usage, shared_zones, zones
from designate.storage.sqlalchemy.zone_rows import API_COLUMNS, SHARED, from_row

SORT_COLUMNS = {
    "created_at": zones.c.created_at,
    "id": zones.c.id,
    "updated_at": zones.c.updated_at,
    "name": zones.c.name_key,
    "tenant_id": zones.c.project_id,
    "serial": zones.c.serial,
    "ttl": zones.c.ttl,
    "status": zones.c.status,
}
ROWS = JsonRows(*API_COLUMNS, SHARED)
MAX_SHARES = 10_000


def _filters(query: Query) -> list[Condition]:
    conditions: list[Condition] = []
    for name, value in query.filters.items():
        if name == "name":
            conditions.append(pagination.match_name(zones, value))
        elif name == "ttl":
            conditions.append(pagination.match_integer(zones.c.ttl, value))
        elif name == "email":
            # Of one project: the index of the emails is read from one end to the other.
            conditions.append(pagination.match(sa.func.lower(zones.c.email), value.lower()))
        elif name in ("type", "status", "description"):
            conditions.append(pagination.match(zones.c[name], value))
        else:
            raise errors.BadRequest(f"Invalid filters {name}")
    return conditions


def find(
    connection: sa.Connection, query: Query, scope: Scope, *, limit: int, catalogs: bool
) -> Page[Zone]:
    """Return one page of the zones that the scope may see, in at most five statements.

    Zones that are being deleted are included.

    Args:
        connection: A connection that reads one snapshot.
        query: Filters, order and marker.
        scope: Whose zones.
        limit: The largest number of zones.
        catalogs: Whether catalog zones are included.
    """
    if not scope.all_projects and scope.project_id is None:
        return Page(items=(), total_count=0)
    shared_ids = _shared_ids(connection, scope)
    visible: list[Condition] = [zones.c.deleted == LIVE]
    if not catalogs:
        visible.append(zones.c.type != ZoneType.CATALOG)
    if not scope.all_projects:
        visible.append(
            sa.or_(zones.c.project_id == scope.project_id, zones.c.id.in_(shared_ids))
            if shared_ids
            else zones.c.project_id == scope.project_id
        )
    conditions = [*visible, *_filters(query)]
    dialect = connection.dialect.name
    if query.filters or shared_ids:
        count: sa.Select[Any] = sa.select(sa.func.count()).select_from(zones).where(*conditions)
    else:
        count = _count_owned(scope)
    total = int(connection.execute(count).scalar_one())
    few = bool(query.filters) and total <= pagination.FEW
    if few:
        # Without the ids MariaDB would walk the whole index of the order.
        found = sa.select(zones.c.id).where(*conditions)
        ids = connection.execute(found).scalars().all() if total else ()
        conditions = [zones.c.id.in_(ids)]
    statement = sa.select(*ROWS.columns(dialect)).where(*conditions)
    column = SORT_COLUMNS.get(query.sort_key)
    if column is not None and not query.filters and not shared_ids:
        owner = () if scope.all_projects else ("project_id",)
        statement = pagination.with_index_hint(
            statement, zones, *owner, "deleted", column.name, "id"
        )
    statement = pagination.page(
        connection,
        statement,
        query,
        table=zones,
        sort_columns=SORT_COLUMNS,
        limit=limit,
        visible=visible,
        few=few,
    )
    rows = ROWS.rows(connection.execute(statement), dialect)
    return Page(items=tuple(from_row(row) for row in rows), total_count=total)


def _shared_ids(connection: sa.Connection, scope: Scope) -> Sequence[str]:
    """Return the ids of the zones that are shared with the scope's project."""
    if scope.all_projects:
        return ()
    return (
        connection.execute(
            sa.select(shared_zones.c.zone_id)
            .where(shared_zones.c.target_project_id == scope.project_id)
            .limit(MAX_SHARES)
        )
        .scalars()
        .all()
    )


def _count_owned(scope: Scope) -> sa.Select[Any]:
    """Return a select of the number of the scope's own zones, from the counters of projects."""
    count = sa.select(sa.func.coalesce(sa.func.sum(project_usage.c.zones), 0))
    if scope.all_projects:
        return count
    return count.where(project_usage.c.project_id == scope.project_id)
