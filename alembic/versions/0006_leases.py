"""Leases of groups of processes, and the audit's mark at each zone."""

import sqlalchemy as sa

from alembic import op
from designate.storage.sqlalchemy.db.types import MOMENT, TABLE, text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("zones", schema=None) as batch_op:
        batch_op.add_column(sa.Column("audited_until", MOMENT, nullable=True))
    op.create_table(
        "leases",
        sa.Column("name", text(100), nullable=False),
        sa.Column("owner", text(255), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", "owner", name=op.f("pk_leases")),
        **TABLE,
    )
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.create_index("ix_leases_expires_at", ["expires_at"])
    op.create_table(
        "lease_groups",
        sa.Column("name", text(100), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease_groups")),
        **TABLE,
    )
