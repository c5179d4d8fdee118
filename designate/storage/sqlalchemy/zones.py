"""Zones: rows to values, lists, and the changes that a transaction makes to a zone's row."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

import sqlalchemy as sa

from designate import errors
from designate.model.codec import from_plain, to_plain
from designate.model.query import Page, Query
from designate.model.shards import SHARDS, shard_of
from designate.model.zones import Action, PrimaryAddress, Status, Zone, ZoneId, ZoneType
from designate.storage.sqlalchemy import shared_zone_counts
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.db.json_rows import JsonRow, JsonRows
from designate.storage.sqlalchemy.db.upsert import adding
from designate.storage.sqlalchemy.listing import pagination as queries
from designate.storage.sqlalchemy.listing.pagination import Condition, Scope
from designate.storage.sqlalchemy.tables import (
    LIVE,
    namespaces,
    pools,
    project_usage,
    quotas,
    shared_zones,
    zones,
)

MASTERS = tuple[PrimaryAddress, ...]

SORT_COLUMNS = {
    "created_at": zones.c.created_at,
    "id": zones.c.id,
    "updated_at": zones.c.updated_at,
    "name": zones.c.name_key,
    "tenant_id": zones.c.project_id,
    "serial": zones.c.serial,
    "ttl": zones.c.ttl,
    "status": zones.c.status,
}

SHARED = sa.exists().where(shared_zones.c.zone_id == zones.c.id).label("shared")
MOST_SHARES_LISTED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredZone:
    """A zone with what only the services see. soa_wire: the SOA's data in wire form. pool_version:
    of its pool. overrides: its project's own limits, where it has any. primary_serial: of a secondary
    zone's content, its primary's serial; None without content. expired: the content is too old to be
    served; withdrawn: and the nameservers were proven to have dropped it."""

    zone: Zone
    soa_wire: bytes
    recordset_count: int
    record_count: int
    hard_delete: bool
    pool_version: int
    overrides: Mapping[str, int]
    primary_serial: int | None = None
    expired: bool = False
    withdrawn: bool = False


def value(row: Any) -> Zone:
    """The zone of a row, whose `shared` the select adds."""
    return Zone(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        type=ZoneType(row.type),
        email=row.email,
        ttl=row.ttl,
        serial=row.serial,
        revision=row.revision,
        served_revision=row.served_revision,
        action=Action(row.action),
        status=Status(row.status),
        pool_id=row.pool_id,
        mname=row.mname,
        refresh=row.refresh,
        retry=row.retry,
        expire=row.expire,
        minimum=row.minimum,
        created_at=row.created_at,
        version=row.version,
        description=row.description,
        parent_zone_id=row.parent_zone_id,
        attributes=row.attributes,
        masters=from_plain(MASTERS, row.masters),
        shared=bool(row.shared),
        error=row.error,
        pending_since=row.pending_since,
        updated_at=row.updated_at,
        transferred_at=row.transferred_at,
    )


def of_row(row: Any) -> StoredZone:
    return StoredZone(
        zone=value(row),
        soa_wire=row.soa_wire,
        recordset_count=row.recordset_count,
        record_count=row.record_count,
        hard_delete=row.hard_delete,
        pool_version=row.pool_version,
        primary_serial=row.primary_serial,
        expired=row.expired_at is not None,
        withdrawn=row.withdrawn,
        overrides={
            name: limit
            for name in LIMITS
            if (limit := getattr(row, f"limit_{name}", None)) is not None
        },
    )


# A column that nobody reads costs as much as one that is read: about the twentieth part of a lookup.
SHOWN: tuple[sa.ColumnElement[Any], ...] = tuple(
    column for column in zones.c if column.name in Zone.__slots__
)
LISTED = JsonRows(*SHOWN, SHARED)
KEPT: tuple[sa.ColumnElement[Any], ...] = tuple(
    column for column in zones.c if column.name in (*StoredZone.__slots__, "expired_at")
)
# Statements of the busiest paths are made once: putting one together costs more than running it.
NOTE = "zone"
ID: sa.BindParameter[str] = sa.bindparam("id")
PROJECT: sa.BindParameter[str] = sa.bindparam("project_id")
LIMITS = ("zone_recordsets", "zone_records", "recordset_records")
POOL_VERSION = (
    sa.select(pools.c.version)
    .where(pools.c.id == zones.c.pool_id)
    .scalar_subquery()
    .label("pool_version")
)
OVERRIDES = tuple(
    sa.select(quotas.c.hard_limit)
    .where(quotas.c.project_id == zones.c.project_id, quotas.c.resource == name)
    .scalar_subquery()
    .label(f"limit_{name}")
    for name in LIMITS
)
STORED: sa.Select[Any] = sa.select(*SHOWN, *KEPT, sa.false().label("shared"), POOL_VERSION)
IS_LIVE = sa.and_(zones.c.id == ID, zones.c.deleted == LIVE)
BY_ID = JsonRow(sa.select(*SHOWN, SHARED).where(IS_LIVE))
VISIBLE = sa.or_(
    zones.c.project_id == PROJECT,
    zones.c.id.in_(
        sa.select(shared_zones.c.zone_id).where(shared_zones.c.target_project_id == PROJECT)
    ),
)
BY_ID_VISIBLE = BY_ID.where(VISIBLE)
COUNTED = JsonRow(sa.select(*SHOWN, SHARED, zones.c.recordset_count).where(IS_LIVE))
COUNTED_VISIBLE = COUNTED.where(VISIBLE)
UNLOCKED = JsonRow(STORED.where(IS_LIVE))
LOCKED = UNLOCKED.with_for_update()
UNLOCKED_ALL = JsonRow(sa.select(*SHOWN, SHARED, *KEPT, POOL_VERSION, *OVERRIDES).where(IS_LIVE))
LOCKED_ALL = UNLOCKED_ALL.with_for_update()
UNLOCKED_VISIBLE = UNLOCKED_ALL.where(VISIBLE)
INSERT = sa.insert(zones)
OWNED = sa.select(project_usage.c.zones).where(project_usage.c.project_id == PROJECT)
LOCKED_VISIBLE = UNLOCKED_VISIBLE.with_for_update()


def get(connection: sa.Connection, zone_id: str, scope: Scope) -> Zone:
    """Raises NotFound when there is no such zone or the scope does not see it."""
    return value(_row(connection, zone_id, scope, BY_ID, BY_ID_VISIBLE))


def get_with_recordset_count(
    connection: sa.Connection, zone_id: str, scope: Scope
) -> tuple[Zone, int]:
    """As get, and how many recordsets the zone has."""
    row = _row(connection, zone_id, scope, COUNTED, COUNTED_VISIBLE)
    return value(row), row.recordset_count


def _row(
    connection: sa.Connection,
    zone_id: str,
    scope: Scope,
    of_all: JsonRow,
    visible: JsonRow,
) -> Any:
    lookup = of_all if scope.all_projects else visible
    values = _values(zone_id, scope)
    row = lookup.first(connection.execute, connection.dialect.name, values)
    if row is None:
        raise errors.NotFound("zone")
    return row


def _values(zone_id: str, scope: Scope) -> dict[str, Any]:
    return {"id": zone_id} | ({} if scope.all_projects else {"project_id": scope.project_id})


def stored(connection: sa.Connection, zone_id: str) -> StoredZone:
    """As lock, for reading alone. Raises NotFound."""
    row = UNLOCKED.first(connection.execute, connection.dialect.name, {"id": zone_id})
    if row is None:
        raise errors.NotFound("zone")
    return of_row(row)


def lock(tx: Transaction, zone_id: str) -> StoredZone:
    """The zone for the services' own work, its row held until the transaction ends: who shares it
    and what its project may have are left out. Raises NotFound."""
    row = tx.lock(UNLOCKED, LOCKED).first(tx.execute, tx.dialect, {"id": zone_id})
    if row is None:
        raise errors.NotFound("zone")
    return of_row(row)


def lock_visible(tx: Transaction, zone_id: str, scope: Scope) -> StoredZone:
    """All that a change for somebody has to know of the zone, in one statement at most; its row is
    held until the transaction ends. Raises NotFound, also when the scope does not see the zone."""
    noted: tuple[Scope, StoredZone] | None = tx.cached((NOTE, zone_id))
    if noted is not None and noted[0] == scope:
        return noted[1]
    lookup = (
        tx.lock(UNLOCKED_ALL, LOCKED_ALL)
        if scope.all_projects
        else tx.lock(UNLOCKED_VISIBLE, LOCKED_VISIBLE)
    )
    row = lookup.first(tx.execute, tx.dialect, _values(zone_id, scope))
    if row is None:
        raise errors.NotFound("zone")
    found = of_row(row)
    tx.cache((NOTE, zone_id), (scope, found))
    return found


def _filters(query: Query) -> list[Condition]:
    conditions: list[Condition] = []
    for name, value in query.filters.items():
        if name == "name":
            conditions.append(queries.match_name(zones, value))
        elif name == "ttl":
            conditions.append(queries.match_integer(zones.c.ttl, value))
        elif name in ("type", "email", "status", "description"):
            conditions.append(queries.match(zones.c[name], value))
        else:
            raise errors.BadRequest(f"Invalid filters {name}")
    return conditions


def find(
    connection: sa.Connection, query: Query, scope: Scope, *, limit: int, catalogs: bool
) -> Page[Zone]:
    """One page of the zones that the scope sees, pending deletions included.

    catalogs: whether catalog zones are shown. At most five statements, whatever is found.
    """
    if not scope.all_projects and scope.project_id is None:
        return Page(items=(), total_count=0)
    visible: list[Condition] = [zones.c.deleted == LIVE]
    if not catalogs:
        visible.append(zones.c.type != ZoneType.CATALOG)
    shared_ids: Sequence[str] = ()
    if not scope.all_projects:
        shared_ids = (
            connection.execute(
                sa.select(shared_zones.c.zone_id)
                .where(shared_zones.c.target_project_id == scope.project_id)
                .limit(MOST_SHARES_LISTED)
            )
            .scalars()
            .all()
        )
        visible.append(
            sa.or_(zones.c.project_id == scope.project_id, zones.c.id.in_(shared_ids))
            if shared_ids
            else zones.c.project_id == scope.project_id
        )
    conditions = [*visible, *_filters(query)]
    dialect = connection.dialect.name
    if query.filters or shared_ids:
        count = sa.select(sa.func.count()).select_from(zones).where(*conditions)
    else:
        count = sa.select(sa.func.coalesce(sa.func.sum(project_usage.c.zones), 0))
        if not scope.all_projects:
            count = count.where(project_usage.c.project_id == scope.project_id)
    total = int(connection.execute(count).scalar_one())
    few = bool(query.filters) and total <= queries.FEW
    if few:
        # Left to itself MariaDB walks the whole index of the order for them.
        found = sa.select(zones.c.id).where(*conditions)
        ids = connection.execute(found).scalars().all() if total else ()
        conditions = [zones.c.id.in_(ids)]
    statement = sa.select(*LISTED.columns(dialect)).where(*conditions)
    column = SORT_COLUMNS.get(query.sort_key)
    if column is not None and not query.filters and not shared_ids:
        owner = () if scope.all_projects else ("project_id",)
        statement = queries.by_index(statement, zones, *owner, "deleted", column.name, "id")
    statement = queries.page(
        connection,
        statement,
        query,
        table=zones,
        sort_columns=SORT_COLUMNS,
        limit=limit,
        visible=visible,
        few=few,
    )
    rows = LISTED.rows(connection.execute(statement), dialect)
    return Page(items=tuple(value(row) for row in rows), total_count=total)


def lock_namespace(tx: Transaction, name: str) -> None:
    """Hold the registered domain of the name, so that nobody else adds a zone under it meanwhile."""
    key = ".".join(name.lower().rstrip(".").split(".")[-2:]) + "."
    tx.execute(adding(tx.dialect, namespaces, "version"), {"name_key": key, "version": 1})


def add_to_zone_count(tx: Transaction, project_id: str, change: int) -> int:
    """Add to the project's number of zones, holding its row; answers the new number."""
    row = {"project_id": project_id, "zones": change}
    if change > 0:
        tx.execute(adding(tx.dialect, project_usage, "zones"), row)
    else:
        own = project_usage.c.project_id == project_id
        tx.execute(sa.update(project_usage).where(own).values(zones=project_usage.c.zones + change))
    return int(tx.execute(OWNED, {"project_id": project_id}).scalar_one())


