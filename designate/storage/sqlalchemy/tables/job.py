"""Imports and exports."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import BLOB, MOMENT, TABLE, text
from designate.storage.sqlalchemy.tables.base import ID, metadata

# Imports and exports: jobs that survive the process that runs them.
zone_tasks = sa.Table(
    "zone_tasks",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("task_type", text(8), nullable=False),
    sa.Column("project_id", ID, nullable=False),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE")),
    sa.Column("status", text(16), nullable=False),
    sa.Column("message", text(160)),
    sa.Column("location", text(160)),
    # Of imports: the first faults of the file, and how many records are outside the zone.
    sa.Column("faults", sa.JSON, nullable=False),
    sa.Column("skipped_count", sa.Integer, nullable=False),
    # The plain form of the requester's context, which the job uses.
    sa.Column("context", sa.JSON, nullable=False),
    sa.Column("attributes", sa.JSON, nullable=False),
    # Until when the job is claimed by the process that runs it; after that any process may restart it.
    sa.Column("claimed_until", MOMENT),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_zone_tasks_zone_id", "zone_id"),
    sa.Index("ix_zone_tasks_project_id", "project_id", "task_type", "created_at", "id"),
    sa.Index("ix_zone_tasks_status", "status", "claimed_until"),
    **TABLE,
)

# The zone file of a task, compressed; in its own table so that lists do not read it.
zone_task_files = sa.Table(
    "zone_task_files",
    metadata,
    sa.Column("task_id", ID, sa.ForeignKey("zone_tasks.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("content", BLOB, nullable=False),
    **TABLE,
)
