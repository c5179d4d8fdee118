"""PostgreSQL: indexes hold null first, as lists do; they could not give the order before."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INDEXES = (
    ("zones", ("project_id", "deleted", "updated_at", "id"), "updated_at"),
    ("recordsets", ("zone_id", "updated_at", "id"), "updated_at"),
    ("recordsets", ("zone_id", "ttl", "id"), "ttl"),
    ("recordsets", ("project_id", "updated_at", "id"), "updated_at"),
    ("recordsets", ("project_id", "ttl", "id", "zone_id"), "ttl"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, columns, nullable in INDEXES:
        name = f"ix_{table}_{'_'.join(columns)}"
        op.drop_index(name, table_name=table)
        # The place of an operator class is that of the order too.
        op.create_index(name, table, columns, postgresql_ops={nullable: "NULLS FIRST"})