def insert(
    tx: Transaction,
    zone: Zone,
    soa_wire: bytes,
    *,
    ns_version: int,
    recordset_count: int,
    record_count: int = 0,
    refresh_at: datetime | None = None,
) -> None:
    """refresh_at: when the primaries of a secondary zone are asked. Raises oslo.db's DBDuplicateEntry
    when the pool has a live zone of that name."""
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
    """Set columns of the zone's row; its version grows by one."""
    tx.flush()
    _update(tx, zone_id, columns)


def update_locked(
    tx: Transaction, before: StoredZone, after: Zone, columns: Mapping[str, Any]
) -> None:
    """Set columns of the locked zone's row, whose zone is `after` then. Works that share a transaction
    do it together."""
    tx.defer((NOTE, after.id), partial(_advance, tx, after.id), columns)
    noted: tuple[Scope, StoredZone] | None = tx.cached((NOTE, after.id))
    if noted is not None:
        kept = {name: value for name, value in columns.items() if name in StoredZone.__slots__}
        tx.cache((NOTE, after.id), (noted[0], replace(before, zone=after, **kept)))


def _advance(tx: Transaction, zone_id: str, steps: list[Mapping[str, Any]]) -> None:
    columns = dict(ChainMap(*map(dict, reversed(steps))))
    _update(tx, zone_id, columns, versions=len(steps))


