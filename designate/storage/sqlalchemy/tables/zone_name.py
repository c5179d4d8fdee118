"""TLDs and blacklists, which limit the names of zones."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import MOMENT, TABLE, text
from designate.storage.sqlalchemy.tables.base import ID, NAME, metadata

tlds = sa.Table(
    "tlds",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", NAME, nullable=False),
    sa.Column("name_key", NAME, nullable=False, unique=True),
    sa.Column("description", text(160)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_tlds_created_at_id", "created_at", "id"),
    **TABLE,
)

blacklists = sa.Table(
    "blacklists",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("pattern", NAME, nullable=False, unique=True),
    sa.Column("description", text(160)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_blacklists_created_at_id", "created_at", "id"),
    **TABLE,
)
