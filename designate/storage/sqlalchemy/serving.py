"""What MiniDNS reads: zones by name, recordsets at names, whole zones as a stream, journal steps.

Each function is one statement on the caller's connection, so that a caller who needs one moment of a
zone makes all its reads inside one `Database.read()`. The statements are made once: for the small reads of
a query, making them costs more than running them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from designate.model.codec import from_plain
from designate.model.tsigkeys import TsigScope
from designate.model.zones import Action, PrimaryAddress, ZoneType
from designate.runtime.clock import utcnow
from designate.runtime.cooperative import yield_to_others
from designate.storage.sqlalchemy.tables import LIVE, recordsets, tsigkeys, zone_journal, zones

STREAM_BATCH = 4000


@dataclass(frozen=True, slots=True)
class ServedZone:
    """A zone as it is served. ttl, minimum: seconds; soa_wire: the SOA's data; recordset_count:
    about how many recordsets it has. expires_at: of a secondary zone."""

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
        """Too old to be served (RFC 1034 section 4.3.5)."""
        return self.expires_at is not None and self.expires_at <= utcnow()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a client may see: the zones of a pool, or one zone of whatever pool."""

    pool_id: str | None = None
    zone_id: str | None = None

    def shows(self, zone_id: str, pool_id: str) -> bool:
        return zone_id == self.zone_id or pool_id == self.pool_id


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A TSIG key. secret: base64. view: what it opens."""

    id: str
    name: str
    algorithm: str
    secret: str = field(repr=False)
    view: View


@dataclass(frozen=True, slots=True)
class Secondary:
    """A zone that a NOTIFY may be about. primary_serial: of its content; None: it has none that can be
    served, so that any is news."""

    id: str
    pool_id: str
    masters: tuple[PrimaryAddress, ...]
    primary_serial: int | None


@dataclass(frozen=True, slots=True)
class StoredRRset:
    """wire: whole RRs with owners relative to the zone, TTL fields zero where ttl is None; empty for
    the SOA."""

    id: str
    record_count: int
    name_key: str
    type: str
    ttl: int | None
    wire: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a journal from one serial to the present. first: its first revision."""

    first: int
    steps: int
    size_bytes: int
    complete: bool


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
# In the order in which the rows were written they lie side by side.
_STREAM = (
    sa.select(recordsets.c.id, recordsets.c.ttl, recordsets.c.record_count, recordsets.c.wire)
    .where(_OF_ZONE, recordsets.c.record_count > 0, recordsets.c.type != "SOA")
    .order_by(recordsets.c.created_at)
)
_OF_JOURNAL = zone_journal.c.zone_id == sa.bindparam("zone")
_SPAN = sa.select(
    sa.func.min(zone_journal.c.revision),
    sa.func.count(),
    sa.func.sum(sa.func.coalesce(sa.func.length(zone_journal.c.payload), 0)),
    sa.func.count(zone_journal.c.payload),
).where(
    _OF_JOURNAL,
    zone_journal.c.revision
    >= sa.select(sa.func.max(zone_journal.c.revision))
    .where(_OF_JOURNAL, zone_journal.c.from_serial == sa.bindparam("serial"))
    .scalar_subquery(),
)
_STEPS = (
    sa.select(zone_journal.c.from_serial, zone_journal.c.to_serial, zone_journal.c.payload)
    .where(_OF_JOURNAL, zone_journal.c.revision >= sa.bindparam("first"))
    .order_by(zone_journal.c.revision)
)


def find_key(connection: sa.Connection, name: str) -> StoredKey | None:
    """The TSIG key of a lower-case name with its trailing dot; it may be stored without."""
    values = {"name": name, "dotless": name.removesuffix(".")}
    row = connection.execute(_KEY, values).first()
    if row is None:
        return None
    pool = row.scope == TsigScope.POOL
    return StoredKey(
        id=row.id,
        name=row.name,
        algorithm=row.algorithm,
        secret=row.secret,
        view=View(pool_id=row.resource_id) if pool else View(zone_id=row.resource_id),
    )


def find_zone(connection: sa.Connection, view: View, name_keys: Sequence[str]) -> ServedZone | None:
    """The zone in view with the longest of these lower-case names. Zones that are being deleted, and
    secondary ones before their first transfer, are not served."""
    if not name_keys:
        return None
    if view.zone_id is None:
        values = {"keys": name_keys, "pool": view.pool_id}
        rows = connection.execute(_FIND_IN_POOL, values).all()
    else:
        values = {"keys": name_keys, "zone": view.zone_id}
        rows = connection.execute(_FIND_ONE, values).all()
    if not rows:
        return None
    return ServedZone(*max(rows, key=lambda found: len(found.name)))


def find_secondaries(connection: sa.Connection, name_key: str) -> list[Secondary]:
    """The secondary zones of this lower-case name, in whatever pool."""
    rows = connection.execute(_SECONDARIES, {"key": name_key})
    return [
        Secondary(
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
    """All recordsets with data at these lower-case names."""
    rows = connection.execute(_AT_NAMES, {"zone": zone_id, "keys": name_keys})
    return [StoredRRset(*row) for row in rows]


def neighbours(connection: sa.Connection, zone_id: str, name_key: str) -> list[str]:
    """The reversed names with data nearest to the place where names below this one would stand.

    All names below any name stand side by side, so these two tell which of the name and its ancestors
    exist because names below them do (RFC 4592 section 2.2.2).
    """
    place = name_key[::-1] + "."
    return list(connection.execute(_NEIGHBOURS, {"zone": zone_id, "place": place}).scalars())


def stream(connection: sa.Connection, zone_id: str) -> Iterator[tuple[str, int | None, int, bytes]]:
    """(id, ttl, number of RRs, wire) of every recordset but the SOA, oldest first, read in batches:
    the zone is never in memory as a whole."""
    if connection.dialect.name != "sqlite":
        streamed = connection.execution_options(yield_per=STREAM_BATCH).execute(
            _STREAM, {"zone": zone_id}
        )
        for batch in streamed.partitions():
            yield from map(tuple, batch)
        return
    # The driver's own rows: making SQLAlchemy's costs ten times as much as reading them.
    result = connection.execute(_STREAM, {"zone": zone_id})
    cursor = result.cursor
    assert cursor is not None  # noqa: S101 - a select has one
    while rows := cursor.fetchmany(STREAM_BATCH):
        yield_to_others()
        yield from rows
    result.close()


def find_journal_span(connection: sa.Connection, zone_id: str, serial: int) -> Span | None:
    """What the journal holds from a serial to now; None: it does not reach back to it. complete: no
    step of it was left out (RFC 1995 section 4)."""
    row = connection.execute(_SPAN, {"zone": zone_id, "serial": serial}).one()
    first, steps, size_bytes, kept = row
    if first is None:
        return None
    return Span(int(first), int(steps), int(size_bytes), kept == steps)


def read_journal_steps(
    connection: sa.Connection, zone_id: str, first: int, serial: int, now: int
) -> list[bytes] | None:
    """Payloads of the journal from a revision on, oldest first; None: they do not lead from this
    serial to that one without a gap."""
    payloads = []
    for row in connection.execute(_STEPS, {"zone": zone_id, "first": first}):
        if row.from_serial != serial or row.payload is None:
            return None
        serial = row.to_serial
        payloads.append(row.payload)
    return payloads if serial == now else None
