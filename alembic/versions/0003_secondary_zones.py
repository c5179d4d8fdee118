"""Secondary zones: the primary's serial, the timers, and staged transfers."""

import sqlalchemy as sa

from alembic import op
from designate.storage.sqlalchemy.db.types import BLOB, MOMENT, TABLE, text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("zones", schema=None) as batch_op:
        batch_op.add_column(sa.Column("primary_serial", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("refresh_at", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("expires_at", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("expired_at", MOMENT, nullable=True))
        batch_op.add_column(
            sa.Column("withdrawn", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.create_index("ix_zones_deleted_refresh_at", ["deleted", "refresh_at"])
        batch_op.create_index("ix_zones_deleted_expires_at", ["deleted", "expires_at"])
    # Zones that waited for this release are due at once.
    op.execute("UPDATE zones SET refresh_at = created_at WHERE type = 'SECONDARY'")
    op.create_table(
        "inbound_chunks",
        sa.Column("transfer_id", text(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("zone_id", text(36), nullable=False),
        sa.Column("content", BLOB, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zones.id"],
            name=op.f("fk_inbound_chunks_zone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("transfer_id", "position", name=op.f("pk_inbound_chunks")),
        **TABLE,
    )
    with op.batch_alter_table("inbound_chunks", schema=None) as batch_op:
        batch_op.create_index("ix_inbound_chunks_zone_id", ["zone_id"])
        batch_op.create_index("ix_inbound_chunks_created_at", ["created_at"])
