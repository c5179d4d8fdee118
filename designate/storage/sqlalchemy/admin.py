"""TLDs, blacklists, TSIG keys and service statuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from designate.model.admin import (
    Blacklist,
    ServiceState,
    ServiceStatus,
    Tld,
    TsigKey,
    TsigScope,
)
from designate.model.query import Page, Query
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.db.rows import Rows
from designate.storage.sqlalchemy.listing.pagination import Condition
from designate.storage.sqlalchemy.tables import (
    LIVE,
    blacklists,
    pools,
    service_statuses,
    tlds,
    tsigkeys,
    zones,
)

DATES = ("created_at", "id", "updated_at")
TLDS = Rows(Tld, tlds, "tld", sort_keys=(*DATES, "name"), filters=("name",))
BLACKLISTS = Rows(
    Blacklist, blacklists, "blacklist", sort_keys=(*DATES, "pattern"), filters=("pattern",)
)
TSIGKEYS = Rows(
    TsigKey,
    tsigkeys,
    "tsigkey",
    sort_keys=(*DATES, "name"),
    filters=("name", "algorithm", "scope"),
)
SERVICES = Rows(
    ServiceStatus,
    service_statuses,
    "service_status",
    sort_keys=(*DATES, "hostname", "service_name", "status"),
    filters=("hostname", "service_name", "status"),
)

MOST_SERVICES = 10_000

_PATTERNS = sa.select(blacklists.c.pattern)
_ALLOWED = sa.select(
    sa.exists().where(tlds.c.id.is_not(None)),
    sa.exists().where(tlds.c.name_key.in_(sa.bindparam("suffixes", expanding=True))),
    sa.exists().where(tlds.c.name_key == sa.bindparam("name")),
)


def blacklist_patterns(connection: sa.Connection) -> list[str]:
    """Every blacklist's."""
    return list(connection.execute(_PATTERNS).scalars())


def check_tld(connection: sa.Connection, name: str, suffixes: Sequence[str]) -> tuple[bool, bool]:
    """(allowed, equals a TLD) of a lower-case zone name without the trailing dot. suffixes: the names
    above it. Everything is allowed while there is no TLD at all."""
    values = {"suffixes": list(suffixes) or [""], "name": name}
    some, below, same = connection.execute(_ALLOWED, values).one()
    return not some or bool(below) or bool(same), bool(same)


def resource_exists(connection: sa.Connection, kind: str, id: str) -> bool:
    """kind: pool or zone."""
    if kind == "pool":
        statement = sa.select(pools.c.id).where(pools.c.id == id)
    else:
        statement = sa.select(zones.c.id).where(zones.c.id == id, zones.c.deleted == LIVE)
    return connection.execute(statement).first() is not None


def service(connection: sa.Connection, service_name: str, hostname: str) -> ServiceStatus | None:
    return SERVICES.first(
        connection,
        service_statuses.c.service_name == service_name,
        service_statuses.c.hostname == hostname,
    )


def find_services(
    connection: sa.Connection, query: Query, silent_since: datetime, *, limit: int
) -> Page[ServiceStatus]:
    """One page. A service that is UP but said nothing since a moment is found as DOWN."""
    wanted = query.filters.get("status")
    if wanted not in (ServiceState.UP, ServiceState.DOWN):
        return SERVICES.find(connection, query, limit=limit)
    says_up = service_statuses.c.status == ServiceState.UP
    silent = sa.or_(
        service_statuses.c.heartbeated_at.is_(None),
        service_statuses.c.heartbeated_at < silent_since,
    )
    if wanted == ServiceState.UP:
        condition = sa.and_(says_up, sa.not_(silent))
    else:
        condition = sa.or_(service_statuses.c.status == ServiceState.DOWN, sa.and_(says_up, silent))
    others = {name: value for name, value in query.filters.items() if name != "status"}
    return SERVICES.find(connection, replace(query, filters=others), condition, limit=limit)


def mark_down(tx: Transaction, before: datetime, now: datetime, limit: int) -> int:
    """Services that are UP and said nothing since a moment become DOWN; answers how many."""
    silent = (
        service_statuses.c.status == ServiceState.UP,
        service_statuses.c.heartbeated_at < before,
    )
    ids = _service_ids(tx, limit, *silent)
    for id in ids:
        tx.execute(
            sa.update(service_statuses)
            .where(service_statuses.c.id == id, *silent)
            .values(status=ServiceState.DOWN, updated_at=now)
        )
    return len(ids)


def delete_stopped_services(tx: Transaction, down_before: datetime | None, limit: int) -> int:
    """Services that stopped go, and those that are DOWN and said nothing since a moment (None: not
    those); answers how many."""
    gone: Condition = service_statuses.c.status == ServiceState.STOPPED
    if down_before is not None:
        gone = sa.or_(
            gone,
            sa.and_(
                service_statuses.c.status == ServiceState.DOWN,
                service_statuses.c.heartbeated_at < down_before,
            ),
        )
    ids = _service_ids(tx, limit, gone)
    for id in ids:
        tx.execute(sa.delete(service_statuses).where(service_statuses.c.id == id, gone))
    return len(ids)


def find_stale_services(connection: sa.Connection, before: datetime) -> list[ServiceStatus]:
    """Services that said nothing since a moment, whatever their status."""
    page = Query(sort_key="hostname")
    return list(
        SERVICES.find(
            connection, page, service_statuses.c.heartbeated_at < before, limit=MOST_SERVICES
        ).items
    )


def _service_ids(tx: Transaction, limit: int, *conditions: Condition) -> list[str]:
    statement = sa.select(service_statuses.c.id).where(*conditions).limit(limit)
    return list(tx.execute(statement).scalars())


def pool_has_key(connection: sa.Connection, pool_id: str) -> bool:
    """Whether the pool has a TSIG key of its own."""
    statement = sa.select(tsigkeys.c.id).where(
        tsigkeys.c.resource_id == pool_id, tsigkeys.c.scope == TsigScope.POOL
    )
    return connection.execute(statement.limit(1)).first() is not None


def has_namesake(connection: sa.Connection, key_id: str, name: str) -> bool:
    """Whether another TSIG key has this lower-case name, with or without its trailing dot."""
    statement = sa.select(tsigkeys.c.id).where(
        tsigkeys.c.name_key.in_((name, name.removesuffix("."))), tsigkeys.c.id != key_id
    )
    return connection.execute(statement.limit(1)).first() is not None
