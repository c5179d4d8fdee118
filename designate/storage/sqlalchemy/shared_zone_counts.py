"""How many recordsets projects have in the zones of others.

A list across zones is counted by adding up what a project's zones hold, as their rows tell, instead of
every recordset. What others have in its zones, and what it has in theirs, is counted apart: it is
seldom, so that making a recordset of one's own zone costs nothing for it.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from designate.model.zones import Zone
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.db.upsert import adding
from designate.storage.sqlalchemy.listing import pagination as queries
from designate.storage.sqlalchemy.listing.pagination import Scope
from designate.storage.sqlalchemy.tables import LIVE, recordsets, shared_recordset_counts, zones

# Stands for no project.
NOBODY = ""


def adjust(tx: Transaction, zone: Zone, project_id: str | None, change: int) -> None:
    """The project has so many more recordsets in the zone, which this transaction holds."""
    if project_id != zone.project_id and change:
        tx.execute_unflushed(
            adding(tx.dialect, shared_recordset_counts, "recordsets"),
            {
                "zone_id": zone.id,
                "project_id": project_id or NOBODY,
                "owner_id": zone.project_id or NOBODY,
                "recordsets": change,
            },
        )


def clear(tx: Transaction, zone_id: str) -> None:
    """The zone is gone, or all it holds is its owner's."""
    tx.execute(
        sa.delete(shared_recordset_counts).where(shared_recordset_counts.c.zone_id == zone_id)
    )


def recount(tx: Transaction, zone: Zone) -> None:
    """After recordsets were taken away, whosever they were. Costs nothing without guests."""
    there = sa.select(shared_recordset_counts.c.zone_id).where(
        shared_recordset_counts.c.zone_id == zone.id
    )
    if tx.execute(there.limit(1)).first() is None:
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
    """How many recordsets the scope's project has in live zones."""
    if not scope.all_projects and scope.project_id is None:
        return sa.select(sa.literal(0))
    own = _sum(zones.c.recordset_count).where(zones.c.deleted == LIVE)
    own = queries.by_index(own, zones, "project_id", "deleted", "recordset_count")
    if scope.all_projects:
        return own
    own = own.where(zones.c.project_id == scope.project_id)
    guests = _sum(shared_recordset_counts.c.recordsets)
    theirs = guests.where(shared_recordset_counts.c.owner_id == scope.project_id)
    elsewhere = guests.where(shared_recordset_counts.c.project_id == scope.project_id)
    number: sa.ColumnElement[Any] = own.scalar_subquery() - theirs.scalar_subquery()
    return sa.select(number + elsewhere.scalar_subquery())


def _sum(column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(sa.func.coalesce(sa.func.sum(column), 0))
