"""Shares of zones with other projects."""

from __future__ import annotations

import sqlalchemy as sa

from designate.model.shares import Share
from designate.storage.sqlalchemy.db.rows import Rows
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import LIVE, recordsets, shared_zones, zones

SHARES = Rows(
    Share,
    shared_zones,
    "shared_zone",
    sort_keys=("created_at", "updated_at"),
    filters=("target_project_id",),
)


def has_recordsets(connection: sa.Connection, zone_id: str, project_id: str) -> bool:
    """Return whether the project has recordsets of its own in the zone."""
    statement = sa.select(recordsets.c.id).where(
        recordsets.c.zone_id == zone_id, recordsets.c.project_id == project_id
    )
    return connection.execute(statement.limit(1)).first() is not None


def has_child_zones(connection: sa.Connection, zone_id: str, project_id: str) -> bool:
    """Return whether the project owns zones directly below the zone."""
    statement = sa.select(zones.c.id).where(
        zones.c.parent_zone_id == zone_id,
        zones.c.project_id == project_id,
        zones.c.deleted == LIVE,
    )
    return connection.execute(statement.limit(1)).first() is not None


def delete_of_zone(tx: Transaction, zone_id: str) -> None:
    """Delete all shares of the zone."""
    tx.execute(sa.delete(shared_zones).where(shared_zones.c.zone_id == zone_id))


def change_owner(tx: Transaction, zone_id: str, before: str | None, after: str) -> None:
    """Hand the shares that the zone's old owner made to its new owner, who can then end them.

    Shares with the new owner are deleted: the zone is its own now.

    Args:
        tx: The transaction, which holds the zone.
        zone_id: The zone.
        before: The project that owned it.
        after: The project that owns it now.
    """
    of_zone = shared_zones.c.zone_id == zone_id
    already_shared = sa.select(shared_zones.c.target_project_id).where(
        of_zone, shared_zones.c.project_id == after
    )
    duplicates = sa.and_(
        shared_zones.c.project_id == before,
        shared_zones.c.target_project_id.in_(tx.execute(already_shared).scalars().all()),
    )
    with_new_owner = shared_zones.c.target_project_id == after
    tx.execute(sa.delete(shared_zones).where(of_zone, sa.or_(with_new_owner, duplicates)))
    tx.execute(
        sa.update(shared_zones)
        .where(of_zone, shared_zones.c.project_id == before)
        .values(project_id=after)
    )
