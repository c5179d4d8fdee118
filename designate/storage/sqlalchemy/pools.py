"""Pools, whose parts are read and written as a whole."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from designate import errors
from designate.model.codec import from_plain, to_plain
from designate.model.pools import AlsoNotify, CatalogZone, Nameserver, NsRecord, Pool, Target
from designate.model.query import Page, Query
from designate.model.zones import ZoneType
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing import pagination
from designate.storage.sqlalchemy.listing.pagination import Scope
from designate.storage.sqlalchemy.tables import LIVE, pools, zones

PARTS: dict[str, Any] = {
    "ns_records": tuple[NsRecord, ...],
    "nameservers": tuple[Nameserver, ...],
    "targets": tuple[Target, ...],
    "also_notifies": tuple[AlsoNotify, ...],
    "catalog_zone": CatalogZone | None,
}


def _pool(row: sa.Row[Any]) -> Pool:
    parts = {name: from_plain(hint, getattr(row, name)) for name, hint in PARTS.items()}
    return Pool(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        version=row.version,
        ns_version=row.ns_version,
        project_id=row.project_id,
        description=row.description,
        attributes=row.attributes,
        updated_at=row.updated_at,
        **parts,
    )


def _values(pool: Pool) -> dict[str, Any]:
    values = {name: to_plain(hint, getattr(pool, name)) for name, hint in PARTS.items()}
    for name in (
        "name",
        "project_id",
        "description",
        "attributes",
        "version",
        "ns_version",
        "updated_at",
    ):
        values[name] = getattr(pool, name)
    return values


def get(connection: sa.Connection, pool_id: str) -> Pool:
    """Return the pool; raise NotFound when there is none."""
    row = connection.execute(sa.select(pools).where(pools.c.id == pool_id)).first()
    if row is None:
        raise errors.NotFound("pool")
    return _pool(row)


def find(connection: sa.Connection) -> list[Pool]:
    """Return all pools, oldest first."""
    rows = connection.execute(sa.select(pools).order_by(pools.c.created_at, pools.c.id))
    return [_pool(row) for row in rows]


SORT_COLUMNS = {name: pools.c[name] for name in ("created_at", "id", "updated_at", "name")}


def page(connection: sa.Connection, query: Query, scope: Scope, *, limit: int) -> Page[Pool]:
    """Return one page of the pools without a project and of those of the scope's project."""
    visible = []
    if not scope.all_projects:
        own = pagination.of_project(pools.c.project_id, scope.project_id)
        visible.append(sa.or_(pools.c.project_id.is_(None), own))
    statement = sa.select(pools).where(*visible)
    if "name" in query.filters:
        statement = statement.where(pagination.match(pools.c.name, query.filters["name"]))
    statement = pagination.page(
        connection,
        statement,
        query,
        table=pools,
        sort_columns=SORT_COLUMNS,
        limit=limit,
        visible=visible,
    )
    return Page(items=tuple(_pool(row) for row in connection.execute(statement)))


def insert(tx: Transaction, pool: Pool) -> None:
    """Insert a pool."""
    tx.execute(sa.insert(pools).values(id=pool.id, created_at=pool.created_at, **_values(pool)))


def update(tx: Transaction, pool: Pool) -> None:
    """Store the pool as it is."""
    tx.execute(sa.update(pools).where(pools.c.id == pool.id).values(**_values(pool)))


def delete(tx: Transaction, pool_id: str) -> None:
    """Delete the pool."""
    tx.execute(sa.delete(pools).where(pools.c.id == pool_id))


def has_zones(connection: sa.Connection, pool_id: str) -> bool:
    """Return whether the pool has live zones other than its catalog zone."""
    return (
        connection.execute(
            sa.select(zones.c.id)
            .where(
                zones.c.pool_id == pool_id,
                zones.c.deleted == LIVE,
                zones.c.type != ZoneType.CATALOG,
            )
            .limit(1)
        ).first()
        is not None
    )
