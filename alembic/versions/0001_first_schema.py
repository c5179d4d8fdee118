"""The first schema, with an empty default pool."""

from datetime import UTC, datetime

import sqlalchemy as sa

from alembic import op
from designate.storage.sqlalchemy.db.types import BLOB, MOMENT, TABLE, TEXT, text

DEFAULT_POOL_ID = "794ccc2c-d751-44fe-b57f-8894c9f5c842"

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "namespaces",
        sa.Column("name_key", text(255), nullable=False),
        sa.PrimaryKeyConstraint("name_key", name=op.f("pk_namespaces")),
        **TABLE,
    )
    pools = op.create_table(
        "pools",
        sa.Column("id", text(36), nullable=False),
        sa.Column("name", text(50), nullable=False),
        sa.Column("project_id", text(36), nullable=True),
        sa.Column("description", text(160), nullable=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("ns_records", sa.JSON(), nullable=False),
        sa.Column("nameservers", sa.JSON(), nullable=False),
        sa.Column("targets", sa.JSON(), nullable=False),
        sa.Column("also_notifies", sa.JSON(), nullable=False),
        sa.Column("ns_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pools")),
        sa.UniqueConstraint("name", name=op.f("uq_pools_name")),
        **TABLE,
    )
    op.create_table(
        "project_usage",
        sa.Column("project_id", text(36), nullable=False),
        sa.Column("zones", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_project_usage")),
        **TABLE,
    )
    op.create_table(
        "quotas",
        sa.Column("project_id", text(36), nullable=False),
        sa.Column("resource", text(32), nullable=False),
        sa.Column("hard_limit", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resource", name=op.f("pk_quotas")),
        **TABLE,
    )
    op.create_table(
        "zones",
        sa.Column("id", text(36), nullable=False),
        sa.Column("project_id", text(36), nullable=True),
        sa.Column("name", text(255), nullable=False),
        sa.Column("name_key", text(255), nullable=False),
        sa.Column("reverse_key", text(255), nullable=False),
        sa.Column("type", text(16), nullable=False),
        sa.Column("email", text(255), nullable=False),
        sa.Column("description", text(160), nullable=True),
        sa.Column("ttl", sa.Integer(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("refresh", sa.Integer(), nullable=False),
        sa.Column("retry", sa.Integer(), nullable=False),
        sa.Column("expire", sa.Integer(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("mname", text(255), nullable=False),
        sa.Column("soa_wire", BLOB, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("served_revision", sa.BigInteger(), nullable=False),
        sa.Column("action", text(16), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("error", text(1000), nullable=True),
        sa.Column("hard_delete", sa.Boolean(), nullable=False),
        sa.Column("pending_since", MOMENT, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("pool_id", text(36), nullable=False),
        sa.Column("ns_version", sa.Integer(), nullable=False),
        sa.Column("parent_zone_id", text(36), nullable=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("masters", sa.JSON(), nullable=False),
        sa.Column("transferred_at", MOMENT, nullable=True),
        sa.Column("recordset_count", sa.Integer(), nullable=False),
        sa.Column("record_count", sa.Integer(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.Column("deleted", text(36), nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["parent_zone_id"],
            ["zones.id"],
            name=op.f("fk_zones_parent_zone_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zones")),
        sa.UniqueConstraint(
            "name_key",
            "deleted",
            "pool_id",
            name=op.f("uq_zones_name_key_deleted_pool_id"),
        ),
        **TABLE,
    )
    with op.batch_alter_table("zones", schema=None) as batch_op:
        batch_op.create_index(
            "ix_zones_deleted_created_at_id",
            ["deleted", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_zones_deleted_deleted_at", ["deleted", "deleted_at"], unique=False
        )
        batch_op.create_index(
            "ix_zones_deleted_name_key_id", ["deleted", "name_key", "id"], unique=False
        )
        batch_op.create_index(
            "ix_zones_deleted_reverse_key", ["deleted", "reverse_key"], unique=False
        )
        batch_op.create_index(
            "ix_zones_deleted_status_pending_since",
            ["deleted", "status", "pending_since"],
            unique=False,
        )
        batch_op.create_index("ix_zones_parent_zone_id", ["parent_zone_id"], unique=False)
        batch_op.create_index(
            "ix_zones_pool_id_deleted_ns_version",
            ["pool_id", "deleted", "ns_version"],
            unique=False,
        )
        batch_op.create_index(
            "ix_zones_project_id_deleted_created_at_id",
            ["project_id", "deleted", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_zones_project_id_deleted_email",
            ["project_id", "deleted", "email"],
            unique=False,
        )
        batch_op.create_index(
            "ix_zones_project_id_deleted_name_key_id",
            ["project_id", "deleted", "name_key", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_zones_project_id_deleted_serial_id",
            ["project_id", "deleted", "serial", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_zones_project_id_deleted_status_id",
            ["project_id", "deleted", "status", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_zones_project_id_deleted_ttl_id",
            ["project_id", "deleted", "ttl", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_zones_project_id_deleted_updated_at_id",
            ["project_id", "deleted", "updated_at", "id"],
            unique=False,
        )

    op.create_table(
        "recordsets",
        sa.Column("id", text(36), nullable=False),
        sa.Column("zone_id", text(36), nullable=False),
        sa.Column("project_id", text(36), nullable=True),
        sa.Column("name", text(255), nullable=False),
        sa.Column("name_key", text(255), nullable=False),
        sa.Column("reverse_key", text(255), nullable=False),
        sa.Column("type", text(16), nullable=False),
        sa.Column("ttl", sa.Integer(), nullable=True),
        sa.Column("description", text(160), nullable=True),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("wire", BLOB, nullable=False),
        sa.Column("record_count", sa.Integer(), nullable=False),
        sa.Column("changed_revision", sa.BigInteger(), nullable=False),
        sa.Column("action", text(16), nullable=False),
        sa.Column("managed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zones.id"],
            name=op.f("fk_recordsets_zone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordsets")),
        sa.UniqueConstraint(
            "zone_id",
            "name_key",
            "type",
            name=op.f("uq_recordsets_zone_id_name_key_type"),
        ),
        **TABLE,
    )
    with op.batch_alter_table("recordsets", schema=None) as batch_op:
        batch_op.create_index("ix_recordsets_created_at_id", ["created_at", "id"], unique=False)
        batch_op.create_index(
            "ix_recordsets_project_id_created_at_id",
            ["project_id", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_recordsets_project_id_name_key_id",
            ["project_id", "name_key", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_recordsets_project_id_type_id",
            ["project_id", "type", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_recordsets_project_id_updated_at_id",
            ["project_id", "updated_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_recordsets_zone_id_changed_revision",
            ["zone_id", "changed_revision"],
            unique=False,
        )
        batch_op.create_index(
            "ix_recordsets_zone_id_created_at_id",
            ["zone_id", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_recordsets_zone_id_name_key_id",
            ["zone_id", "name_key", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_recordsets_zone_id_reverse_key",
            ["zone_id", "reverse_key"],
            unique=False,
        )
        batch_op.create_index(
            "ix_recordsets_zone_id_ttl_id", ["zone_id", "ttl", "id"], unique=False
        )
        batch_op.create_index(
            "ix_recordsets_zone_id_type_id", ["zone_id", "type", "id"], unique=False
        )
        batch_op.create_index(
            "ix_recordsets_zone_id_updated_at_id",
            ["zone_id", "updated_at", "id"],
            unique=False,
        )

    op.create_table(
        "shared_zones",
        sa.Column("id", text(36), nullable=False),
        sa.Column("zone_id", text(36), nullable=False),
        sa.Column("project_id", text(36), nullable=False),
        sa.Column("target_project_id", text(36), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zones.id"],
            name=op.f("fk_shared_zones_zone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_zones")),
        sa.UniqueConstraint(
            "zone_id",
            "project_id",
            "target_project_id",
            name=op.f("uq_shared_zones_zone_id_project_id_target_project_id"),
        ),
        **TABLE,
    )
    with op.batch_alter_table("shared_zones", schema=None) as batch_op:
        batch_op.create_index(
            "ix_shared_zones_target", ["target_project_id", "zone_id"], unique=False
        )

    op.create_table(
        "zone_journal",
        sa.Column("zone_id", text(36), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_serial", sa.BigInteger(), nullable=False),
        sa.Column("to_serial", sa.BigInteger(), nullable=False),
        sa.Column("deleted_count", sa.Integer(), nullable=False),
        sa.Column("added_count", sa.Integer(), nullable=False),
        sa.Column("payload", BLOB, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zones.id"],
            name=op.f("fk_zone_journal_zone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("zone_id", "revision", name=op.f("pk_zone_journal")),
        **TABLE,
    )
    with op.batch_alter_table("zone_journal", schema=None) as batch_op:
        batch_op.create_index("ix_zone_journal_created_at", ["created_at"], unique=False)
        batch_op.create_index(
            "ix_zone_journal_zone_id_from_serial",
            ["zone_id", "from_serial"],
            unique=False,
        )
        batch_op.create_index(
            "ix_zone_journal_zone_id_to_serial", ["zone_id", "to_serial"], unique=False
        )

    op.create_table(
        "records",
        sa.Column("recordset_id", text(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("zone_id", text(36), nullable=False),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("data_key", text(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["recordset_id"],
            ["recordsets.id"],
            name=op.f("fk_records_recordset_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recordset_id", "position", name=op.f("pk_records")),
        **TABLE,
    )
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.create_index("ix_records_data_key", ["data_key"], unique=False)
        batch_op.create_index("ix_records_zone_id_data_key", ["zone_id", "data_key"], unique=False)
    op.bulk_insert(
        pools,
        [
            {
                "id": DEFAULT_POOL_ID,
                "name": "default",
                "attributes": {},
                "ns_records": [],
                "nameservers": [],
                "targets": [],
                "also_notifies": [],
                "ns_version": 1,
                "version": 1,
                "created_at": datetime.now(UTC).replace(tzinfo=None),
            }
        ],
    )
