"""TSIG keys."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import MOMENT, TABLE, text
from designate.storage.sqlalchemy.tables.base import ID, metadata

tsigkeys = sa.Table(
    "tsigkeys",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", text(160), nullable=False, unique=True),
    sa.Column("name_key", text(160), nullable=False, server_default=sa.text("''")),
    sa.Column("algorithm", text(16), nullable=False),
    sa.Column("secret", text(160), nullable=False),
    sa.Column("scope", text(8), nullable=False),
    # The id of a pool or a zone, depending on the scope.
    sa.Column("resource_id", ID, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_tsigkeys_created_at_id", "created_at", "id"),
    sa.Index("ix_tsigkeys_resource_id", "resource_id"),
    sa.Index("ix_tsigkeys_name_key", "name_key"),
    **TABLE,
)
