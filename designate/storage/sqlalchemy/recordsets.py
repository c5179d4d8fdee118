"""Recordsets: rows to values, lookups, inserts and deletes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache, partial
from itertools import repeat
from typing import Any, Literal

import sqlalchemy as sa

from designate import errors
from designate.model.bulk import BulkConstructor
from designate.model.codec import decoder
from designate.model.recordsets import Managed, RecordSet, RecordSetId
from designate.model.zones import Action, Status, Zone
from designate.runtime.cooperative import yield_to_others
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.db.json_rows import JsonRow
from designate.storage.sqlalchemy.listing.pagination import Condition
from designate.storage.sqlalchemy.tables import DATA_KEY_LENGTH, LIVE, records, recordsets, zones

IS_SOA = sa.and_(recordsets.c.type == "SOA", recordsets.c.managed)

MANY = BulkConstructor(RecordSet)
MANAGED = tuple(field.name for field in fields(Managed))
VALUES_AT_ONCE = 1000
# Quicker than the enumeration itself, and a list has one in each row.
action_of = decoder(Action)

ZONE_COLUMNS = tuple(
    zones.c[name].label(f"zone_{name}")
    for name in (
        "name", "email", "mname", "serial", "refresh", "retry", "expire", "minimum",
        "revision", "served_revision", "status", "action",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecordSet:
    """A recordset with its wire form and the revision that last changed it."""

    recordset: RecordSet
    wire: bytes
    changed_revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What of its zone shows in a recordset."""

    name: str
    status: Status
    action: Action
    revision: int
    served_revision: int
    soa_text: Callable[[], str]

    @classmethod
    def of_zone(cls, zone: Zone) -> Around:
        return cls(
            name=zone.name,
            status=zone.status,
            action=zone.action,
            revision=zone.revision,
            served_revision=zone.served_revision,
            soa_text=lambda: zone.soa_text,
        )

    @classmethod
    def of_row(cls, row: Any) -> Around:
        """Of a row with ZONE_COLUMNS."""
        return cls(
            name=row.zone_name,
            status=Status(row.zone_status),
            action=Action(row.zone_action),
            revision=row.zone_revision,
            served_revision=row.zone_served_revision,
            soa_text=lambda: _soa_text(row),
        )


def computed(
    zone: Around, is_soa: bool, changed_revision: int, action: str, record_count: int
) -> tuple[Action, Status]:
    """(action, status) of a recordset: on its way while its revision is newer than what is served. The
    SOA changes with each revision of its zone."""
    revision = zone.revision if is_soa else changed_revision
    if revision <= zone.served_revision or not (is_soa or record_count):
        return Action.NONE, Status.ACTIVE
    status = Status.ERROR if zone.status == Status.ERROR else Status.PENDING
    return zone.action if is_soa else action_of(action), status


def value(row: Any, zone: Around, managed_by: Managed | None = None) -> RecordSet:
    """The recordset of a row that begins with SHOWN."""
    return values([row], [zone], [managed_by])[0]


def values(
    rows: Sequence[Any], zones: Sequence[Around], managed_by: Sequence[Managed | None] = ()
) -> tuple[RecordSet, ...]:
    """The recordsets of rows that begin with SHOWN, each with its zone."""
    if not rows:
        return ()
    # By column: a list has a hundred or a thousand rows, and naming each value of each takes longer.
    (
        ids, zone_ids, project_ids, names, types, ttls, descriptions, texts, record_counts,
        changed_revisions, actions, managed, versions, created_at, updated_at,
    ) = zip(*[row[: len(SHOWN)] for row in rows], strict=True)  # fmt: skip
    soas = [ours and rtype == "SOA" for ours, rtype in zip(managed, types, strict=True)]
    states = [
        computed(zone, is_soa, revision, action, count)
        for zone, is_soa, revision, action, count in zip(
            zones, soas, changed_revisions, actions, record_counts, strict=True
        )
    ]
    return MANY.make(
        len(rows),
        {
            "id": ids,
            "zone_id": zone_ids,
            "zone_name": [zone.name for zone in zones],
            "project_id": project_ids,
            "name": names,
            "type": types,
            "records": [
                (zone.soa_text(),) if is_soa else tuple(data)
                for zone, is_soa, data in zip(zones, soas, texts, strict=True)
            ],
            "action": [action for action, _ in states],
            "status": [status for _, status in states],
            "created_at": created_at,
            "ttl": ttls,
            "description": descriptions,
            "managed": managed,
            "version": versions,
            "updated_at": updated_at,
            "managed_by": managed_by or repeat(None),
        },
    )


def _stored(row: Any, zone: Around | None = None) -> StoredRecordSet:
    return StoredRecordSet(
        recordset=value(row, zone or Around.of_row(row), _managed_by(row)),
        wire=row.wire,
        changed_revision=row.changed_revision,
    )


