"""When the newest event of each resource of the cloud happened."""

import sqlalchemy as sa

from alembic import op
from designate.storage.sqlalchemy.db.types import MOMENT, TABLE, text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "resource_events",
        sa.Column("zone_id", text(36), nullable=False),
        sa.Column("plugin_name", text(50), nullable=False),
        sa.Column("resource_type", text(50), nullable=False),
        sa.Column("resource_id", text(36), nullable=False),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zones.id"],
            name=op.f("fk_resource_events_zone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "zone_id",
            "plugin_name",
            "resource_type",
            "resource_id",
            name=op.f("pk_resource_events"),
        ),
        **TABLE,
    )
    op.create_index(
        "ix_resource_events_zone_id_happened_at", "resource_events", ["zone_id", "happened_at"]
    )
