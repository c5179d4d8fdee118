"""The reads of MiniDNS: zones by name, recordsets at names, streams of whole zones.

Each function is one statement on the given connection, so that reads inside one `Database.read()` see one
snapshot of a zone. The statements are built once: for the small reads of a DNS query, building them costs
more than executing them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from designate.model.codec import from_plain
from designate.model.tsigkeys import ALL_POOLS, TsigScope
from designate.model.zones import Action, PrimaryAddress, ZoneType
from designate.runtime.clock import utcnow
from designate.runtime.cooperative import yield_to_others
from designate.storage.sqlalchemy.tables import LIVE, recordsets, tsigkeys, zones

STREAM_BATCH = 4000


@dataclass(frozen=True, slots=True)
class ServedZone:
    """A zone as it is served.

    Attributes:
        ttl: In seconds, as minimum.
        soa_wire: The SOA's data in wire form.
        recordset_count: Approximately how many recordsets it has.
        expires_at: When the content of a secondary zone expires.
    """

    id: str
    name: str
    type: str
    revision: int
    serial: int
    ttl: int
    minimum: int
    soa_wire: bytes
    recordset_count: int
    expires_at: datetime | None = None

    @property
    def expired(self) -> bool:
        """Whether the content is too old to be served (RFC 1034 section 4.3.5)."""
        return self.expires_at is not None and self.expires_at <= utcnow()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The zones that a client may see: those of a pool, a single zone of any pool, or with neither all."""

    pool_id: str | None = None
    zone_id: str | None = None

    def shows(self, zone_id: str, pool_id: str) -> bool:
        """Return whether the view has a zone of a pool."""
        return self == ALL_ZONES or zone_id == self.zone_id or pool_id == self.pool_id


ALL_ZONES = View()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTsigKey:
    """A TSIG key with its base64 secret and the view that it gives access to."""

    id: str
    name: str
    algorithm: str
    secret: str = field(repr=False)
    view: View


@dataclass(frozen=True, slots=True)
class StoredSecondary:
    """A secondary zone that a NOTIFY may concern.

    Attributes:
        primary_serial: The primary's serial of its content. None: it has none that can be served, so
            that every serial is newer.
    """

    id: str
    pool_id: str
    masters: tuple[PrimaryAddress, ...]
    primary_serial: int | None


@dataclass(frozen=True, slots=True)
class StoredRRset:
    """A recordset as it is stored for serving.

    Attributes:
        wire: Whole RRs with owners relative to the zone, with TTL fields of zero where ttl is None;
            empty for the SOA.
    """

    id: str
    record_count: int
    name_key: str
    type: str
    ttl: int | None
    wire: bytes


_SERVED = sa.select(*(zones.c[name] for name in ServedZone.__slots__)).where(
    zones.c.name_key.in_(sa.bindparam("keys", expanding=True)),
    zones.c.deleted == LIVE,
    zones.c.action != Action.DELETE,
    sa.or_(zones.c.type != ZoneType.SECONDARY, zones.c.transferred_at.is_not(None)),
)
_FIND_IN_POOL = _SERVED.where(zones.c.pool_id == sa.bindparam("pool"))
_FIND_ONE = _SERVED.where(zones.c.id == sa.bindparam("zone"))
_KEY = (
    sa.select(
        tsigkeys.c.id,
        tsigkeys.c.name,
        tsigkeys.c.algorithm,
        tsigkeys.c.secret,
        tsigkeys.c.scope,
        tsigkeys.c.resource_id,
    )
    .where(tsigkeys.c.name_key.in_((sa.bindparam("name"), sa.bindparam("dotless"))))
    .order_by(tsigkeys.c.created_at.desc())
    .limit(1)
)
_SECONDARIES = sa.select(
    zones.c.id, zones.c.pool_id, zones.c.masters, zones.c.primary_serial, zones.c.expired_at
).where(
    zones.c.name_key == sa.bindparam("key"),
    zones.c.deleted == LIVE,
    zones.c.type == ZoneType.SECONDARY,
    zones.c.action != Action.DELETE,
)
_OF_ZONE = recordsets.c.zone_id == sa.bindparam("zone")
_AT_NAMES = sa.select(*(recordsets.c[name] for name in StoredRRset.__slots__)).where(
    _OF_ZONE,
    recordsets.c.name_key.in_(sa.bindparam("keys", expanding=True)),
    sa.or_(recordsets.c.record_count > 0, recordsets.c.type == "SOA"),
)
_KEYS = sa.select(recordsets.c.reverse_key).where(_OF_ZONE, recordsets.c.record_count > 0).limit(1)
_BEHIND = (
    _KEYS.where(recordsets.c.reverse_key >= sa.bindparam("place"))
    .order_by(recordsets.c.reverse_key)
    .subquery()
)
_BEFORE = (
    _KEYS.where(recordsets.c.reverse_key < sa.bindparam("place"))
    .order_by(recordsets.c.reverse_key.desc())
    .subquery()
)
_NEIGHBOURS = sa.union_all(sa.select(_BEHIND), sa.select(_BEFORE))
# In the order of creation, rows that were written together are read together.
_STREAM = (
    sa.select(recordsets.c.id, recordsets.c.ttl, recordsets.c.record_count, recordsets.c.wire)
    .where(_OF_ZONE, recordsets.c.record_count > 0, recordsets.c.type != "SOA")
    .order_by(recordsets.c.created_at)
)


