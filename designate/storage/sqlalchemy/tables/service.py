"""Service statuses and leases of processes."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import MOMENT, TABLE, text
from designate.storage.sqlalchemy.tables.base import ID, NAME, metadata

service_statuses = sa.Table(
    "service_statuses",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("service_name", text(40), nullable=False),
    sa.Column("hostname", NAME, nullable=False),
    sa.Column("status", text(16), nullable=False),
    sa.Column("stats", sa.JSON, nullable=False),
    sa.Column("capabilities", sa.JSON, nullable=False),
    sa.Column("heartbeated_at", MOMENT),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.UniqueConstraint("service_name", "hostname"),
    **TABLE,
)

# Members of groups of processes. Each member renews its row, and removes expired ones.
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", text(100), primary_key=True),
    sa.Column("owner", NAME, primary_key=True),
    sa.Column("expires_at", MOMENT, nullable=False),
    sa.Index("ix_leases_expires_at", "expires_at"),
    **TABLE,
)

# The generation of a group grows whenever its members change. It is the fencing token by which work on
# shards that were reassigned is refused.
lease_groups = sa.Table(
    "lease_groups",
    metadata,
    sa.Column("name", text(100), primary_key=True),
    sa.Column("generation", sa.BigInteger, nullable=False),
    **TABLE,
)
