"""Members of catalog zones: those that a pool's catalog has, lacks, and has in excess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from designate.model.zones import Action, ZoneId, ZoneType
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import LIVE, moved_zones, recordsets, zones

# The recordsets of each catalog zone besides its members: SOA, NS and version (RFC 9432 section 4.1).
APEX_RECORDSETS = 3


@dataclass(frozen=True, slots=True)
class CatalogMember:
    """The PTR recordset of a catalog zone's member, with its stored wire form."""

    id: str
    wire: bytes


_POOL: sa.BindParameter[str] = sa.bindparam("pool")
_CATALOG: sa.BindParameter[str] = sa.bindparam("catalog")
_IN_POOL = (
    zones.c.pool_id == _POOL,
    zones.c.deleted == LIVE,
    zones.c.type != ZoneType.CATALOG,
    zones.c.action != Action.DELETE,
)
_OF_CATALOG = (recordsets.c.zone_id == _CATALOG, recordsets.c.type == "PTR")
_FIND = sa.select(zones.c.id).where(
    zones.c.name_key == sa.bindparam("name"),
    zones.c.deleted == LIVE,
    zones.c.pool_id == _POOL,
    zones.c.type == ZoneType.CATALOG,
)
# Zones that were moved to another pool and stay in this one until the other serves them.
_STAYING = (moved_zones.c.pool_id == _POOL, moved_zones.c.sent_at.is_(None))
_COUNT = sa.select(
    sa.select(sa.func.count()).select_from(zones).where(*_IN_POOL).scalar_subquery()
    + sa.select(sa.func.count()).select_from(moved_zones).where(*_STAYING).scalar_subquery(),
    sa.select(zones.c.recordset_count).where(zones.c.id == _CATALOG).scalar_subquery(),
)
_MISSING = (
    sa.select(zones.c.id, zones.c.name)
    .where(
        *_IN_POOL,
        ~sa.exists().where(
            *_OF_CATALOG, recordsets.c.name_key == zones.c.id + sa.bindparam("suffix")
        ),
    )
    .order_by(zones.c.created_at)
    .limit(sa.bindparam("limit"))
)
_SURPLUS = (
    sa.select(recordsets.c.id, recordsets.c.wire)
    .where(
        *_OF_CATALOG,
        ~sa.exists().where(*_IN_POOL, zones.c.id + sa.bindparam("suffix") == recordsets.c.name_key),
        ~sa.exists().where(
            *_STAYING, moved_zones.c.zone_id + sa.bindparam("suffix") == recordsets.c.name_key
        ),
    )
    .limit(sa.bindparam("limit"))
)
_MEMBER = sa.select(recordsets.c.id, recordsets.c.wire).where(
    *_OF_CATALOG, recordsets.c.name_key == sa.bindparam("name")
)


def find(connection: sa.Connection, pool_id: str, name: str) -> ZoneId | None:
    """Return the live catalog zone of this name in the pool; None: there is none."""
    values = {"name": name.lower(), "pool": pool_id}
    found = connection.execute(_FIND, values).scalar_one_or_none()
    return None if found is None else ZoneId(found)


def has_expected_size(connection: sa.Connection, pool_id: str, catalog_id: str) -> bool:
    """Return whether the catalog has as many members as the pool has zones, a cheap check."""
    values = {"pool": pool_id, "catalog": catalog_id}
    expected, recordset_count = connection.execute(_COUNT, values).one()
    return bool(expected + APEX_RECORDSETS == recordset_count)


def find_missing(
    connection: sa.Connection, pool_id: str, catalog_id: str, suffix: str, limit: int
) -> list[tuple[ZoneId, str]]:
    """Return (id, name) of the pool's zones that are not members.

    Args:
        connection: A connection that reads.
        pool_id: The pool.
        catalog_id: Its catalog zone.
        suffix: What follows the zone's id in the members' lower-case names.
        limit: The largest number of zones.
    """
    values = {"pool": pool_id, "catalog": catalog_id, "suffix": suffix, "limit": limit}
    return [(ZoneId(row.id), row.name) for row in connection.execute(_MISSING, values)]


def find_surplus(
    connection: sa.Connection, pool_id: str, catalog_id: str, suffix: str, limit: int
) -> list[CatalogMember]:
    """Return members whose zones are deleted or served by another pool; arguments: find_missing."""
    values = {"pool": pool_id, "catalog": catalog_id, "suffix": suffix, "limit": limit}
    return [CatalogMember(row.id, row.wire) for row in connection.execute(_SURPLUS, values)]


def find_member(connection: sa.Connection, catalog_id: str, name: str) -> CatalogMember | None:
    """Return the member at this name; None: there is none."""
    row = connection.execute(_MEMBER, {"catalog": catalog_id, "name": name.lower()}).first()
    return None if row is None else CatalogMember(row.id, row.wire)


def delete_members(tx: Transaction, members: Sequence[CatalogMember]) -> None:
    """Delete the members' recordsets."""
    tx.execute(sa.delete(recordsets).where(recordsets.c.id.in_([member.id for member in members])))