def find_key(connection: sa.Connection, name: str) -> StoredTsigKey | None:
    """Return the key of a lower-case name with its trailing dot, also where it is stored without."""
    values = {"name": name, "dotless": name.removesuffix(".")}
    row = connection.execute(_KEY, values).first()
    if row is None:
        return None
    if row.scope == TsigScope.ZONE:
        view = View(zone_id=row.resource_id)
    else:
        view = ALL_ZONES if row.resource_id == ALL_POOLS else View(pool_id=row.resource_id)
    return StoredTsigKey(
        id=row.id,
        name=row.name,
        algorithm=row.algorithm,
        secret=row.secret,
        view=view,
    )


def find_zone(connection: sa.Connection, view: View, name_keys: Sequence[str]) -> ServedZone | None:
    """Return the zone of the view with the longest of these lower-case names; None: there is none.

    Zones that are being deleted, and secondary zones before their first transfer, are not served.
    """
    if not name_keys:
        return None
    if view.pool_id is not None:
        statement, values = _FIND_IN_POOL, {"pool": view.pool_id}
    elif view.zone_id is not None:
        statement, values = _FIND_ONE, {"zone": view.zone_id}
    else:
        statement, values = _SERVED, {}
    rows = connection.execute(statement, {"keys": name_keys, **values}).all()
    if not rows:
        return None
    return ServedZone(*max(rows, key=lambda found: len(found.name)))


def find_secondaries(connection: sa.Connection, name_key: str) -> list[StoredSecondary]:
    """Return the secondary zones of this lower-case name, in any pool."""
    rows = connection.execute(_SECONDARIES, {"key": name_key})
    return [
        StoredSecondary(
            id=row.id,
            pool_id=row.pool_id,
            masters=from_plain(tuple[PrimaryAddress, ...], row.masters),
            primary_serial=None if row.expired_at else row.primary_serial,
        )
        for row in rows
    ]


def at_names(
    connection: sa.Connection, zone_id: str, name_keys: Sequence[str]
) -> list[StoredRRset]:
    """Return all recordsets with data at these lower-case names."""
    rows = connection.execute(_AT_NAMES, {"zone": zone_id, "keys": name_keys})
    return [StoredRRset(*row) for row in rows]


def neighbours(connection: sa.Connection, zone_id: str, name_key: str) -> list[str]:
    """Return the reversed names with data next to the place where names below this one sort.

    All names below a name sort next to each other, so these two show whether the name and its ancestors
    exist as empty non-terminals (RFC 4592 section 2.2.2).
    """
    place = name_key[::-1] + "."
    return list(connection.execute(_NEIGHBOURS, {"zone": zone_id, "place": place}).scalars())


def stream(connection: sa.Connection, zone_id: str) -> Iterator[tuple[str, int | None, int, bytes]]:
    """Yield (id, ttl, number of RRs, wire) of every recordset except the SOA, oldest first.

    They are read in batches, so that a zone is never in memory as a whole.
    """
    if connection.dialect.name != "sqlite":
        streamed = connection.execution_options(yield_per=STREAM_BATCH).execute(
            _STREAM, {"zone": zone_id}
        )
        for batch in streamed.partitions():
            yield from map(tuple, batch)
        return
    # The driver's own rows, because SQLAlchemy's cost ten times as much as reading them.
    result = connection.execute(_STREAM, {"zone": zone_id})
    cursor = result.cursor
    assert cursor is not None  # noqa: S101 - a select has one
    while rows := cursor.fetchmany(STREAM_BATCH):
        yield_to_others()
        yield from rows
    result.close()
