"""Zones: reads, row locks, and the changes that a transaction makes to a zone's row."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any

import sqlalchemy as sa

from designate import errors
from designate.model.codec import to_plain
from designate.model.shards import shard_of
from designate.model.zones import Action, Sample, Status, Zone
from designate.storage.sqlalchemy import shared_zone_counts
from designate.storage.sqlalchemy.db.json_rows import JsonRow
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.db.upsert import insert_or_add
from designate.storage.sqlalchemy.listing.pagination import Scope
from designate.storage.sqlalchemy.tables import LIVE, namespaces, project_usage, shared_zones, zones
from designate.storage.sqlalchemy.zone_rows import (
    API_COLUMNS,
    MASTERS,
    OVERRIDES,
    POOL_VERSION,
    SHARED,
    STORED,
    STORED_COLUMNS,
    StoredZone,
    from_row,
    sample_text,
    stored_from_row,
)

# Statements of the busiest paths are built once, because building one costs more than executing it.
CACHE_KEY = "zone"
ID: sa.BindParameter[str] = sa.bindparam("id")
PROJECT: sa.BindParameter[str] = sa.bindparam("project_id")
IS_LIVE = sa.and_(zones.c.id == ID, zones.c.deleted == LIVE)
VISIBLE = sa.or_(
    zones.c.project_id == PROJECT,
    zones.c.id.in_(
        sa.select(shared_zones.c.zone_id).where(shared_zones.c.target_project_id == PROJECT)
    ),
)
BY_ID = JsonRow(sa.select(*API_COLUMNS, SHARED).where(IS_LIVE))
BY_ID_VISIBLE = BY_ID.where(VISIBLE)
COUNTED = JsonRow(sa.select(*API_COLUMNS, SHARED, zones.c.recordset_count).where(IS_LIVE))
COUNTED_VISIBLE = COUNTED.where(VISIBLE)
UNLOCKED = JsonRow(STORED.where(IS_LIVE))
LOCKED = UNLOCKED.with_for_update()
UNLOCKED_ALL = JsonRow(
    sa.select(*API_COLUMNS, SHARED, *STORED_COLUMNS, POOL_VERSION, *OVERRIDES).where(IS_LIVE)
)
LOCKED_ALL = UNLOCKED_ALL.with_for_update()
UNLOCKED_VISIBLE = UNLOCKED_ALL.where(VISIBLE)
LOCKED_VISIBLE = UNLOCKED_VISIBLE.with_for_update()
INSERT = sa.insert(zones)
ZONE_COUNT = sa.select(project_usage.c.zones).where(project_usage.c.project_id == PROJECT)


def get(connection: sa.Connection, zone_id: str, scope: Scope) -> Zone:
    """Return a live zone that the scope may see; raise NotFound when there is none."""
    return from_row(_row(connection, zone_id, scope, BY_ID, BY_ID_VISIBLE))


def get_with_recordset_count(
    connection: sa.Connection, zone_id: str, scope: Scope
) -> tuple[Zone, int]:
    """Return the zone as get does, and how many recordsets it has."""
    row = _row(connection, zone_id, scope, COUNTED, COUNTED_VISIBLE)
    return from_row(row), row.recordset_count


def _row(
    connection: sa.Connection, zone_id: str, scope: Scope, any_zone: JsonRow, visible: JsonRow
) -> Any:
    select = any_zone if scope.all_projects else visible
    row = select.first(connection.execute, connection.dialect.name, _values(zone_id, scope))
    if row is None:
        raise errors.NotFound("zone")
    return row


def _values(zone_id: str, scope: Scope) -> dict[str, Any]:
    return {"id": zone_id} | ({} if scope.all_projects else {"project_id": scope.project_id})


def get_stored(connection: sa.Connection, zone_id: str) -> StoredZone:
    """Return a live zone as lock does, without a lock; raise NotFound when there is none."""
    row = UNLOCKED.first(connection.execute, connection.dialect.name, {"id": zone_id})
    if row is None:
        raise errors.NotFound("zone")
    return stored_from_row(row)


def lock(tx: Transaction, zone_id: str) -> StoredZone:
    """Return a live zone and lock its row until the transaction ends.

    For internal work: whether the zone is shared and its project's quotas are not read.

    Raises:
        NotFound: There is no such zone.
    """
    row = tx.lock(UNLOCKED, LOCKED).first(tx.execute, tx.dialect, {"id": zone_id})
    if row is None:
        raise errors.NotFound("zone")
    return stored_from_row(row)


def lock_visible(tx: Transaction, zone_id: str, scope: Scope) -> StoredZone:
    """Return a live zone with all that a client's change needs, in at most one statement.

    Its row is locked until the transaction ends.

    Raises:
        NotFound: There is no such zone, or the scope may not see it.
    """
    cached: tuple[Scope, StoredZone] | None = tx.cached((CACHE_KEY, zone_id))
    if cached is not None and cached[0] == scope:
        return cached[1]
    select = (
        tx.lock(UNLOCKED_ALL, LOCKED_ALL)
        if scope.all_projects
        else tx.lock(UNLOCKED_VISIBLE, LOCKED_VISIBLE)
    )
    row = select.first(tx.execute, tx.dialect, _values(zone_id, scope))
    if row is None:
        raise errors.NotFound("zone")
    found = stored_from_row(row)
    tx.cache((CACHE_KEY, zone_id), (scope, found))
    return found


def lock_namespace(tx: Transaction, name: str) -> None:
    """Lock the registered domain of the name, so that no other zone is added below it meanwhile."""
    key = ".".join(name.lower().rstrip(".").split(".")[-2:]) + "."
    tx.execute(insert_or_add(tx.dialect, namespaces, "version"), {"name_key": key, "version": 1})


def add_to_zone_count(tx: Transaction, project_id: str, change: int) -> int:
    """Add to the project's number of zones, lock its row, and return the new number."""
    row = {"project_id": project_id, "zones": change}
    if change > 0:
        tx.execute(insert_or_add(tx.dialect, project_usage, "zones"), row)
    else:
        own = project_usage.c.project_id == project_id
        tx.execute(sa.update(project_usage).where(own).values(zones=project_usage.c.zones + change))
    return int(tx.execute(ZONE_COUNT, {"project_id": project_id}).scalar_one())


