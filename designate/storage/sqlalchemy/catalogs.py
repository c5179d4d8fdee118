"""Members of catalog zones: what a pool's catalog has, should have, and has too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from designate.model.zones import Action, ZoneId, ZoneType
from designate.storage.sqlalchemy import tsigkeys
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.tables import LIVE, moved_zones, recordsets, zones

# What each catalog zone holds besides its members: SOA, NS, and the version (RFC 9432 section 4.1).
APEX_RECORDSETS = 3


@dataclass(frozen=True, slots=True)
class CatalogMember:
    """The PTR recordset of a catalog zone's member. wire: as stored."""

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
# Moved to another pool, and kept in this one until that serves them.
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
    """The live catalog zone of this name in the pool."""
    values = {"name": name.lower(), "pool": pool_id}
    found = connection.execute(_FIND, values).scalar_one_or_none()
    return None if found is None else ZoneId(found)


def has_expected_size(connection: sa.Connection, pool_id: str, catalog_id: str) -> bool:
    """Whether the catalog has as many members as it should: the cheap look before the thorough one."""
    values = {"pool": pool_id, "catalog": catalog_id}
    wanted, there = connection.execute(_COUNT, values).one()
    return bool(wanted + APEX_RECORDSETS == there)


def find_missing(
    connection: sa.Connection, pool_id: str, catalog_id: str, suffix: str, limit: int
) -> list[tuple[ZoneId, str]]:
    """(id, name) of the pool's zones that are no members. suffix: of members' lower-case names, behind
    the zone's id."""
    values = {"pool": pool_id, "catalog": catalog_id, "suffix": suffix, "limit": limit}
    return [(ZoneId(row.id), row.name) for row in connection.execute(_MISSING, values)]


def find_surplus(
    connection: sa.Connection, pool_id: str, catalog_id: str, suffix: str, limit: int
) -> list[CatalogMember]:
    """Members whose zones have gone or belong to another pool, which serves them."""
    values = {"pool": pool_id, "catalog": catalog_id, "suffix": suffix, "limit": limit}
    return [CatalogMember(row.id, row.wire) for row in connection.execute(_SURPLUS, values)]


def find_member(connection: sa.Connection, catalog_id: str, name: str) -> CatalogMember | None:
    row = connection.execute(_MEMBER, {"catalog": catalog_id, "name": name.lower()}).first()
    return None if row is None else CatalogMember(row.id, row.wire)


def delete_members(tx: Transaction, members: Sequence[CatalogMember]) -> None:
    tx.execute(sa.delete(recordsets).where(recordsets.c.id.in_([one.id for one in members])))


delete_zone_tsigkeys = tsigkeys.delete_of_zone
