"""The tables. `alembic/versions` creates them; tests/contract/test_schema.py compares the two.

Names follow Designate's where the meaning is the same. Three principles:

* A zone has a `revision`, which numbers its changes, and a `served_revision`, the newest one that was
  proven on its nameservers. A recordset stores only `changed_revision`; its status is computed.
* A recordset stores its resource records in wire form (`wire`): whole RRs whose owner is the labels below
  the apex and a pointer to offset 12 of the message. Where `ttl` is null the TTL field of each RR is zero
  and the reader inserts the zone's. `records` holds the texts, for the filter.
* `zone_journal` has one row per revision: the IXFR difference as bytes. A row without payload says that
  the difference was too large to store; transfers across it are whole (RFC 1995 section 4).

Indexes that lists read hold null first, as lists do. SQLAlchemy cannot say so for all databases, so the
migrations do it on PostgreSQL; NULLS_FIRST names these indexes.

Columns that are compared ignoring case end in `_key` and hold the lower-case form.
"""

from __future__ import annotations

from designate.storage.sqlalchemy.tables.base import DATA_KEY_LENGTH, ID, LIVE, NAME, metadata
from designate.storage.sqlalchemy.tables.job import zone_task_files, zone_tasks
from designate.storage.sqlalchemy.tables.journal import inbound_chunks, zone_journal
from designate.storage.sqlalchemy.tables.managed_name import resource_events
from designate.storage.sqlalchemy.tables.pool import moved_zones, pools
from designate.storage.sqlalchemy.tables.quota import quotas
from designate.storage.sqlalchemy.tables.recordset import (
    records,
    recordsets,
    shared_recordset_counts,
)
from designate.storage.sqlalchemy.tables.service import lease_groups, leases, service_statuses
from designate.storage.sqlalchemy.tables.share import shared_zones
from designate.storage.sqlalchemy.tables.transfer import transfer_accepts, transfer_requests
from designate.storage.sqlalchemy.tables.tsigkey import tsigkeys
from designate.storage.sqlalchemy.tables.zone import namespaces, project_usage, zones
from designate.storage.sqlalchemy.tables.zone_name import blacklists, tlds

# Indexes of lists that are sorted by a nullable column.
NULLS_FIRST = frozenset(
    str(index.name)
    for table in (zones, recordsets)
    for index in table.indexes
    if "id" in index.columns and any(column.nullable for column in list(index.columns)[1:])
)

__all__ = [
    "DATA_KEY_LENGTH",
    "ID",
    "LIVE",
    "NAME",
    "NULLS_FIRST",
    "blacklists",
    "inbound_chunks",
    "lease_groups",
    "leases",
    "metadata",
    "moved_zones",
    "namespaces",
    "pools",
    "project_usage",
    "quotas",
    "records",
    "recordsets",
    "resource_events",
    "service_statuses",
    "shared_recordset_counts",
    "shared_zones",
    "tlds",
    "transfer_accepts",
    "transfer_requests",
    "tsigkeys",
    "zone_journal",
    "zone_task_files",
    "zone_tasks",
    "zones",
]
