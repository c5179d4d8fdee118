"""The first schema, with an empty default pool.

Names of keys follow the naming convention of the metadata in designate.storage.sqlalchemy.tables. Longer
than 400 lines because a revision is one file.
"""

from datetime import UTC, datetime

import sqlalchemy as sa

from alembic import op
from designate.storage.sqlalchemy.db.types import BLOB, MOMENT, TABLE, TEXT, text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = text(36)
NAME = text(255)
DEFAULT_POOL_ID = "794ccc2c-d751-44fe-b57f-8894c9f5c842"


def upgrade() -> None:
    """Create all tables."""
    _pools()
    _zones()
    _recordsets()
    _zone_history()
    _administration()
    _transfers()
    _jobs()
    _processes()


def _index(table: str, columns: str, *, name: str = "", where: str = "") -> None:
    """Create an index.

    Args:
        table: The table of the columns.
        columns: The columns, as SQL has them; one may be NULLS FIRST, as all are on SQLite and
            MariaDB anyway.
        name: What follows ix_ and the table's name; by default the columns.
        where: The condition of the rows that the index holds; on MariaDB it holds all.
    """
    names = [column.split()[0] for column in columns.split(", ")]
    condition = sa.text(where) if where else None
    op.create_index(
        f"ix_{table}_{name or '_'.join(names)}",
        table,
        names,
        # PostgreSQL has the order in the place of an operator class.
        postgresql_ops={
            column.split()[0]: "NULLS FIRST" for column in columns.split(", ") if " " in column
        },
        postgresql_where=condition,
        sqlite_where=condition,
    )


def _zone_id(
    *, nullable: bool = False, primary_key: bool = False, key: str | None = None
) -> sa.Column[str]:
    """Return a column for the zone with which its rows are deleted; key: the foreign key's name."""
    foreign_key = sa.ForeignKey("zones.id", name=key, ondelete="CASCADE")
    return sa.Column("zone_id", ID, foreign_key, nullable=nullable, primary_key=primary_key)