def insert(
    tx: Transaction,
    zone: Zone,
    soa_wire: bytes,
    *,
    ns_version: int,
    recordset_count: int,
    record_count: int = 0,
    refresh_at: datetime | None = None,
    sample: Sample | None = None,
) -> None:
    """Insert a zone.

    Args:
        tx: The transaction.
        zone: The zone.
        soa_wire: The SOA's data in wire form.
        ns_version: The pool's ns_version that the apex NS set was built from.
        recordset_count: How many recordsets it has.
        record_count: How many records of unmanaged recordsets it has.
        refresh_at: When the primaries of a secondary zone are queried.
        sample: Part of the content, by which nameservers are compared.

    Raises:
        DBDuplicateEntry: The pool has a live zone of that name.
    """
    key = zone.name.lower()
    values = {
        name: getattr(zone, name)
        for name in Zone.__slots__
        if name in zones.c and name not in ("shared", "masters")
    }
    tx.execute(
        INSERT,
        {
            **values,
            "name_key": key,
            "reverse_key": key[::-1],
            "soa_wire": soa_wire,
            "sample": sample_text(sample),
            "ns_version": ns_version,
            "masters": to_plain(MASTERS, zone.masters),
            "hard_delete": False,
            "recordset_count": recordset_count,
            "record_count": record_count,
            "refresh_at": refresh_at,
            "shard": shard_of(zone.id),
            "deleted": LIVE,
        },
    )


def update(tx: Transaction, zone_id: str, **columns: Any) -> None:
    """Set columns of the zone's row and add one to its version."""
    tx.flush()
    _update(tx, zone_id, columns)


def update_locked(
    tx: Transaction, before: StoredZone, after: Zone, columns: Mapping[str, Any]
) -> None:
    """Set columns of the locked zone's row; a batch sets those of all its writes at once.

    Args:
        tx: The transaction.
        before: The zone as it was locked.
        after: The zone after the change.
        columns: The new values.
    """
    tx.defer((CACHE_KEY, after.id), partial(_update_batch, tx, after.id), columns)
    cached: tuple[Scope, StoredZone] | None = tx.cached((CACHE_KEY, after.id))
    if cached is not None:
        stored = {name: value for name, value in columns.items() if name in StoredZone.__slots__}
        tx.cache((CACHE_KEY, after.id), (cached[0], replace(before, zone=after, **stored)))


def _update_batch(tx: Transaction, zone_id: str, changes: list[Mapping[str, Any]]) -> None:
    columns = dict(ChainMap(*map(dict, reversed(changes))))
    _update(tx, zone_id, columns, versions=len(changes))


def _update(tx: Transaction, zone_id: str, columns: dict[str, Any], versions: int = 1) -> None:
    if "masters" in columns:
        columns["masters"] = to_plain(MASTERS, columns["masters"])
    if "sample" in columns:
        columns["sample"] = sample_text(columns["sample"])
    values = {"zone_id": zone_id, "versions": versions, **columns}
    tx.execute_unflushed(_update_statement(tuple(sorted(columns))), values)


@cache
def _update_statement(names: tuple[str, ...]) -> sa.Update:
    return (
        sa.update(zones)
        .where(zones.c.id == sa.bindparam("zone_id"))
        .values(
            version=zones.c.version + sa.bindparam("versions", type_=sa.Integer),
            **{name: sa.bindparam(name) for name in names},
        )
    )


def has_children(connection: sa.Connection, zone_id: str) -> bool:
    """Return whether there are live zones whose parent the zone is."""
    return (
        connection.execute(
            sa.select(zones.c.id)
            .where(zones.c.parent_zone_id == zone_id, zones.c.deleted == LIVE)
            .limit(1)
        ).first()
        is not None
    )


def soft_delete(tx: Transaction, zone: Zone, now: datetime) -> None:
    """Soft-delete the zone: its row is invisible until it is purged, and its name is free again."""
    update(
        tx,
        zone.id,
        deleted=zone.id,
        deleted_at=now,
        action=Action.NONE,
        status=Status.DELETED,
        pending_since=None,
        error=None,
        updated_at=now,
    )
    shared_zone_counts.clear(tx, zone.id)
    if zone.project_id is not None:
        add_to_zone_count(tx, zone.project_id, -1)
