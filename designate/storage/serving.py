"""What MiniDNS reads: zones by name, recordsets at names, whole zones as a stream, journal steps.

Each function is one statement on the caller's connection, so that a caller who needs one moment of a
zone makes all its reads inside one `Database.read()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from designate.model.zones import Action, ZoneType
from designate.storage.tables import LIVE, recordsets, zone_journal, zones

STREAM_BATCH = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedZone:
    """A zone as it is served. ttl, minimum: seconds; soa_wire: the SOA's data."""

    id: str
    name: str
    type: str
    revision: int
    serial: int
    ttl: int
    minimum: int
    soa_wire: bytes


@dataclass(frozen=True, slots=True)
class StoredRRset:
    """wire: whole RRs with owners relative to the zone; TTL fields zero where ttl is None."""

    name: str
    name_key: str
    type: str
    ttl: int | None
    wire: bytes


def find_zone(
    connection: sa.Connection, pool_id: str, name_keys: Sequence[str]
) -> ServedZone | None:
    """The zone with the longest of these lower-case names. Zones that are being deleted, and
    secondary ones before their first transfer, are not served."""
    rows = connection.execute(
        sa.select(
            zones.c.id,
            zones.c.name,
            zones.c.type,
            zones.c.revision,
            zones.c.serial,
            zones.c.ttl,
            zones.c.minimum,
            zones.c.soa_wire,
        ).where(
            zones.c.name_key.in_(name_keys),
            zones.c.deleted == LIVE,
            zones.c.pool_id == pool_id,
            zones.c.action != Action.DELETE,
            sa.or_(zones.c.type != ZoneType.SECONDARY, zones.c.transferred_at.is_not(None)),
        )
    ).all()
    if not rows:
        return None
    row = max(rows, key=lambda found: len(found.name))
    return ServedZone(**row._mapping)


def at_names(
    connection: sa.Connection, zone_id: str, name_keys: Sequence[str]
) -> list[StoredRRset]:
    """All recordsets with data at these names; the SOA's has no wire form of its own."""
    rows = connection.execute(
        sa.select(
            recordsets.c.name,
            recordsets.c.name_key,
            recordsets.c.type,
            recordsets.c.ttl,
            recordsets.c.wire,
        ).where(recordsets.c.zone_id == zone_id, recordsets.c.name_key.in_(name_keys))
    )
    return [StoredRRset(*row) for row in rows if row.wire or row.type == "SOA"]


def has_names_below(connection: sa.Connection, zone_id: str, name_key: str) -> bool:
    """Whether the name exists only because others below it do (RFC 4592 section 2.2.2)."""
    prefix = name_key[::-1] + "."
    return (
        connection.execute(
            sa.select(recordsets.c.id)
            .where(
                recordsets.c.zone_id == zone_id,
                recordsets.c.reverse_key >= prefix,
                recordsets.c.reverse_key < prefix[:-1] + "/",
                recordsets.c.record_count > 0,
            )
            .limit(1)
        ).first()
        is not None
    )


def stream(connection: sa.Connection, zone_id: str) -> Iterator[tuple[int | None, int, bytes]]:
    """(ttl, number of RRs, wire) of every recordset but the SOA, oldest first, read in batches: the
    zone is never in memory as a whole."""
    # In the order in which the rows were written they lie side by side.
    statement = (
        sa.select(recordsets.c.ttl, recordsets.c.record_count, recordsets.c.wire)
        .where(recordsets.c.zone_id == zone_id, recordsets.c.record_count > 0)
        .order_by(recordsets.c.created_at)
    )
    if connection.dialect.name != "sqlite":
        streamed = connection.execution_options(yield_per=STREAM_BATCH).execute(statement)
        for batch in streamed.partitions():
            yield from map(tuple, batch)
        return
    # The driver's own rows: making SQLAlchemy's costs ten times as much as reading them.
    result = connection.execute(statement)
    cursor = result.cursor
    assert cursor is not None  # noqa: S101 - a select has one
    while rows := cursor.fetchmany(STREAM_BATCH):
        yield from rows
    result.close()


def steps_since(
    connection: sa.Connection, zone_id: str, serial: int, most: int
) -> list[bytes] | None:
    """Payloads of the journal from a serial to now, oldest first (RFC 1995 section 4). None: the
    journal does not reach back without a gap, or by more than `most` steps."""
    start = connection.execute(
        sa.select(sa.func.max(zone_journal.c.revision)).where(
            zone_journal.c.zone_id == zone_id, zone_journal.c.from_serial == serial
        )
    ).scalar()
    if start is None:
        return None
    rows = connection.execute(
        sa.select(zone_journal.c.revision, zone_journal.c.payload)
        .where(zone_journal.c.zone_id == zone_id, zone_journal.c.revision >= start)
        .order_by(zone_journal.c.revision)
        .limit(most + 1)
    ).all()
    if len(rows) > most or any(row.payload is None for row in rows):
        return None
    return [row.payload for row in rows]
