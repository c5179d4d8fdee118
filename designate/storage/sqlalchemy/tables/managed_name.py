"""Events of cloud resources."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import MOMENT, TABLE, text
from designate.storage.sqlalchemy.tables.base import ID, metadata

# Time of the newest event of each cloud resource that has names in a zone, per plug-in that names it.
resource_events = sa.Table(
    "resource_events",
    metadata,
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("plugin_name", text(50), primary_key=True),
    sa.Column("resource_type", text(50), primary_key=True),
    sa.Column("resource_id", ID, primary_key=True),
    sa.Column("happened_at", MOMENT, nullable=False),
    sa.Index("ix_resource_events_zone_id_happened_at", "zone_id", "happened_at"),
    **TABLE,
)
