"""Administration, ownership, tasks and managed recordsets."""

import sqlalchemy as sa

from alembic import op
from designate.storage.sqlalchemy.db.types import BLOB, MOMENT, TABLE, text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blacklists",
        sa.Column("id", text(36), nullable=False),
        sa.Column("pattern", text(255), nullable=False),
        sa.Column("description", text(160), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blacklists")),
        sa.UniqueConstraint("pattern", name=op.f("uq_blacklists_pattern")),
        **TABLE,
    )
    with op.batch_alter_table("blacklists", schema=None) as batch_op:
        batch_op.create_index("ix_blacklists_created_at_id", ["created_at", "id"], unique=False)

    op.create_table(
        "service_statuses",
        sa.Column("id", text(36), nullable=False),
        sa.Column("service_name", text(40), nullable=False),
        sa.Column("hostname", text(255), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("stats", sa.JSON(), nullable=False),
        sa.Column("capabilities", sa.JSON(), nullable=False),
        sa.Column("heartbeated_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_statuses")),
        sa.UniqueConstraint(
            "service_name", "hostname", name=op.f("uq_service_statuses_service_name_hostname")
        ),
        **TABLE,
    )
    op.create_table(
        "tlds",
        sa.Column("id", text(36), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("name_key", text(255), nullable=False),
        sa.Column("description", text(160), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tlds")),
        sa.UniqueConstraint("name_key", name=op.f("uq_tlds_name_key")),
        **TABLE,
    )
    with op.batch_alter_table("tlds", schema=None) as batch_op:
        batch_op.create_index("ix_tlds_created_at_id", ["created_at", "id"], unique=False)

    op.create_table(
        "tsigkeys",
        sa.Column("id", text(36), nullable=False),
        sa.Column("name", text(160), nullable=False),
        sa.Column("algorithm", text(16), nullable=False),
        sa.Column("secret", text(160), nullable=False),
        sa.Column("scope", text(8), nullable=False),
        sa.Column("resource_id", text(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tsigkeys")),
        sa.UniqueConstraint("name", name=op.f("uq_tsigkeys_name")),
        **TABLE,
    )
    with op.batch_alter_table("tsigkeys", schema=None) as batch_op:
        batch_op.create_index("ix_tsigkeys_created_at_id", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_tsigkeys_resource_id", ["resource_id"], unique=False)

    op.create_table(
        "zone_tasks",
        sa.Column("id", text(36), nullable=False),
        sa.Column("task_type", text(8), nullable=False),
        sa.Column("project_id", text(36), nullable=False),
        sa.Column("zone_id", text(36), nullable=True),
        sa.Column("status", text(16), nullable=False),
        sa.Column("message", text(160), nullable=True),
        sa.Column("location", text(160), nullable=True),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zones.id"], name=op.f("fk_zone_tasks_zone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_tasks")),
        **TABLE,
    )
    with op.batch_alter_table("zone_tasks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_zone_tasks_project_id",
            ["project_id", "task_type", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index("ix_zone_tasks_status", ["status", "claimed_until"], unique=False)
        batch_op.create_index("ix_zone_tasks_zone_id", ["zone_id"], unique=False)

    op.create_table(
        "zone_transfer_requests",
        sa.Column("id", text(36), nullable=False),
        sa.Column("zone_id", text(36), nullable=False),
        sa.Column("project_id", text(36), nullable=False),
        sa.Column("target_project_id", text(36), nullable=True),
        sa.Column("key", text(32), nullable=False),
        sa.Column("description", text(160), nullable=True),
        sa.Column("status", text(16), nullable=False),
        sa.Column("active_zone_id", text(36), nullable=True),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zones.id"],
            name=op.f("fk_zone_transfer_requests_zone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_transfer_requests")),
        sa.UniqueConstraint(
            "active_zone_id", name=op.f("uq_zone_transfer_requests_active_zone_id")
        ),
        **TABLE,
    )
    with op.batch_alter_table("zone_transfer_requests", schema=None) as batch_op:
        batch_op.create_index(
            "ix_zone_transfer_requests_project_id", ["project_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_zone_transfer_requests_target_project_id", ["target_project_id"], unique=False
        )
        batch_op.create_index("ix_zone_transfer_requests_zone_id", ["zone_id"], unique=False)

    op.create_table(
        "zone_task_files",
        sa.Column("task_id", text(36), nullable=False),
        sa.Column("content", BLOB, nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["zone_tasks.id"],
            name=op.f("fk_zone_task_files_task_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_zone_task_files")),
        **TABLE,
    )
    op.create_table(
        "zone_transfer_accepts",
        sa.Column("id", text(36), nullable=False),
        sa.Column("zone_id", text(36), nullable=False),
        sa.Column("zone_transfer_request_id", text(36), nullable=False),
        sa.Column("project_id", text(36), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zones.id"],
            name=op.f("fk_zone_transfer_accepts_zone_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["zone_transfer_request_id"],
            ["zone_transfer_requests.id"],
            name=op.f("fk_zone_transfer_accepts_zone_transfer_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_transfer_accepts")),
        **TABLE,
    )
    with op.batch_alter_table("zone_transfer_accepts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_zone_transfer_accepts_project_id", ["project_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_zone_transfer_accepts_request", ["zone_transfer_request_id"], unique=False
        )
        batch_op.create_index("ix_zone_transfer_accepts_zone_id", ["zone_id"], unique=False)

    with op.batch_alter_table("recordsets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("managed_plugin_type", text(50), nullable=True))
        batch_op.add_column(sa.Column("managed_plugin_name", text(50), nullable=True))
        batch_op.add_column(sa.Column("managed_resource_type", text(50), nullable=True))
        batch_op.add_column(sa.Column("managed_resource_region", text(100), nullable=True))
        batch_op.add_column(sa.Column("managed_resource_id", text(36), nullable=True))
        batch_op.add_column(sa.Column("managed_extra", text(100), nullable=True))
        batch_op.add_column(sa.Column("managed_project_id", text(36), nullable=True))
        batch_op.create_index("ix_recordsets_managed_extra", ["managed_extra"], unique=False)
        batch_op.create_index(
            "ix_recordsets_managed_resource_id", ["managed_resource_id"], unique=False
        )
