"""Recordsets, their records, and counts of recordsets in other projects' zones."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import BLOB, MOMENT, TABLE, TEXT, text
from designate.storage.sqlalchemy.tables.base import DATA_KEY_LENGTH, ID, NAME, metadata

recordsets = sa.Table(
    "recordsets",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("project_id", ID),
    sa.Column("name", NAME, nullable=False),
    sa.Column("name_key", NAME, nullable=False),
    sa.Column("reverse_key", NAME, nullable=False),
    sa.Column("type", text(16), nullable=False),
    sa.Column("ttl", sa.Integer),
    sa.Column("description", text(160)),
    sa.Column("texts", sa.JSON, nullable=False),
    # Empty for the SOA: its data is in the zone's row and changes with every revision.
    sa.Column("wire", BLOB, nullable=False),
    sa.Column("record_count", sa.Integer, nullable=False),
    sa.Column("changed_revision", sa.BigInteger, nullable=False),
    sa.Column("action", text(16), nullable=False),
    sa.Column("managed", sa.Boolean, nullable=False),
    # The cloud resource whose address a managed recordset holds, and its project.
    sa.Column("managed_plugin_type", text(50)),
    sa.Column("managed_plugin_name", text(50)),
    sa.Column("managed_resource_type", text(50)),
    sa.Column("managed_resource_region", text(100)),
    sa.Column("managed_resource_id", ID),
    sa.Column("managed_extra", text(100)),
    sa.Column("managed_project_id", ID),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.UniqueConstraint("zone_id", "name_key", "type"),
    **TABLE,
)

for _columns in (
    ("zone_id", "id"),
    ("zone_id", "created_at", "id"),
    ("zone_id", "updated_at", "id"),
    ("zone_id", "name_key", "id"),
    ("zone_id", "reverse_key"),
    ("zone_id", "type", "id"),
    ("zone_id", "ttl", "id"),
    ("zone_id", "changed_revision"),
    ("project_id", "created_at", "id"),
    ("project_id", "updated_at", "id"),
    # Includes the zone, so that counting reads only the index.
    ("project_id", "name_key", "id", "zone_id"),
    ("project_id", "type", "id", "zone_id"),
    ("project_id", "ttl", "id", "zone_id"),
    ("created_at", "id"),
    ("managed_resource_id",),
    ("managed_extra",),
):
    sa.Index(f"ix_recordsets_{'_'.join(_columns)}", *(recordsets.c[name] for name in _columns))
_described = recordsets.c.description.is_not(None)
for _columns in (("zone_id", "description"), ("project_id", "description", "zone_id")):
    sa.Index(
        f"ix_recordsets_{'_'.join(_columns)}",
        *(recordsets.c[name] for name in _columns),
        sqlite_where=_described,
        postgresql_where=_described,
    )

records = sa.Table(
    "records",
    metadata,
    sa.Column(
        "recordset_id",
        ID,
        sa.ForeignKey("recordsets.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("zone_id", ID, nullable=False),
    sa.Column("data", TEXT, nullable=False),
    # The first characters of data, as many as an index can hold on every database.
    sa.Column("data_key", text(DATA_KEY_LENGTH), nullable=False),
    sa.Index("ix_records_zone_id_data_key", "zone_id", "data_key"),
    sa.Index("ix_records_data_key", "data_key"),
    **TABLE,
)

# How many recordsets a project has in another project's live zone; "" is no project.
shared_recordset_counts = sa.Table(
    "guest_recordsets",
    metadata,
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("project_id", ID, primary_key=True),
    sa.Column("owner_id", ID, nullable=False),
    sa.Column("recordsets", sa.Integer, nullable=False),
    sa.Index("ix_guest_recordsets_project_id", "project_id"),
    sa.Index("ix_guest_recordsets_owner_id", "owner_id"),
    **TABLE,
)
