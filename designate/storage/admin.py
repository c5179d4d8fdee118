"""TLDs, blacklists, TSIG keys and service statuses."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from designate.model.admin import Blacklist, ServiceStatus, Tld, TsigKey, TsigScope
from designate.storage.rows import Rows
from designate.storage.tables import (
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

_PATTERNS = sa.select(blacklists.c.pattern)
_ALLOWED = sa.select(
    sa.exists().where(tlds.c.id.is_not(None)),
    sa.exists().where(tlds.c.name_key.in_(sa.bindparam("suffixes", expanding=True))),
    sa.exists().where(tlds.c.name_key == sa.bindparam("name")),
)


def patterns(connection: sa.Connection) -> list[str]:
    """Every blacklist's."""
    return list(connection.execute(_PATTERNS).scalars())


def tld_says(connection: sa.Connection, name: str, suffixes: Sequence[str]) -> tuple[bool, bool]:
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