def _update(tx: Transaction, zone_id: str, columns: dict[str, Any], versions: int = 1) -> None:
    if "masters" in columns:
        columns["masters"] = to_plain(MASTERS, columns["masters"])
    values = {"zone_id": zone_id, "versions": versions, **columns}
    tx.execute_unflushed(_updating(tuple(sorted(columns))), values)


@cache
def _updating(names: tuple[str, ...]) -> sa.Update:
    return (
        sa.update(zones)
        .where(zones.c.id == sa.bindparam("zone_id"))
        .values(
            version=zones.c.version + sa.bindparam("versions", type_=sa.Integer),
            **{name: sa.bindparam(name) for name in names},
        )
    )


def has_children(connection: sa.Connection, zone_id: str) -> bool:
    return (
        connection.execute(
            sa.select(zones.c.id)
            .where(zones.c.parent_zone_id == zone_id, zones.c.deleted == LIVE)
            .limit(1)
        ).first()
        is not None
    )


def soft_delete(tx: Transaction, zone: Zone, now: datetime) -> None:
    """Make the deleted zone a tombstone: invisible, its name free again, kept until the purge."""
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


def claim_pending(
    tx: Transaction,
    shards: tuple[int, int],
    now: datetime,
    *,
    limit: int,
    under_way: int,
    pending_age_s: float,
    error_age_s: float,
) -> list[StoredZone]:
    """Zones that wait for their nameservers and were not handed out lately, those first that were
    left alone longest, so that none of many that cannot be helped keeps the others waiting; marked as
    handed out now. under_way: most of them that wait and were handed out lately; there are no more
    before some of those are served. pending_age_s: that is lately for new changes; error_age_s: for
    those that were given up once. Secondary zones are left out while they have no content, and when it
    expired and is gone from the nameservers: there is nothing to serve."""
    quiet = now - timedelta(seconds=pending_age_s)
    failed = now - timedelta(seconds=error_age_s)
    unserved = (
        zones.c.deleted == LIVE,
        zones.c.shard.between(*shards),
        zones.c.status.in_((Status.PENDING, Status.ERROR)),
    )
    waiting = sa.or_(
        sa.and_(
            zones.c.status == Status.PENDING,
            zones.c.error.is_(None),
            zones.c.pending_since <= quiet,
            sa.or_(zones.c.sent_at.is_(None), zones.c.sent_at <= quiet),
        ),
        sa.and_(
            sa.or_(zones.c.status == Status.ERROR, zones.c.error.is_not(None)),
            sa.or_(zones.c.sent_at.is_(None), zones.c.sent_at <= failed),
        ),
    )
    content = sa.or_(
        zones.c.type != ZoneType.SECONDARY,
        sa.and_(
            zones.c.transferred_at.is_not(None),
            sa.or_(zones.c.expired_at.is_(None), sa.not_(zones.c.withdrawn)),
        ),
        zones.c.action == Action.DELETE,
    )
    rows = tx.execute(
        STORED.where(
            *unserved,
            waiting,
            content,
        )
        .order_by(sa.func.coalesce(zones.c.sent_at, zones.c.pending_since))
        .limit(limit)
    ).all()
    if rows:
        lately = sa.select(zones.c.id).where(*unserved, zones.c.sent_at > quiet).limit(under_way)
        out = tx.execute(sa.select(sa.func.count()).select_from(lately.subquery())).scalar_one()
        rows = rows[: max(0, under_way - out)]
    if rows:
        tx.execute(
            sa.update(zones).where(zones.c.id.in_([row.id for row in rows])).values(sent_at=now)
        )
    return [of_row(row) for row in rows]


