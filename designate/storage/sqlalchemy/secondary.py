"""Secondary zones: their recordsets for comparison, staged transfers, and timers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from designate.model.recordsets import RecordSet
from designate.model.zones import Action, ZoneType
from designate.runtime.cooperative import yield_to_others
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.recordset_rows import record_rows
from designate.storage.sqlalchemy.recordsets import INSERT_RECORDS
from designate.storage.sqlalchemy.tables import (
    LIVE,
    inbound_chunks,
    records,
    recordsets,
    zones,
)
from designate.storage.sqlalchemy.zone_rows import STORED, StoredZone, stored_from_row

# Names in one statement.
MAX_NAMES = 500
BATCH = 1000


@dataclass(frozen=True, slots=True)
class CurrentRecordSet:
    """A recordset for comparison with a transfer; wire has TTL fields of zero where ttl is None."""

    id: str
    name: str
    name_key: str
    type: str
    ttl: int | None
    record_count: int
    managed: bool
    wire: bytes


_CONTENT = sa.select(*(recordsets.c[name] for name in CurrentRecordSet.__slots__)).where(
    recordsets.c.zone_id == sa.bindparam("zone"), recordsets.c.type != "SOA"
)
_AT_NAMES = _CONTENT.where(recordsets.c.name_key.in_(sa.bindparam("keys", expanding=True)))
_UPDATE = (
    sa.update(recordsets)
    .where(recordsets.c.id == sa.bindparam("at"))
    .values(
        version=recordsets.c.version + 1,
        **{
            name: sa.bindparam(name)
            for name in (
                "ttl", "texts", "wire", "record_count", "changed_revision", "action", "updated_at",
            )
        },
    )
)  # fmt: skip


# -- recordsets -------------------------------------------------------------------------------------


def read_recordsets(connection: sa.Connection, zone_id: str) -> Iterator[CurrentRecordSet]:
    """Yield every recordset of the zone except its SOA."""
    for row in connection.execute(_CONTENT, {"zone": zone_id}):
        yield CurrentRecordSet(*row)


def read_recordsets_at(
    connection: sa.Connection, zone_id: str, name_keys: Sequence[str]
) -> Iterator[CurrentRecordSet]:
    """Yield the recordsets at these lower-case names, in one statement per MAX_NAMES."""
    for start in range(0, len(name_keys), MAX_NAMES):
        keys = name_keys[start : start + MAX_NAMES]
        for row in connection.execute(_AT_NAMES, {"zone": zone_id, "keys": keys}):
            yield CurrentRecordSet(*row)


def update_many(tx: Transaction, changed: Sequence[tuple[RecordSet, bytes]], revision: int) -> None:
    """Store new data of recordsets, in a few statements for each BATCH of them."""
    for start in range(0, len(changed), BATCH):
        batch = changed[start : start + BATCH]
        yield_to_others()
        tx.execute(
            _UPDATE,
            [
                {
                    "at": recordset.id,
                    "ttl": recordset.ttl,
                    "texts": list(recordset.records),
                    "wire": wire,
                    "record_count": len(recordset.records),
                    "changed_revision": revision,
                    "action": recordset.action,
                    "updated_at": recordset.updated_at,
                }
                for recordset, wire in batch
            ],
        )
        ids = [recordset.id for recordset, _ in batch]
        tx.execute(sa.delete(records).where(records.c.recordset_id.in_(ids)))
        values = [row for recordset, _ in batch for row in record_rows(recordset)]
        if values:
            tx.execute(INSERT_RECORDS, values)


def delete_many(tx: Transaction, recordset_ids: Sequence[str]) -> None:
    """Delete recordsets, in one statement for each BATCH of them."""
    for start in range(0, len(recordset_ids), BATCH):
        ids = recordset_ids[start : start + BATCH]
        yield_to_others()
        tx.execute(sa.delete(recordsets).where(recordsets.c.id.in_(ids)))


# -- staged transfers --------------------------------------------------------------------------------


def stage_part(
    tx: Transaction, zone_id: str, transfer_id: str, position: int, part: bytes, now: datetime
) -> None:
    """Store a part of a transfer in; the first one replaces older transfers of the zone."""
    if position == 0:
        tx.execute(
            sa.delete(inbound_chunks).where(
                inbound_chunks.c.zone_id == zone_id, inbound_chunks.c.transfer_id != transfer_id
            )
        )
    discard_parts(tx, transfer_id, position)
    tx.execute(
        sa.insert(inbound_chunks).values(
            transfer_id=transfer_id,
            position=position,
            zone_id=zone_id,
            content=part,
            created_at=now,
        )
    )


def read_staged_parts(connection: sa.Connection, zone_id: str, transfer_id: str) -> list[bytes]:
    """Return the parts of a transfer in order."""
    found = connection.execute(
        sa.select(inbound_chunks.c.content)
        .where(inbound_chunks.c.transfer_id == transfer_id, inbound_chunks.c.zone_id == zone_id)
        .order_by(inbound_chunks.c.position)
    )
    return [row.content for row in found]


def discard_parts(tx: Transaction, transfer_id: str, position: int = 0) -> None:
    """Delete the parts of a transfer from a position on."""
    tx.execute(
        sa.delete(inbound_chunks).where(
            inbound_chunks.c.transfer_id == transfer_id, inbound_chunks.c.position >= position
        )
    )


def discard_parts_before(tx: Transaction, before: datetime) -> None:
    """Delete parts that were stored before a time, of workers that have died."""
    tx.execute(sa.delete(inbound_chunks).where(inbound_chunks.c.created_at < before))


# -- timers -----------------------------------------------------------------------------------------


def _secondaries(shards: tuple[int, int], *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return STORED.where(
        zones.c.deleted == LIVE,
        zones.c.type == ZoneType.SECONDARY,
        zones.c.action != Action.DELETE,
        zones.c.shard.between(*shards),
        *conditions,
    )


def due_for_refresh(
    connection: sa.Connection, shards: tuple[int, int], now: datetime, limit: int
) -> list[StoredZone]:
    """Return zones whose primaries have to be queried, the longest overdue first."""
    statement = _secondaries(shards, zones.c.refresh_at <= now)
    found = connection.execute(statement.order_by(zones.c.refresh_at).limit(limit))
    return [stored_from_row(row) for row in found]


def newly_expired(
    connection: sa.Connection, shards: tuple[int, int], now: datetime, limit: int
) -> list[StoredZone]:
    """Return zones whose content has expired and is not marked so."""
    statement = _secondaries(shards, zones.c.expires_at <= now, zones.c.expired_at.is_(None))
    found = connection.execute(statement.order_by(zones.c.expires_at).limit(limit))
    return [stored_from_row(row) for row in found]


def is_expired(tx: Transaction, zone_id: str, now: datetime) -> bool:
    """Return whether the zone's content has expired at `now`."""
    found = tx.execute(sa.select(zones.c.expires_at).where(zones.c.id == zone_id)).scalar_one()
    return found is not None and bool(found <= now)


def set_refresh(tx: Transaction, times: Iterable[tuple[str, datetime]]) -> None:
    """Set when the primaries of zones are queried next, without a new version of the zone."""
    for zone_id, refresh_at in times:
        tx.execute(sa.update(zones).where(zones.c.id == zone_id).values(refresh_at=refresh_at))


def set_timers(tx: Transaction, zone_id: str, refresh_at: datetime, expires_at: datetime) -> None:
    """Set the timers after a primary has confirmed the content, without a new version."""
    tx.execute(
        sa.update(zones)
        .where(zones.c.id == zone_id)
        .values(refresh_at=refresh_at, expires_at=expires_at)
    )
