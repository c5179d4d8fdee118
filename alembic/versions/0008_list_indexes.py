"""Indexes for lists of recordsets: across zones with the zone, in a zone by description."""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WIDER = ("name_key", "type")


def upgrade() -> None:
    for name in WIDER:
        columns = ["project_id", name, "id", "zone_id"]
        op.create_index(f"ix_recordsets_{'_'.join(columns)}", "recordsets", columns)
        # Nothing but speed depends on it, and the wider one serves the release before as well.
        op.drop_index(f"ix_recordsets_project_id_{name}_id", "recordsets")
    described = sa.text("description IS NOT NULL")
    op.create_index(
        "ix_recordsets_zone_id_description",
        "recordsets",
        ["zone_id", "description"],
        sqlite_where=described,
        postgresql_where=described,
    )
