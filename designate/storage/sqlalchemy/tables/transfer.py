"""Requests and accepts of zone transfers between projects."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import MOMENT, TABLE, text
from designate.storage.sqlalchemy.tables.base import ID, metadata

transfer_requests = sa.Table(
    "zone_transfer_requests",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("project_id", ID, nullable=False),
    sa.Column("target_project_id", ID),
    sa.Column("key", text(32), nullable=False),
    sa.Column("description", text(160)),
    sa.Column("status", text(16), nullable=False),
    # The zone's id while the request is active, so that no zone has two active requests.
    sa.Column("active_zone_id", ID, unique=True),
    # Number of wrong keys that were given.
    sa.Column("refusals", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_zone_transfer_requests_zone_id", "zone_id"),
    sa.Index("ix_zone_transfer_requests_project_id", "project_id", "created_at", "id"),
    sa.Index("ix_zone_transfer_requests_target_project_id", "target_project_id"),
    **TABLE,
)

transfer_accepts = sa.Table(
    "zone_transfer_accepts",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
    sa.Column(
        "zone_transfer_request_id",
        ID,
        sa.ForeignKey("zone_transfer_requests.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("project_id", ID, nullable=False),
    sa.Column("status", text(16), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_zone_transfer_accepts_zone_id", "zone_id"),
    sa.Index("ix_zone_transfer_accepts_request", "zone_transfer_request_id"),
    sa.Index("ix_zone_transfer_accepts_project_id", "project_id", "created_at", "id"),
    **TABLE,
)