def _managed_by(row: Any) -> Managed | None:
    if row.managed_resource_type is None:
        return None
    return Managed(**{name: getattr(row, f"managed_{name}") for name in MANAGED})


def _managed_columns(managed: Managed | None) -> dict[str, str | None]:
    return {
        f"managed_{name}": None if managed is None else getattr(managed, name) for name in MANAGED
    }


def _soa_text(row: Any) -> str:
    return Zone.soa_of(
        row.zone_mname,
        row.zone_email,
        row.zone_serial,
        row.zone_refresh,
        row.zone_retry,
        row.zone_expire,
        row.zone_minimum,
    )


SHOWN = tuple(
    recordsets.c[name]
    for name in (
        "id", "zone_id", "project_id", "name", "type", "ttl", "description", "texts", "record_count",
        "changed_revision", "action", "managed", "version", "created_at", "updated_at",
    )
)  # fmt: skip
KEPT = (*SHOWN, recordsets.c.wire, *(recordsets.c[f"managed_{name}"] for name in MANAGED))


def joined(columns: Sequence[sa.ColumnElement[Any]], *conditions: Condition) -> sa.Select[Any]:
    """Of recordsets with their zones."""
    return (
        sa.select(*columns)
        .join_from(recordsets, zones, zones.c.id == recordsets.c.zone_id)
        .where(*conditions)
    )


def _select(*conditions: Condition) -> sa.Select[Any]:
    return joined((*KEPT, *ZONE_COLUMNS), *conditions)


BY_ID_IN_ZONE = JsonRow(
    sa.select(*KEPT).where(
        recordsets.c.id == sa.bindparam("id"), recordsets.c.zone_id == sa.bindparam("zone_id")
    )
)
BY_ID = JsonRow(_select(zones.c.deleted == LIVE, recordsets.c.id == sa.bindparam("id")))
# What stands at a name, and (as a row without a type) whether another zone covers it.
AT_NAME = sa.union_all(
    sa.select(recordsets.c.type, recordsets.c.id).where(
        recordsets.c.zone_id == sa.bindparam("zone_id"),
        recordsets.c.name_key == sa.bindparam("name_key"),
    ),
    sa.select(sa.literal("").label("type"), zones.c.id).where(
        zones.c.name_key.in_(sa.bindparam("cuts", expanding=True)),
        zones.c.deleted == LIVE,
        zones.c.id != sa.bindparam("zone_id"),
    ),
)
INSERT = sa.insert(recordsets)
INSERT_RECORDS = sa.insert(records)
DELETE = sa.delete(recordsets).where(recordsets.c.id == sa.bindparam("recordset_id"))
DELETE_RECORDS = sa.delete(records).where(records.c.recordset_id == sa.bindparam("recordset_id"))
INSERT_BATCH = 1000
INSERTED = "inserted"


def get(connection: sa.Connection, recordset_id: str) -> StoredRecordSet:
    """Whoever owns it. Raises NotFound."""
    row = BY_ID.first(connection.execute, connection.dialect.name, {"id": recordset_id})
    if row is None:
        raise errors.NotFound("recordset")
    return _stored(row)


def get_in_zone(tx: Transaction, zone: Zone, recordset_id: str) -> StoredRecordSet:
    """Of a zone that this transaction holds. Raises NotFound."""
    values = {"id": recordset_id, "zone_id": zone.id}
    row = BY_ID_IN_ZONE.first(tx.execute_unflushed, tx.dialect, values)
    if row is None:
        raise errors.NotFound("recordset")
    return _stored(row, Around.of_zone(zone))


def at_name(
    tx: Transaction, zone_id: str, name: str, cuts: Iterable[str]
) -> tuple[dict[str, RecordSetId], bool]:
    """The zone's recordsets at a name, type to id; and whether one of the cuts (names between it
    and the apex, itself included) is a zone of its own."""
    key = name.lower()
    if tx.cached((INSERTED, zone_id, key)):
        tx.flush()
    values = {"zone_id": zone_id, "name_key": key, "cuts": [cut.lower() for cut in cuts]}
    there = {row.type: RecordSetId(row.id) for row in tx.execute_unflushed(AT_NAME, values)}
    return there, there.pop("", None) is not None


def find_at_apex(connection: sa.Connection, zone: Zone, rtype: str) -> StoredRecordSet | None:
    """The recordset of this type at the zone's own name."""
    row = connection.execute(
        _select(
            recordsets.c.zone_id == zone.id,
            recordsets.c.name_key == zone.name.lower(),
            recordsets.c.type == rtype,
        )
    ).first()
    if row is None:
        return None
    return _stored(row)


