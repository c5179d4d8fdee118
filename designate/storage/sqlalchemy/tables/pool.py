"""Pools, and stale copies of zones that were moved between them."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import MOMENT, TABLE, text
from designate.storage.sqlalchemy.tables.base import ID, NAME, metadata

pools = sa.Table(
    "pools",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", text(50), nullable=False, unique=True),
    sa.Column("project_id", ID),
    sa.Column("description", text(160)),
    sa.Column("attributes", sa.JSON, nullable=False),
    # Lists of plain data from the model's codec, always read and written as a whole.
    sa.Column("ns_records", sa.JSON, nullable=False),
    sa.Column("nameservers", sa.JSON, nullable=False),
    sa.Column("targets", sa.JSON, nullable=False),
    sa.Column("also_notifies", sa.JSON, nullable=False),
    sa.Column("catalog_zone", sa.JSON(none_as_null=True)),
    # Grows with every change of ns_records.
    sa.Column("ns_version", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    **TABLE,
)

# Stale copies of zones in the pools that they were moved out of. revision: the zone's revision that its
# new pool must serve first; served_at: when it was found to do so.
moved_zones = sa.Table(
    "moved_zones",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("zone_id", ID, nullable=False),
    sa.Column("name", NAME, nullable=False),
    sa.Column("type", text(16), nullable=False),
    sa.Column("pool_id", ID, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("shard", sa.Integer, nullable=False),
    sa.Column("served_at", MOMENT),
    sa.Column("sent_at", MOMENT),
    sa.UniqueConstraint("zone_id", "pool_id"),
    **TABLE,
)
