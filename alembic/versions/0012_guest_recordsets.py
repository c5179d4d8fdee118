"""How many recordsets projects have in the zones of others, and an index that adds up the zones' own."""

import sqlalchemy as sa

from alembic import op
from designate.storage.sqlalchemy.db.types import TABLE, text

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COUNT = """
INSERT INTO guest_recordsets (zone_id, project_id, owner_id, recordsets)
SELECT zones.id, COALESCE(recordsets.project_id, ''), COALESCE(zones.project_id, ''), COUNT(*)
FROM zones JOIN recordsets ON recordsets.zone_id = zones.id
WHERE zones.deleted = '0' AND COALESCE(recordsets.project_id, '') <> COALESCE(zones.project_id, '')
GROUP BY zones.id, recordsets.project_id, zones.project_id
"""


def upgrade() -> None:
    op.create_table(
        "guest_recordsets",
        sa.Column(
            "zone_id",
            text(36),
            sa.ForeignKey("zones.id", name="fk_guest_recordsets_zone_id_zones", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("project_id", text(36), nullable=False),
        sa.Column("owner_id", text(36), nullable=False),
        sa.Column("recordsets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("zone_id", "project_id", name="pk_guest_recordsets"),
        **TABLE,
    )
    op.create_index("ix_guest_recordsets_project_id", "guest_recordsets", ["project_id"])
    op.create_index("ix_guest_recordsets_owner_id", "guest_recordsets", ["owner_id"])
    op.execute(COUNT)
    op.create_index(
        "ix_zones_project_id_deleted_recordset_count",
        "zones",
        ["project_id", "deleted", "recordset_count"],
    )
