"""Shares of zones."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import MOMENT, TABLE
from designate.storage.sqlalchemy.tables.base import ID, metadata

shared_zones = sa.Table(
    "shared_zones",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("project_id", ID, nullable=False),
    sa.Column("target_project_id", ID, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.UniqueConstraint("zone_id", "project_id", "target_project_id"),
    sa.Index("ix_shared_zones_target", "target_project_id", "zone_id"),
    **TABLE,
)
