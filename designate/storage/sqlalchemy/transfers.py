"""Transfers of zones between projects: requests and accepts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from designate.model.transfers import TransferAccept, TransferRequest
from designate.storage.sqlalchemy import shared_zone_counts, shares
from designate.storage.sqlalchemy.db.rows import DATES, Rows
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import (
    LIVE,
    recordsets,
    transfer_accepts,
    transfer_requests,
    zones,
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
# Also those whose zone is soft-deleted and not purged yet.
ALL_REQUESTS = _requests(_REQUESTS)
ACCEPTS = Rows(
    TransferAccept,
    transfer_accepts,
    "zone_transfer_accept",
    sort_keys=DATES,
    filters=("status",),
)


def count_wrong_key(tx: Transaction, request_id: str) -> None:
    """Add one to the number of wrong keys that were given for a request."""
    tx.execute(
        sa.update(transfer_requests)
        .where(transfer_requests.c.id == request_id)
        .values(refusals=transfer_requests.c.refusals + 1)
    )


def wrong_key_count(connection: sa.Connection, request_id: str) -> int:
    """Return how many wrong keys were given for a request."""
    statement = sa.select(transfer_requests.c.refusals).where(transfer_requests.c.id == request_id)
    return int(connection.execute(statement).scalar() or 0)


def change_owner(tx: Transaction, zone_id: str, before: str | None, after: str) -> None:
    """Give the zone's recordsets and the shares that its old owner made to its new owner.

    Args:
        tx: The transaction, which holds the zone.
        zone_id: The zone.
        before: The project that owned it.
        after: The project that owns it now.
    """
    shares.change_owner(tx, zone_id, before, after)
    tx.execute(
        sa.update(recordsets).where(recordsets.c.zone_id == zone_id).values(project_id=after)
    )
    shared_zone_counts.clear(tx, zone_id)
