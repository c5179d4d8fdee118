"""The tables. `alembic/versions` creates them; `tests/contract` compares the two.

Names follow Designate's where the meaning is the same. Three ideas carry the rest:

* A zone has a `revision`, our own order of its changes, and a `served_revision`, the newest one
  proven on its nameservers. A recordset keeps only `changed_revision`; its status is computed.
* A recordset keeps its resource records in wire form (`wire`): whole RRs whose owner is the
  labels below the apex and a pointer to offset 12 of the message. Where `ttl` is null the TTL field
  of each RR is zero and the reader puts the zone's in. `records` holds the texts, for the filter.
* `zone_journal` has one row per revision: the IXFR difference as bytes. A row without payload says
  that the difference was too large to keep; transfers across it are whole (RFC 1995 section 4).

Indexes that begin lists hold null first, as lists show it. PostgreSQL's do since migration 0011, which
says it in words that SQLAlchemy has not for all databases: NULLS_FIRST names them.

Columns that are compared ignoring case end in `_key` and hold the lower-case form.
"""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import BLOB, MOMENT, TABLE, TEXT, text

ID = text(36)
NAME = text(255)
LIVE = "0"
DATA_KEY_LENGTH = 128

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

zones = sa.Table(
    "zones",
    metadata,
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
    # The SOA's data in wire form; its serial stands 20 bytes before the end.
    sa.Column("soa_wire", BLOB, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("served_revision", sa.BigInteger, nullable=False),
    sa.Column("action", text(16), nullable=False),
    sa.Column("status", text(16), nullable=False),
    sa.Column("error", text(1000)),
    sa.Column("hard_delete", sa.Boolean, nullable=False),
    sa.Column("pending_since", MOMENT),
    # When the change was last handed to a worker; the recovery sweep paces itself by it.
    sa.Column("sent_at", MOMENT),
    sa.Column("pool_id", ID, nullable=False),
    # The pool's ns_version that the apex NS set was made from; a sweep brings older ones forward.
    sa.Column("ns_version", sa.Integer, nullable=False),
    sa.Column("parent_zone_id", ID, sa.ForeignKey("zones.id", ondelete="SET NULL")),
    sa.Column("attributes", sa.JSON, nullable=False),
    sa.Column("masters", sa.JSON, nullable=False),
    sa.Column("transferred_at", MOMENT),
    # Of secondary zones alone. The primary's serial of the content; null: none was transferred yet.
    sa.Column("primary_serial", sa.BigInteger),
    # When the primaries are asked next, and when the content is too old to be served (RFC 1034 4.3.5).
    sa.Column("refresh_at", MOMENT),
    sa.Column("expires_at", MOMENT),
    # Since when it is; and whether the pool's nameservers were proven to have dropped it.
    sa.Column("expired_at", MOMENT),
    sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("recordset_count", sa.Integer, nullable=False),
    # Records of unmanaged recordsets: what the quota counts.
    sa.Column("record_count", sa.Integer, nullable=False),
    sa.Column("shard", sa.Integer, nullable=False),
    # End of the newest audit period for which the zone's existence was claimed to be told.
    sa.Column("audited_until", MOMENT),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    # LIVE, or the zone's own id once it is deleted, so that the name can be used again.
    sa.Column("deleted", ID, nullable=False),
    sa.Column("deleted_at", MOMENT),
    sa.UniqueConstraint("name_key", "deleted", "pool_id"),
    **TABLE,
)

for _columns in (
    ("deleted", "reverse_key"),
    ("deleted", "created_at", "id"),
    ("deleted", "name_key", "id"),
    ("deleted", "status", "pending_since"),
    ("deleted", "deleted_at"),
    ("deleted", "refresh_at"),
    ("deleted", "expires_at"),
    ("project_id", "deleted", "created_at", "id"),
    ("project_id", "deleted", "updated_at", "id"),
    ("project_id", "deleted", "name_key", "id"),
    ("project_id", "deleted", "serial", "id"),
    ("project_id", "deleted", "ttl", "id"),
    ("project_id", "deleted", "status", "id"),
    ("project_id", "deleted", "email"),
    # Changes with every recordset: what adding them up reads alone.
    ("project_id", "deleted", "recordset_count"),
    ("pool_id", "deleted", "ns_version"),
    ("parent_zone_id",),
):
    sa.Index(f"ix_zones_{'_'.join(_columns)}", *(zones.c[name] for name in _columns))

shared_zones = sa.Table(
    "shared_zones",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("project_id", ID, nullable=False),
    sa.Column("target_project_id", ID, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.UniqueConstraint("zone_id", "project_id", "target_project_id"),
    sa.Index("ix_shared_zones_target", "target_project_id", "zone_id"),
    **TABLE,
)

recordsets = sa.Table(
    "recordsets",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("project_id", ID),
    sa.Column("name", NAME, nullable=False),
    sa.Column("name_key", NAME, nullable=False),
    sa.Column("reverse_key", NAME, nullable=False),
    sa.Column("type", text(16), nullable=False),
    sa.Column("ttl", sa.Integer),
    sa.Column("description", text(160)),
    sa.Column("texts", sa.JSON, nullable=False),
    # Empty for the SOA: its data lives in the zone's row and changes with every revision.
    sa.Column("wire", BLOB, nullable=False),
    sa.Column("record_count", sa.Integer, nullable=False),
    sa.Column("changed_revision", sa.BigInteger, nullable=False),
    sa.Column("action", text(16), nullable=False),
    sa.Column("managed", sa.Boolean, nullable=False),
    # What a managed recordset stands for: an address of a cloud's resource, and whose it is.
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

for _columns in (
    ("zone_id", "id"),
    ("zone_id", "created_at", "id"),
    ("zone_id", "updated_at", "id"),
    ("zone_id", "name_key", "id"),
    ("zone_id", "reverse_key"),
    ("zone_id", "type", "id"),
    ("zone_id", "ttl", "id"),
    ("zone_id", "changed_revision"),
    ("project_id", "created_at", "id"),
    ("project_id", "updated_at", "id"),
    # With the zone, so that counting reads the index alone.
    ("project_id", "name_key", "id", "zone_id"),
    ("project_id", "type", "id", "zone_id"),
    ("project_id", "ttl", "id", "zone_id"),
    ("created_at", "id"),
    ("managed_resource_id",),
    ("managed_extra",),
):
    sa.Index(f"ix_recordsets_{'_'.join(_columns)}", *(recordsets.c[name] for name in _columns))
_described = recordsets.c.description.is_not(None)
for _columns in (("zone_id", "description"), ("project_id", "description", "zone_id")):
    sa.Index(
        f"ix_recordsets_{'_'.join(_columns)}",
        *(recordsets.c[name] for name in _columns),
        sqlite_where=_described,
        postgresql_where=_described,
    )

records = sa.Table(
    "records",
    metadata,
    sa.Column(
        "recordset_id",
        ID,
        sa.ForeignKey("recordsets.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("zone_id", ID, nullable=False),
    sa.Column("data", TEXT, nullable=False),
    # The first characters of data: what an index can hold on every database.
    sa.Column("data_key", text(DATA_KEY_LENGTH), nullable=False),
    sa.Index("ix_records_zone_id_data_key", "zone_id", "data_key"),
    sa.Index("ix_records_data_key", "data_key"),
    **TABLE,
)

zone_journal = sa.Table(
    "zone_journal",
    metadata,
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("from_serial", sa.BigInteger, nullable=False),
    sa.Column("to_serial", sa.BigInteger, nullable=False),
    sa.Column("deleted_count", sa.Integer, nullable=False),
    sa.Column("added_count", sa.Integer, nullable=False),
    # Old SOA, deleted RRs, new SOA, added RRs; null: not kept, transfer the whole zone.
    sa.Column("payload", BLOB),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Index("ix_zone_journal_zone_id_from_serial", "zone_id", "from_serial"),
    sa.Index("ix_zone_journal_zone_id_to_serial", "zone_id", "to_serial"),
    sa.Index("ix_zone_journal_created_at", "created_at"),
    **TABLE,
)

# Parts of transfers that are too large for one message; gone once the transfer is stored or given up.
inbound_chunks = sa.Table(
    "inbound_chunks",
    metadata,
    sa.Column("transfer_id", ID, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("content", BLOB, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Index("ix_inbound_chunks_zone_id", "zone_id"),
    sa.Index("ix_inbound_chunks_created_at", "created_at"),
    **TABLE,
)

pools = sa.Table(
    "pools",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", text(50), nullable=False, unique=True),
    sa.Column("project_id", ID),
    sa.Column("description", text(160)),
    sa.Column("attributes", sa.JSON, nullable=False),
    # Lists of plain data as the model's codec writes them: always read and written as a whole.
    sa.Column("ns_records", sa.JSON, nullable=False),
    sa.Column("nameservers", sa.JSON, nullable=False),
    sa.Column("targets", sa.JSON, nullable=False),
    sa.Column("also_notifies", sa.JSON, nullable=False),
    sa.Column("catalog_zone", sa.JSON(none_as_null=True)),
    # Grows with every change of ns_records.
    sa.Column("ns_version", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    **TABLE,
)

quotas = sa.Table(
    "quotas",
    metadata,
    sa.Column("project_id", ID, primary_key=True),
    sa.Column("resource", text(32), primary_key=True),
    sa.Column("hard_limit", sa.Integer, nullable=False),
    **TABLE,
)

# How many live zones a project owns: the row that makes its zone quota exact, and the count of
# its unfiltered zone list.
project_usage = sa.Table(
    "project_usage",
    metadata,
    sa.Column("project_id", ID, primary_key=True),
    sa.Column("zones", sa.Integer, nullable=False),
    **TABLE,
)

# How many recordsets a project has in a zone of another owner, while the zone lives. "" is no project.
shared_recordset_counts = sa.Table(
    "guest_recordsets",
    metadata,
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("project_id", ID, primary_key=True),
    sa.Column("owner_id", ID, nullable=False),
    sa.Column("recordsets", sa.Integer, nullable=False),
    sa.Index("ix_guest_recordsets_project_id", "project_id"),
    sa.Index("ix_guest_recordsets_owner_id", "owner_id"),
    **TABLE,
)

# One row per registered domain (the last two labels): written while a zone below it is created,
# because ownership of parents and children spans pools and projects. Written and not only locked, for
# the nodes of a Galera cluster know nothing of each other's locks, but refuse a write that came second.
namespaces = sa.Table(
    "namespaces",
    metadata,
    sa.Column("name_key", NAME, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    **TABLE,
)

tlds = sa.Table(
    "tlds",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", NAME, nullable=False),
    sa.Column("name_key", NAME, nullable=False, unique=True),
    sa.Column("description", text(160)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_tlds_created_at_id", "created_at", "id"),
    **TABLE,
)

blacklists = sa.Table(
    "blacklists",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("pattern", NAME, nullable=False, unique=True),
    sa.Column("description", text(160)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_blacklists_created_at_id", "created_at", "id"),
    **TABLE,
)

tsigkeys = sa.Table(
    "tsigkeys",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", text(160), nullable=False, unique=True),
    sa.Column("name_key", text(160), nullable=False, server_default=sa.text("''")),
    sa.Column("algorithm", text(16), nullable=False),
    sa.Column("secret", text(160), nullable=False),
    sa.Column("scope", text(8), nullable=False),
    # Of a pool or a zone, as the scope says.
    sa.Column("resource_id", ID, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_tsigkeys_created_at_id", "created_at", "id"),
    sa.Index("ix_tsigkeys_resource_id", "resource_id"),
    sa.Index("ix_tsigkeys_name_key", "name_key"),
    **TABLE,
)

transfer_requests = sa.Table(
    "zone_transfer_requests",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
    sa.Column("project_id", ID, nullable=False),
    sa.Column("target_project_id", ID),
    sa.Column("key", text(32), nullable=False),
    sa.Column("description", text(160)),
    sa.Column("status", text(16), nullable=False),
    # The zone's id while the request is active: no zone has two of those.
    sa.Column("active_zone_id", ID, unique=True),
    # Wrong keys so far.
    sa.Column("refusals", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_zone_transfer_requests_zone_id", "zone_id"),
    sa.Index("ix_zone_transfer_requests_project_id", "project_id", "created_at", "id"),
    sa.Index("ix_zone_transfer_requests_target_project_id", "target_project_id"),
    **TABLE,
)

transfer_accepts = sa.Table(
    "zone_transfer_accepts",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), nullable=False),
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
    sa.Index("ix_zone_transfer_accepts_zone_id", "zone_id"),
    sa.Index("ix_zone_transfer_accepts_request", "zone_transfer_request_id"),
    sa.Index("ix_zone_transfer_accepts_project_id", "project_id", "created_at", "id"),
    **TABLE,
)

# Imports and exports: jobs that outlive the process which runs them.
zone_tasks = sa.Table(
    "zone_tasks",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("task_type", text(8), nullable=False),
    sa.Column("project_id", ID, nullable=False),
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE")),
    sa.Column("status", text(16), nullable=False),
    sa.Column("message", text(160)),
    sa.Column("location", text(160)),
    # Who asked, as the job has to act for them: the plain form of their context.
    sa.Column("context", sa.JSON, nullable=False),
    sa.Column("attributes", sa.JSON, nullable=False),
    # Until when the process that runs the job has it; past: anyone may start it anew.
    sa.Column("claimed_until", MOMENT),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("updated_at", MOMENT),
    sa.Index("ix_zone_tasks_zone_id", "zone_id"),
    sa.Index("ix_zone_tasks_project_id", "project_id", "task_type", "created_at", "id"),
    sa.Index("ix_zone_tasks_status", "status", "claimed_until"),
    **TABLE,
)

# The zone file of a task, compressed; apart from its row so that lists do not read it.
zone_task_files = sa.Table(
    "zone_task_files",
    metadata,
    sa.Column("task_id", ID, sa.ForeignKey("zone_tasks.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("content", BLOB, nullable=False),
    **TABLE,
)

service_statuses = sa.Table(
    "service_statuses",
    metadata,
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

# Who is one of a group of processes: each member renews its row; an expired one is removed by
# whoever renews next.
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", text(100), primary_key=True),
    sa.Column("owner", NAME, primary_key=True),
    sa.Column("expires_at", MOMENT, nullable=False),
    sa.Index("ix_leases_expires_at", "expires_at"),
    **TABLE,
)

# The generation of a group grows whenever its members change: the token by which work on a share
# that was lost meanwhile is refused.
lease_groups = sa.Table(
    "lease_groups",
    metadata,
    sa.Column("name", text(100), primary_key=True),
    sa.Column("generation", sa.BigInteger, nullable=False),
    **TABLE,
)

# What is left of zones in the pools that they were moved out of. revision: of the zone, which its new
# pool must serve first; served_at: when it was found to.
moved_zones = sa.Table(
    "moved_zones",
    metadata,
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

# When the newest thing happened to a resource of the cloud that has names in a zone, for each plug-in
# that gives it names.
resource_events = sa.Table(
    "resource_events",
    metadata,
    sa.Column("zone_id", ID, sa.ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("plugin_name", text(50), primary_key=True),
    sa.Column("resource_type", text(50), primary_key=True),
    sa.Column("resource_id", ID, primary_key=True),
    sa.Column("happened_at", MOMENT, nullable=False),
    sa.Index("ix_resource_events_zone_id_happened_at", "zone_id", "happened_at"),
    **TABLE,
)

# Indexes of lists that are sorted by a nullable column.
NULLS_FIRST = frozenset(
    str(index.name)
    for table in (zones, recordsets)
    for index in table.indexes
    if "id" in index.columns and any(column.nullable for column in list(index.columns)[1:])
)
