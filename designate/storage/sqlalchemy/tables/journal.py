"""The journal of zone changes, and parts of transfers in."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import BLOB, MOMENT, TABLE
from designate.storage.sqlalchemy.tables.base import ID, metadata

zone_journal = sa.Table(
    "zone_journal",
    metadata,
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("from_serial", sa.BigInteger, nullable=False),
    sa.Column("to_serial", sa.BigInteger, nullable=False),
    sa.Column("deleted_count", sa.Integer, nullable=False),
    sa.Column("added_count", sa.Integer, nullable=False),
    # Old SOA, deleted RRs, new SOA, added RRs; null: not stored, transfer the whole zone.
    sa.Column("payload", BLOB),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Index("ix_zone_journal_zone_id_from_serial", "zone_id", "from_serial"),
    sa.Index("ix_zone_journal_zone_id_to_serial", "zone_id", "to_serial"),
    sa.Index("ix_zone_journal_created_at", "created_at"),
    **TABLE,
)

# Parts of transfers in that are too large for one message, until the transfer is stored or abandoned.
inbound_chunks = sa.Table(
    "inbound_chunks",
    metadata,
    sa.Column("transfer_id", ID, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("content", BLOB, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Index("ix_inbound_chunks_zone_id", "zone_id"),
    sa.Index("ix_inbound_chunks_created_at", "created_at"),
    **TABLE,
)
