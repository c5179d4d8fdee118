"""Quotas of projects."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import TABLE, text
from designate.storage.sqlalchemy.tables.base import ID, metadata

quotas = sa.Table(
    "quotas",
    metadata,
    sa.Column("project_id", ID, primary_key=True),
    sa.Column("resource", text(32), primary_key=True),
    sa.Column("hard_limit", sa.Integer, nullable=False),
    **TABLE,
)
