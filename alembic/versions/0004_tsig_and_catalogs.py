"""TSIG keys by the name that a message has; catalog zones of pools."""

import sqlalchemy as sa

from alembic import op
from designate.storage.sqlalchemy.db.types import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tsigkeys", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("name_key", text(160), nullable=False, server_default=sa.text("''"))
        )
        batch_op.create_index("ix_tsigkeys_name_key", ["name_key"])
    op.execute("UPDATE tsigkeys SET name_key = lower(name)")
    with op.batch_alter_table("pools", schema=None) as batch_op:
        batch_op.add_column(sa.Column("catalog_zone", sa.JSON(), nullable=True))
