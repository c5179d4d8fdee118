"""Zones, the counters of their projects, and the locks of new zones' names."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import BLOB, MOMENT, TABLE, text
from designate.storage.sqlalchemy.tables.base import ID, NAME, metadata

zones = sa.Table(
    "zones",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("project_id", ID),
    sa.Column("name", NAME, nullable=False),
    sa.Column("name_key", NAME, nullable=False),
    sa.Column("reverse_key", NAME, nullable=False),
    sa.Column("type", text(16), nullable=False),
    sa.Column("email", NAME, nullable=False),
    sa.Column("description", text(160)),
    sa.Column("ttl", sa.Integer, nullable=False),
    sa.Column("serial", sa.BigInteger, nullable=False),
    sa.Column("refresh", sa.Integer, nullable=False),
    sa.Column("retry", sa.Integer, nullable=False),
    sa.Column("expire", sa.Integer, nullable=False),
    sa.Column("minimum", sa.Integer, nullable=False),
    sa.Column("mname", NAME, nullable=False),
    # The SOA's data in wire form; its serial is 20 bytes before the end.
    sa.Column("soa_wire", BLOB, nullable=False),
    # Part of the newest content, by which nameservers are compared: "TYPE-NUMBER DIGEST-or-dash NAME".
    sa.Column("sample", text(300)),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("served_revision", sa.BigInteger, nullable=False),
    sa.Column("action", text(16), nullable=False),
    sa.Column("status", text(16), nullable=False),
    sa.Column("error", text(1000)),
    sa.Column("hard_delete", sa.Boolean, nullable=False),
    sa.Column("pending_since", MOMENT),
    # When the change was last sent to a worker, which limits the rate of periodic recovery.
    sa.Column("sent_at", MOMENT),
    sa.Column("pool_id", ID, nullable=False),
    # The pool's ns_version that the apex NS set was built from; a sweep updates older ones.
    sa.Column("ns_version", sa.Integer, nullable=False),
    sa.Column("parent_zone_id", ID, sa.ForeignKey("zones.id", ondelete="SET NULL")),
    sa.Column("attributes", sa.JSON, nullable=False),
    sa.Column("masters", sa.JSON, nullable=False),
    sa.Column("transferred_at", MOMENT),
    # For secondary zones only. The primary's serial of the content; null: nothing was transferred yet.
    sa.Column("primary_serial", sa.BigInteger),
    # When the primaries are queried next, and when the content expires (RFC 1034 section 4.3.5).
    sa.Column("refresh_at", MOMENT),
    sa.Column("expires_at", MOMENT),
    # When it expired, and whether the pool's nameservers were proven to have dropped it.
    sa.Column("expired_at", MOMENT),
    sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("recordset_count", sa.Integer, nullable=False),
    # Records of unmanaged recordsets: what the quota counts.
    sa.Column("record_count", sa.Integer, nullable=False),
    sa.Column("shard", sa.Integer, nullable=False),
    # End of the newest audit period for which the zone's existence notification was claimed.
    sa.Column("audited_until", MOMENT),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    # LIVE, or the zone's own id after soft deletion, so that the name can be used again.
    sa.Column("deleted", ID, nullable=False),
    sa.Column("deleted_at", MOMENT),
    sa.UniqueConstraint("name_key", "deleted", "pool_id"),
    **TABLE,
)

for _columns in (
    ("deleted", "reverse_key"),
    ("deleted", "created_at", "id"),
    ("deleted", "name_key", "id"),
    ("deleted", "status", "pending_since"),
    ("deleted", "deleted_at"),
    ("deleted", "refresh_at"),
    ("deleted", "expires_at"),
    ("project_id", "deleted", "created_at", "id"),
    ("project_id", "deleted", "updated_at", "id"),
    ("project_id", "deleted", "name_key", "id"),
    ("project_id", "deleted", "serial", "id"),
    ("project_id", "deleted", "ttl", "id"),
    ("project_id", "deleted", "status", "id"),
    ("project_id", "deleted", "email"),
    # The only index with recordset_count, which sums of it read alone.
    ("project_id", "deleted", "recordset_count"),
    ("pool_id", "deleted", "ns_version"),
    ("parent_zone_id",),
):
    sa.Index(f"ix_zones_{'_'.join(_columns)}", *(zones.c[name] for name in _columns))

# How many live zones a project owns. Its row lock makes the zone quota exact, and it is the count of the
# unfiltered zone list.
project_usage = sa.Table(
    "project_usage",
    metadata,
    sa.Column("project_id", ID, primary_key=True),
    sa.Column("zones", sa.Integer, nullable=False),
    **TABLE,
)

# One row per registered domain (the last two labels), written while a zone below it is created, because
# ownership of parents and children spans pools and projects. It is written and not only locked: nodes of a
# Galera cluster do not see each other's locks, but refuse the second of two writes.
namespaces = sa.Table(
    "namespaces",
    metadata,
    sa.Column("name_key", NAME, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    **TABLE,
)
