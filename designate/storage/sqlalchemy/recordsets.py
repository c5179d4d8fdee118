"""Recordsets: reads, inserts, updates and deletes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import sqlalchemy as sa

from designate import errors
from designate.model.recordsets import RecordSet, RecordSetId
from designate.model.zones import Zone
from designate.runtime.cooperative import yield_to_others
from designate.storage.sqlalchemy.db.json_rows import JsonRow
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing.pagination import Condition
from designate.storage.sqlalchemy.recordset_rows import (
    STORED_COLUMNS,
    ZONE_COLUMNS,
    ZoneContext,
    from_row,
    joined,
    managed_columns,
    record_rows,
    row_of,
)
from designate.storage.sqlalchemy.tables import LIVE, records, recordsets, zones

# Values in one statement.
MAX_VALUES = 1000
INSERT_BATCH = 1000
INSERTED = "inserted"
BELOW_DNAME = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecordSet:
    """A recordset with its wire form and the revision that last changed it."""

    recordset: RecordSet
    wire: bytes
    changed_revision: int


def _stored(row: Any, zone: ZoneContext | None = None) -> StoredRecordSet:
    return StoredRecordSet(
        recordset=from_row(row, zone or ZoneContext.from_row(row)),
        wire=row.wire,
        changed_revision=row.changed_revision,
    )


def _select(*conditions: Condition) -> sa.Select[Any]:
    return joined((*STORED_COLUMNS, *ZONE_COLUMNS), *conditions)


BY_ID_IN_ZONE = JsonRow(
    sa.select(*STORED_COLUMNS).where(
        recordsets.c.id == sa.bindparam("id"), recordsets.c.zone_id == sa.bindparam("zone_id")
    )
)
BY_ID = JsonRow(_select(zones.c.deleted == LIVE, recordsets.c.id == sa.bindparam("id")))
# The recordsets at a name, a row without a type if another zone covers it, and one if a DNAME does.
AT_NAME = sa.union_all(
    sa.select(recordsets.c.type, recordsets.c.id).where(
        recordsets.c.zone_id == sa.bindparam("zone_id"),
        recordsets.c.name_key == sa.bindparam("name_key"),
    ),
    sa.select(sa.literal("").label("type"), zones.c.id).where(
        zones.c.name_key.in_(sa.bindparam("between", expanding=True)),
        zones.c.deleted == LIVE,
        zones.c.id != sa.bindparam("zone_id"),
    ),
    sa.select(sa.literal(BELOW_DNAME), recordsets.c.id).where(
        recordsets.c.zone_id == sa.bindparam("zone_id"),
        recordsets.c.name_key.in_(sa.bindparam("above", expanding=True)),
        recordsets.c.type == "DNAME",
    ),
)
BELOW_NAME = (
    sa.select(recordsets.c.id)
    .where(
        recordsets.c.zone_id == sa.bindparam("zone_id"),
        recordsets.c.reverse_key > sa.bindparam("first"),
        recordsets.c.reverse_key < sa.bindparam("end"),
    )
    .limit(1)
)
INSERT = sa.insert(recordsets)
INSERT_RECORDS = sa.insert(records)
DELETE = sa.delete(recordsets).where(recordsets.c.id == sa.bindparam("recordset_id"))
DELETE_RECORDS = sa.delete(records).where(records.c.recordset_id == sa.bindparam("recordset_id"))


def get(connection: sa.Connection, recordset_id: str) -> StoredRecordSet:
    """Return a recordset of a live zone of any project; raise NotFound when there is none."""
    row = BY_ID.first(connection.execute, connection.dialect.name, {"id": recordset_id})
    if row is None:
        raise errors.NotFound("recordset")
    return _stored(row)


def get_in_zone(tx: Transaction, zone: Zone, recordset_id: str) -> StoredRecordSet:
    """Return a recordset of a zone that the transaction has locked; raise NotFound without one."""
    values = {"id": recordset_id, "zone_id": zone.id}
    row = BY_ID_IN_ZONE.first(tx.execute_unflushed, tx.dialect, values)
    if row is None:
        raise errors.NotFound("recordset")
    return _stored(row, ZoneContext.from_zone(zone))


@dataclass(frozen=True, slots=True)
class AtName:
    """What a zone has at a name.

    Attributes:
        ids: the recordsets' ids by type.
        covered: whether the name belongs to another zone below this one.
        below_dname: whether a name above it in the zone has a DNAME.
    """

    ids: dict[str, RecordSetId]
    covered: bool
    below_dname: bool


def find_at_name(
    tx: Transaction, zone_id: str, name: str, between: Sequence[str], above: Iterable[str]
) -> AtName:
    """Return the recordsets at a name and what is above it.

    Args:
        tx: The transaction.
        zone_id: The zone.
        name: The name.
        between: The names between it and the apex, itself included; one that is the name of a zone is a
            delegation point.
        above: The names above it in the zone, the apex included.
    """
    key = name.lower()
    if tx.cached((INSERTED, zone_id, key)):
        tx.flush()
    values = {
        "zone_id": zone_id,
        "name_key": key,
        "between": [each.lower() for each in between],
        "above": [each.lower() for each in above],
    }
    ids = {row.type: RecordSetId(row.id) for row in tx.execute_unflushed(AT_NAME, values)}
    covered, below_dname = (ids.pop(kind, None) is not None for kind in ("", BELOW_DNAME))
    return AtName(ids, covered, below_dname)


def has_names_below(tx: Transaction, zone_id: str, name: str) -> bool:
    """Return whether the zone has recordsets below a name."""
    tx.flush()
    first = name.lower()[::-1] + "."
    # The slash is the character after the dot and ends the range.
    values = {"zone_id": zone_id, "first": first, "end": first[:-1] + "/"}
    return tx.execute_unflushed(BELOW_NAME, values).first() is not None


def find_at_apex(connection: sa.Connection, zone: Zone, rtype: str) -> StoredRecordSet | None:
    """Return the recordset of this type at the zone's own name; None: there is none."""
    row = connection.execute(
        _select(
            recordsets.c.zone_id == zone.id,
            recordsets.c.name_key == zone.name.lower(),
            recordsets.c.type == rtype,
        )
    ).first()
    return None if row is None else _stored(row)