def find_converged(
    connection: sa.Connection, shards: tuple[int, int], after: str, limit: int
) -> list[StoredZone]:
    """Zones that their nameservers are thought to serve and for which nothing is under way, in the
    order of their ids, which is that of the shards, behind the id `after`."""
    first, last = shards
    rows = connection.execute(
        STORED.where(
            zones.c.id > max(after, f"{first:03x}"),
            zones.c.id < (f"{last + 1:03x}" if last + 1 < SHARDS else "g"),
            zones.c.deleted == LIVE,
            zones.c.status == Status.ACTIVE,
            zones.c.action == Action.NONE,
            zones.c.expired_at.is_(None),
        )
        .order_by(zones.c.id)
        .limit(limit)
    )
    return [of_row(row) for row in rows]


def find_outdated(
    connection: sa.Connection, pool_id: str, ns_version: int, limit: int, shards: tuple[int, int]
) -> list[ZoneId]:
    """Primary zones of the pool whose apex NS set is older than ns_version."""
    rows = connection.execute(
        sa.select(zones.c.id)
        .where(
            zones.c.pool_id == pool_id,
            zones.c.deleted == LIVE,
            zones.c.ns_version < ns_version,
            zones.c.shard.between(*shards),
            zones.c.type == ZoneType.PRIMARY,
            zones.c.action != Action.DELETE,
        )
        .limit(limit)
    )
    return [ZoneId(row.id) for row in rows]


def purge(tx: Transaction, shards: tuple[int, int], before: datetime, limit: int) -> int:
    """Remove tombstones older than `before` with all that belongs to them."""
    ids = (
        tx.execute(
            sa.select(zones.c.id)
            .where(
                zones.c.deleted != LIVE,
                zones.c.deleted_at <= before,
                zones.c.shard.between(*shards),
            )
            .limit(limit)
        )
        .scalars()
        .all()
    )
    if ids:
        tx.execute(sa.delete(zones).where(zones.c.id.in_(ids)))
    return len(ids)