def find_managed(
    connection: sa.Connection,
    resource_type: str,
    by: Literal["extra", "resource_id"],
    values: Sequence[str],
) -> list[tuple[StoredRecordSet, int]]:
    """Recordsets of live zones that stand for resources of this type with one of these values,
    whosever they are; each with the TTL of its zone. One statement per VALUES_AT_ONCE, by index."""
    found = []
    for start in range(0, len(values), VALUES_AT_ONCE):
        statement = _select(
            zones.c.deleted == LIVE,
            recordsets.c.managed_resource_type == resource_type,
            recordsets.c[f"managed_{by}"].in_(values[start : start + VALUES_AT_ONCE]),
        ).add_columns(zones.c.ttl.label("zone_ttl"))
        for row in connection.execute(statement):
            found.append((_stored(row), int(row.zone_ttl)))
    return found


def insert(tx: Transaction, recordset: RecordSet, wire: bytes, changed_revision: int) -> None:
    """Raises oslo.db's DBDuplicateEntry when the zone has one of that name and type. Works that share
    a transaction insert theirs together."""
    tx.cache((INSERTED, recordset.zone_id, recordset.name.lower()), value=True)
    tx.cache((INSERTED, recordset.id), value=True)
    row = _columns(recordset, wire, changed_revision)
    tx.defer(INSERTED, partial(_insert, tx), (row, record_rows(recordset)))


def _insert(tx: Transaction, found: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
    tx.execute_unflushed(INSERT, [row for row, _ in found])
    rows = [row for _, rows in found for row in rows]
    if rows:
        tx.execute_unflushed(INSERT_RECORDS, rows)


def insert_many(
    tx: Transaction, found: Sequence[tuple[RecordSet, bytes]], changed_revision: int
) -> None:
    """As insert, in two statements for each INSERT_BATCH of them."""
    for start in range(0, len(found), INSERT_BATCH):
        batch = found[start : start + INSERT_BATCH]
        yield_to_others()
        tx.flush()
        _insert(
            tx,
            [
                (_columns(recordset, wire, changed_revision), record_rows(recordset))
                for recordset, wire in batch
            ],
        )


def _columns(recordset: RecordSet, wire: bytes, changed_revision: int) -> dict[str, Any]:
    key = recordset.name.lower()
    texts = _stored_texts(recordset)
    return {
        "id": recordset.id,
        "zone_id": recordset.zone_id,
        "project_id": recordset.project_id,
        "name": recordset.name,
        "name_key": key,
        "reverse_key": key[::-1],
        "type": recordset.type,
        "ttl": recordset.ttl,
        "description": recordset.description,
        "texts": list(texts),
        "wire": wire,
        "record_count": len(texts),
        "changed_revision": changed_revision,
        "action": recordset.action,
        "managed": recordset.managed,
        "version": recordset.version,
        "created_at": recordset.created_at,
        "updated_at": recordset.updated_at,
        **_managed_columns(recordset.managed_by),
    }


def _stored_texts(recordset: RecordSet) -> tuple[str, ...]:
    """The SOA's data is made from the zone's row."""
    return () if recordset.type == "SOA" else recordset.records


def record_rows(recordset: RecordSet) -> list[dict[str, Any]]:
    return [
        {
            "recordset_id": recordset.id,
            "position": position,
            "zone_id": recordset.zone_id,
            "data": text,
            "data_key": text[:DATA_KEY_LENGTH],
        }
        for position, text in enumerate(_stored_texts(recordset))
    ]


def update(
    tx: Transaction, recordset: RecordSet, wire: bytes, changed_revision: int, *, new_records: bool
) -> None:
    """Store the recordset's changeable members; its version grows by one."""
    values = {
        "ttl": recordset.ttl,
        "description": recordset.description,
        "texts": list(recordset.records),
        "wire": wire,
        "record_count": len(recordset.records),
        "changed_revision": changed_revision,
        "action": recordset.action,
        "updated_at": recordset.updated_at,
        **_managed_columns(recordset.managed_by),
    }
    _settle_insert(tx, recordset.id)
    tx.execute_unflushed(_updating(tuple(values)), {"recordset_id": recordset.id, **values})
    if new_records:
        tx.execute_unflushed(DELETE_RECORDS, {"recordset_id": recordset.id})
        rows = record_rows(recordset)
        if rows:
            tx.execute_unflushed(INSERT_RECORDS, rows)


@cache
def _updating(names: tuple[str, ...]) -> sa.Update:
    return (
        sa.update(recordsets)
        .where(recordsets.c.id == sa.bindparam("recordset_id"))
        .values(version=recordsets.c.version + 1, **{name: sa.bindparam(name) for name in names})
    )


def delete(tx: Transaction, recordset_id: str) -> None:
    _settle_insert(tx, recordset_id)
    tx.execute_unflushed(DELETE, {"recordset_id": recordset_id})


def _settle_insert(tx: Transaction, recordset_id: str) -> None:
    if tx.cached((INSERTED, recordset_id)):
        tx.flush()