def find_managed(
    connection: sa.Connection,
    resource_type: str,
    by: Literal["extra", "resource_id"],
    values: Sequence[str],
) -> list[tuple[StoredRecordSet, int]]:
    """Return recordsets of cloud resources in live zones of any project, each with its zone's TTL.

    It takes one statement per MAX_VALUES values, by index.

    Args:
        connection: A connection that reads.
        resource_type: The type of the resources.
        by: The member of Managed that has one of the values.
        values: The values.
    """
    found = []
    for start in range(0, len(values), MAX_VALUES):
        statement = _select(
            zones.c.deleted == LIVE,
            recordsets.c.managed_resource_type == resource_type,
            recordsets.c[f"managed_{by}"].in_(values[start : start + MAX_VALUES]),
        ).add_columns(zones.c.ttl.label("zone_ttl"))
        for row in connection.execute(statement):
            found.append((_stored(row), int(row.zone_ttl)))
    return found


def insert(tx: Transaction, recordset: RecordSet, wire: bytes, changed_revision: int) -> None:
    """Insert a recordset; a batch inserts those of all its writes at once.

    Raises:
        DBDuplicateEntry: The zone has one of that name and type.
    """
    tx.cache((INSERTED, recordset.zone_id, recordset.name.lower()), value=True)
    tx.cache((INSERTED, recordset.id), value=True)
    row = row_of(recordset, wire, changed_revision)
    tx.defer(INSERTED, partial(_insert, tx), (row, record_rows(recordset)))
    if recordset.type == "DNAME":
        # The writes that follow in the batch look for it by other names than its own.
        tx.flush()


def _insert(tx: Transaction, found: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
    tx.execute_unflushed(INSERT, [row for row, _ in found])
    rows = [row for _, rows in found for row in rows]
    if rows:
        tx.execute_unflushed(INSERT_RECORDS, rows)


def insert_many(
    tx: Transaction, found: Sequence[tuple[RecordSet, bytes]], changed_revision: int
) -> None:
    """Insert recordsets with their wire forms, in two statements for each INSERT_BATCH of them."""
    for start in range(0, len(found), INSERT_BATCH):
        batch = found[start : start + INSERT_BATCH]
        yield_to_others()
        tx.flush()
        _insert(
            tx,
            [
                (row_of(recordset, wire, changed_revision), record_rows(recordset))
                for recordset, wire in batch
            ],
        )


def update(
    tx: Transaction, recordset: RecordSet, wire: bytes, changed_revision: int, *, new_records: bool
) -> None:
    """Store the recordset's changeable members and add one to its version.

    Args:
        tx: The transaction.
        recordset: The recordset after the change.
        wire: Its wire form.
        changed_revision: The zone's revision that the change makes.
        new_records: Whether its records have changed.
    """
    values = {
        "ttl": recordset.ttl,
        "description": recordset.description,
        "texts": list(recordset.records),
        "wire": wire,
        "record_count": len(recordset.records),
        "changed_revision": changed_revision,
        "action": recordset.action,
        "updated_at": recordset.updated_at,
        **managed_columns(recordset.managed_by),
    }
    _flush_insert(tx, recordset.id)
    tx.execute_unflushed(_update_statement(tuple(values)), {"recordset_id": recordset.id, **values})
    if new_records:
        tx.execute_unflushed(DELETE_RECORDS, {"recordset_id": recordset.id})
        rows = record_rows(recordset)
        if rows:
            tx.execute_unflushed(INSERT_RECORDS, rows)


@cache
def _update_statement(names: tuple[str, ...]) -> sa.Update:
    return (
        sa.update(recordsets)
        .where(recordsets.c.id == sa.bindparam("recordset_id"))
        .values(version=recordsets.c.version + 1, **{name: sa.bindparam(name) for name in names})
    )


def delete(tx: Transaction, recordset_id: str) -> None:
    """Delete the recordset with its records."""
    _flush_insert(tx, recordset_id)
    tx.execute_unflushed(DELETE, {"recordset_id": recordset_id})


def _flush_insert(tx: Transaction, recordset_id: str) -> None:
    """Flush when the recordset's insert may still be deferred."""
    if tx.cached((INSERTED, recordset_id)):
        tx.flush()
