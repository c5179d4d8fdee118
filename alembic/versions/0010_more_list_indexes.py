"""Indexes for lists of recordsets: a zone's by id, a project's by TTL and by description."""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for columns in (["zone_id", "id"], ["project_id", "ttl", "id", "zone_id"]):
        op.create_index(f"ix_recordsets_{'_'.join(columns)}", "recordsets", columns)
    described = sa.text("description IS NOT NULL")
    op.create_index(
        "ix_recordsets_project_id_description_zone_id",
        "recordsets",
        ["project_id", "description", "zone_id"],
        sqlite_where=described,
        postgresql_where=described,
    )
