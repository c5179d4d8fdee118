"""Counts of recordsets per project in other projects' zones.

A list across zones is counted by adding up the recordset counters of a project's zones instead of
counting every recordset. Recordsets that other projects have in its zones, and those that it has in theirs,
are counted here. They are rare, so that a recordset in a project's own zone costs nothing extra.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from designate.model.zones import Zone
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.db.upsert import insert_or_add
from designate.storage.sqlalchemy.listing import pagination
from designate.storage.sqlalchemy.listing.pagination import Scope
from designate.storage.sqlalchemy.tables import LIVE, recordsets, shared_recordset_counts, zones

# Stands for recordsets and zones without a project.
NO_PROJECT = ""


def adjust(tx: Transaction, zone: Zone, project_id: str | None, change: int) -> None:
    """Add to the project's number of recordsets in the zone, which this transaction has locked."""
    if project_id != zone.project_id and change:
        tx.execute_unflushed(
            insert_or_add(tx.dialect, shared_recordset_counts, "recordsets"),
            {
                "zone_id": zone.id,
                "project_id": project_id or NO_PROJECT,
                "owner_id": zone.project_id or NO_PROJECT,
                "recordsets": change,
            },
        )


def clear(tx: Transaction, zone_id: str) -> None:
    """Delete the zone's counts: it is deleted, or all its recordsets are its owner's."""
    tx.execute(
        sa.delete(shared_recordset_counts).where(shared_recordset_counts.c.zone_id == zone_id)
    )


def recount(tx: Transaction, zone: Zone) -> None:
    """Count again after many recordsets were deleted; one statement where there are no counts."""
    existing = sa.select(shared_recordset_counts.c.zone_id).where(
        shared_recordset_counts.c.zone_id == zone.id
    )
    if tx.execute(existing.limit(1)).first() is None:
        return
    clear(tx, zone.id)
    counted: sa.Select[Any] = (
        sa.select(recordsets.c.project_id, sa.func.count().label("number"))
        .where(recordsets.c.zone_id == zone.id)
        .group_by(recordsets.c.project_id)
    )
    for row in tx.execute(counted).all():
        adjust(tx, zone, row.project_id, row.number)


def count_recordsets(scope: Scope) -> sa.Select[Any]:
    """Return a select of the number of the scope's recordsets in live zones."""
    if not scope.all_projects and scope.project_id is None:
        return sa.select(sa.literal(0))
    own = _sum(zones.c.recordset_count).where(zones.c.deleted == LIVE)
    own = pagination.with_index_hint(own, zones, "project_id", "deleted", "recordset_count")
    if scope.all_projects:
        return own
    own = own.where(zones.c.project_id == scope.project_id)
    shared = _sum(shared_recordset_counts.c.recordsets)
    by_others = shared.where(shared_recordset_counts.c.owner_id == scope.project_id)
    elsewhere = shared.where(shared_recordset_counts.c.project_id == scope.project_id)
    number: sa.ColumnElement[Any] = own.scalar_subquery() - by_others.scalar_subquery()
    return sa.select(number + elsewhere.scalar_subquery())


def _sum(column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(sa.func.coalesce(sa.func.sum(column), 0))
