"""The pools that zones were moved out of, until their servers have dropped the old copies."""

import sqlalchemy as sa

from alembic import op
from designate.storage.sqlalchemy.db.types import MOMENT, TABLE, text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moved_zones",
        sa.Column("id", text(36), nullable=False),
        sa.Column("zone_id", text(36), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("type", text(16), nullable=False),
        sa.Column("pool_id", text(36), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("served_at", MOMENT, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moved_zones")),
        sa.UniqueConstraint("zone_id", "pool_id", name=op.f("uq_moved_zones_zone_id_pool_id")),
        **TABLE,
    )