def _pools() -> None:
    """Create pools; the default pool is empty until pools.yaml is loaded."""
    pools = op.create_table(
        "pools",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", text(50), nullable=False, unique=True),
        sa.Column("project_id", ID),
        sa.Column("description", text(160)),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("ns_records", sa.JSON, nullable=False),
        sa.Column("nameservers", sa.JSON, nullable=False),
        sa.Column("targets", sa.JSON, nullable=False),
        sa.Column("also_notifies", sa.JSON, nullable=False),
        sa.Column("catalog_zone", sa.JSON),
        sa.Column("ns_version", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        **TABLE,
    )
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


def _zones() -> None:
    """Create zones, and what counts and protects their names."""
    op.create_table(
        "zones",
        sa.Column("id", ID, primary_key=True),
        sa.Column("project_id", ID),
        sa.Column("name", NAME, nullable=False),
        sa.Column("name_key", NAME, nullable=False),
        sa.Column("reverse_key", NAME, nullable=False),
        sa.Column("type", text(16), nullable=False),
        sa.Column("email", NAME, nullable=False),
        sa.Column("description", text(160)),
        sa.Column("ttl", sa.Integer, nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("refresh", sa.Integer, nullable=False),
        sa.Column("retry", sa.Integer, nullable=False),
        sa.Column("expire", sa.Integer, nullable=False),
        sa.Column("minimum", sa.Integer, nullable=False),
        sa.Column("mname", NAME, nullable=False),
        sa.Column("soa_wire", BLOB, nullable=False),
        sa.Column("sample", text(300)),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("served_revision", sa.BigInteger, nullable=False),
        sa.Column("action", text(16), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("error", text(1000)),
        sa.Column("hard_delete", sa.Boolean, nullable=False),
        sa.Column("pending_since", MOMENT),
        sa.Column("sent_at", MOMENT),
        sa.Column("pool_id", ID, nullable=False),
        sa.Column("ns_version", sa.Integer, nullable=False),
        sa.Column("parent_zone_id", ID, sa.ForeignKey("zones.id", ondelete="SET NULL")),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("masters", sa.JSON, nullable=False),
        sa.Column("transferred_at", MOMENT),
        sa.Column("primary_serial", sa.BigInteger),
        sa.Column("refresh_at", MOMENT),
        sa.Column("expires_at", MOMENT),
        sa.Column("expired_at", MOMENT),
        sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("recordset_count", sa.Integer, nullable=False),
        sa.Column("record_count", sa.Integer, nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("audited_until", MOMENT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        sa.Column("deleted", ID, nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.UniqueConstraint("name_key", "deleted", "pool_id"),
        **TABLE,
    )
    _index("zones", "deleted, reverse_key")
    _index("zones", "deleted, created_at, id")
    _index("zones", "deleted, name_key, id")
    _index("zones", "deleted, status, pending_since")
    _index("zones", "deleted, deleted_at")
    _index("zones", "deleted, refresh_at")
    _index("zones", "deleted, expires_at")
    _index("zones", "project_id, deleted, created_at, id")
    _index("zones", "project_id, deleted, updated_at NULLS FIRST, id")
    _index("zones", "project_id, deleted, name_key, id")
    _index("zones", "project_id, deleted, serial, id")
    _index("zones", "project_id, deleted, ttl, id")
    _index("zones", "project_id, deleted, status, id")
    _index("zones", "project_id, deleted, email")
    _index("zones", "project_id, deleted, recordset_count")
    _index("zones", "pool_id, deleted, ns_version")
    _index("zones", "parent_zone_id")
    op.create_table(
        "project_usage",
        sa.Column("project_id", ID, primary_key=True),
        sa.Column("zones", sa.Integer, nullable=False),
        **TABLE,
    )
    op.create_table(
        "quotas",
        sa.Column("project_id", ID, primary_key=True),
        sa.Column("resource", text(32), primary_key=True),
        sa.Column("hard_limit", sa.Integer, nullable=False),
        **TABLE,
    )
    op.create_table(
        "namespaces",
        sa.Column("name_key", NAME, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
        **TABLE,
    )
    op.create_table(
        "shared_zones",
        sa.Column("id", ID, primary_key=True),
        _zone_id(),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("target_project_id", ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        sa.UniqueConstraint("zone_id", "project_id", "target_project_id"),
        **TABLE,
    )
    _index("shared_zones", "target_project_id, zone_id", name="target")


def _recordsets() -> None:
    """Create recordsets, their records, and the counts of recordsets in other projects' zones."""
    op.create_table(
        "recordsets",
        sa.Column("id", ID, primary_key=True),
        _zone_id(),
        sa.Column("project_id", ID),
        sa.Column("name", NAME, nullable=False),
        sa.Column("name_key", NAME, nullable=False),
        sa.Column("reverse_key", NAME, nullable=False),
        sa.Column("type", text(16), nullable=False),
        sa.Column("ttl", sa.Integer),
        sa.Column("description", text(160)),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("wire", BLOB, nullable=False),
        sa.Column("record_count", sa.Integer, nullable=False),
        sa.Column("changed_revision", sa.BigInteger, nullable=False),
        sa.Column("action", text(16), nullable=False),
        sa.Column("managed", sa.Boolean, nullable=False),
        sa.Column("managed_plugin_type", text(50)),
        sa.Column("managed_plugin_name", text(50)),
        sa.Column("managed_resource_type", text(50)),
        sa.Column("managed_resource_region", text(100)),
        sa.Column("managed_resource_id", ID),
        sa.Column("managed_extra", text(100)),
        sa.Column("managed_project_id", ID),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        sa.UniqueConstraint("zone_id", "name_key", "type"),
        **TABLE,
    )
    _index("recordsets", "zone_id, id")
    _index("recordsets", "zone_id, created_at, id")
    _index("recordsets", "zone_id, updated_at NULLS FIRST, id")
    _index("recordsets", "zone_id, name_key, id")
    _index("recordsets", "zone_id, reverse_key")
    _index("recordsets", "zone_id, type, id")
    _index("recordsets", "zone_id, ttl NULLS FIRST, id")
    _index("recordsets", "zone_id, changed_revision")
    _index("recordsets", "project_id, created_at, id")
    _index("recordsets", "project_id, updated_at NULLS FIRST, id")
    _index("recordsets", "project_id, name_key, id, zone_id")
    _index("recordsets", "project_id, type, id, zone_id")
    _index("recordsets", "project_id, ttl NULLS FIRST, id, zone_id")
    _index("recordsets", "created_at, id")
    _index("recordsets", "managed_resource_id")
    _index("recordsets", "managed_extra")
    _index("recordsets", "zone_id, description", where="description IS NOT NULL")
    _index("recordsets", "project_id, description, zone_id", where="description IS NOT NULL")
    op.create_table(
        "records",
        sa.Column(
            "recordset_id", ID, sa.ForeignKey("recordsets.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("data_key", text(128), nullable=False),
        **TABLE,
    )
    _index("records", "zone_id, data_key")
    _index("records", "data_key")
    op.create_table(
        "guest_recordsets",
        _zone_id(primary_key=True, key="fk_guest_recordsets_zone_id_zones"),
        sa.Column("project_id", ID, primary_key=True),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("recordsets", sa.Integer, nullable=False),
        **TABLE,
    )
    _index("guest_recordsets", "project_id")
    _index("guest_recordsets", "owner_id")


def _zone_history() -> None:
    """Create the journal of changes, staged transfers, pool moves and cloud events of zones."""
    op.create_table(
        "zone_journal",
        _zone_id(primary_key=True),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("from_serial", sa.BigInteger, nullable=False),
        sa.Column("to_serial", sa.BigInteger, nullable=False),
        sa.Column("deleted_count", sa.Integer, nullable=False),
        sa.Column("added_count", sa.Integer, nullable=False),
        sa.Column("payload", BLOB),
        sa.Column("created_at", MOMENT, nullable=False),
        **TABLE,
    )
    _index("zone_journal", "zone_id, from_serial")
    _index("zone_journal", "zone_id, to_serial")
    _index("zone_journal", "created_at")
    op.create_table(
        "inbound_chunks",
        sa.Column("transfer_id", ID, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        _zone_id(),
        sa.Column("content", BLOB, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        **TABLE,
    )
    _index("inbound_chunks", "zone_id")
    _index("inbound_chunks", "created_at")
    op.create_table(
        "moved_zones",
        sa.Column("id", ID, primary_key=True),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("type", text(16), nullable=False),
        sa.Column("pool_id", ID, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("served_at", MOMENT),
        sa.Column("sent_at", MOMENT),
        sa.UniqueConstraint("zone_id", "pool_id"),
        **TABLE,
    )
    op.create_table(
        "resource_events",
        _zone_id(primary_key=True),
        sa.Column("plugin_name", text(50), primary_key=True),
        sa.Column("resource_type", text(50), primary_key=True),
        sa.Column("resource_id", ID, primary_key=True),
        sa.Column("happened_at", MOMENT, nullable=False),
        **TABLE,
    )
    _index("resource_events", "zone_id, happened_at")


def _administration() -> None:
    """Create TLDs, blacklists and TSIG keys."""
    op.create_table(
        "tlds",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", NAME, nullable=False),
        sa.Column("name_key", NAME, nullable=False, unique=True),
        sa.Column("description", text(160)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        **TABLE,
    )
    _index("tlds", "created_at, id")
    op.create_table(
        "blacklists",
        sa.Column("id", ID, primary_key=True),
        sa.Column("pattern", NAME, nullable=False, unique=True),
        sa.Column("description", text(160)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        **TABLE,
    )
    _index("blacklists", "created_at, id")
    op.create_table(
        "tsigkeys",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", text(160), nullable=False, unique=True),
        sa.Column("name_key", text(160), nullable=False, server_default=sa.text("''")),
        sa.Column("algorithm", text(16), nullable=False),
        sa.Column("secret", text(160), nullable=False),
        sa.Column("scope", text(8), nullable=False),
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        **TABLE,
    )
    _index("tsigkeys", "created_at, id")
    _index("tsigkeys", "resource_id")
    _index("tsigkeys", "name_key")


def _transfers() -> None:
    """Create transfers of zones between projects."""
    op.create_table(
        "zone_transfer_requests",
        sa.Column("id", ID, primary_key=True),
        _zone_id(),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("target_project_id", ID),
        sa.Column("key", text(32), nullable=False),
        sa.Column("description", text(160)),
        sa.Column("status", text(16), nullable=False),
        sa.Column("active_zone_id", ID, unique=True),
        sa.Column("refusals", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        **TABLE,
    )
    _index("zone_transfer_requests", "zone_id")
    _index("zone_transfer_requests", "project_id, created_at, id", name="project_id")
    _index("zone_transfer_requests", "target_project_id")
    op.create_table(
        "zone_transfer_accepts",
        sa.Column("id", ID, primary_key=True),
        _zone_id(),
        sa.Column(
            "zone_transfer_request_id",
            ID,
            sa.ForeignKey("zone_transfer_requests.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        **TABLE,
    )
    _index("zone_transfer_accepts", "zone_id")
    _index("zone_transfer_accepts", "zone_transfer_request_id", name="request")
    _index("zone_transfer_accepts", "project_id, created_at, id", name="project_id")


def _jobs() -> None:
    """Create imports and exports."""
    op.create_table(
        "zone_tasks",
        sa.Column("id", ID, primary_key=True),
        sa.Column("task_type", text(8), nullable=False),
        sa.Column("project_id", ID, nullable=False),
        _zone_id(nullable=True),
        sa.Column("status", text(16), nullable=False),
        sa.Column("message", text(160)),
        sa.Column("location", text(160)),
        sa.Column("faults", sa.JSON, nullable=False),
        sa.Column("skipped_count", sa.Integer, nullable=False),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("claimed_until", MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        **TABLE,
    )
    _index("zone_tasks", "zone_id")
    _index("zone_tasks", "project_id, task_type, created_at, id", name="project_id")
    _index("zone_tasks", "status, claimed_until", name="status")
    op.create_table(
        "zone_task_files",
        sa.Column(
            "task_id", ID, sa.ForeignKey("zone_tasks.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("content", BLOB, nullable=False),
        **TABLE,
    )


def _processes() -> None:
    """Create service statuses and leases."""
    op.create_table(
        "service_statuses",
        sa.Column("id", ID, primary_key=True),
        sa.Column("service_name", text(40), nullable=False),
        sa.Column("hostname", NAME, nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("stats", sa.JSON, nullable=False),
        sa.Column("capabilities", sa.JSON, nullable=False),
        sa.Column("heartbeated_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT),
        sa.UniqueConstraint("service_name", "hostname"),
        **TABLE,
    )
    op.create_table(
        "leases",
        sa.Column("name", text(100), primary_key=True),
        sa.Column("owner", NAME, primary_key=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        **TABLE,
    )
    _index("leases", "expires_at")
    op.create_table(
        "lease_groups",
        sa.Column("name", text(100), primary_key=True),
        sa.Column("generation", sa.BigInteger, nullable=False),
        **TABLE,
    )
