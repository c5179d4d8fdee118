"""Shares of zones, and their transfers between projects."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from designate.model.ownership import Share, TransferAccept, TransferRequest
from designate.storage.sqlalchemy import shared_zone_counts
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.db.rows import Rows
from designate.storage.sqlalchemy.tables import (
    LIVE,
    recordsets,
    shared_zones,
    transfer_accepts,
    transfer_requests,
    zones,
)

DATES = ("created_at", "id", "updated_at")
SHARES = Rows(
    Share,
    shared_zones,
    "shared_zone",
    sort_keys=("created_at", "updated_at"),
    filters=("target_project_id",),
)
_REQUESTS = sa.select(transfer_requests, zones.c.name.label("zone_name")).join_from(
    transfer_requests, zones, zones.c.id == transfer_requests.c.zone_id
)


def _requests(select: sa.Select[Any]) -> Rows[TransferRequest]:
    return Rows(
        TransferRequest,
        transfer_requests,
        "zone_transfer_request",
        sort_keys=DATES,
        filters=("status",),
        select=select,
    )


REQUESTS = _requests(_REQUESTS.where(zones.c.deleted == LIVE))
# Also those whose zone was deleted and is not purged yet.
ALL_REQUESTS = _requests(_REQUESTS)
ACCEPTS = Rows(
    TransferAccept,
    transfer_accepts,
    "zone_transfer_accept",
    sort_keys=DATES,
    filters=("status",),
)


def has_recordsets(connection: sa.Connection, zone_id: str, project_id: str) -> bool:
    """Whether the project has recordsets of its own in the zone."""
    statement = sa.select(recordsets.c.id).where(
        recordsets.c.zone_id == zone_id, recordsets.c.project_id == project_id
    )
    return connection.execute(statement.limit(1)).first() is not None


def has_child_zones(connection: sa.Connection, zone_id: str, project_id: str) -> bool:
    """Whether the project owns zones directly below the zone."""
    statement = sa.select(zones.c.id).where(
        zones.c.parent_zone_id == zone_id,
        zones.c.project_id == project_id,
        zones.c.deleted == LIVE,
    )
    return connection.execute(statement.limit(1)).first() is not None


def delete_shares(tx: Transaction, zone_id: str) -> None:
    tx.execute(sa.delete(shared_zones).where(shared_zones.c.zone_id == zone_id))


def count_wrong_key(tx: Transaction, request_id: str) -> None:
    """Count a wrong key."""
    tx.execute(
        sa.update(transfer_requests)
        .where(transfer_requests.c.id == request_id)
        .values(refusals=transfer_requests.c.refusals + 1)
    )


def wrong_key_count(connection: sa.Connection, request_id: str) -> int:
    """Wrong keys so far."""
    statement = sa.select(transfer_requests.c.refusals).where(transfer_requests.c.id == request_id)
    return int(connection.execute(statement).scalar() or 0)


def change_owner(tx: Transaction, zone_id: str, old: str | None, project_id: str) -> None:
    """Every recordset of the zone becomes the project's, and so do the shares that the old owner made:
    whoever owns a zone can see and end them. What was shared with the project is its own now."""
    here = shared_zones.c.zone_id == zone_id
    again = sa.select(shared_zones.c.target_project_id).where(
        here, shared_zones.c.project_id == project_id
    )
    twice = sa.and_(
        shared_zones.c.project_id == old,
        shared_zones.c.target_project_id.in_(tx.execute(again).scalars().all()),
    )
    mine = shared_zones.c.target_project_id == project_id
    tx.execute(sa.delete(shared_zones).where(here, sa.or_(mine, twice)))
    tx.execute(
        sa.update(shared_zones)
        .where(here, shared_zones.c.project_id == old)
        .values(project_id=project_id)
    )
    tx.execute(
        sa.update(recordsets).where(recordsets.c.zone_id == zone_id).values(project_id=project_id)
    )
    shared_zone_counts.clear(tx, zone_id)
