"""Rows of recordsets as values, and values as rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import repeat
from typing import Any

import sqlalchemy as sa

from designate.model.bulk import BulkConstructor
from designate.model.codec import decoder
from designate.model.recordsets import Managed, RecordSet
from designate.model.zones import Action, Status, Zone
from designate.storage.sqlalchemy.listing.pagination import Condition
from designate.storage.sqlalchemy.tables import DATA_KEY_LENGTH, recordsets, zones

BULK = BulkConstructor(RecordSet)
MANAGED = tuple(field.name for field in fields(Managed))
IS_SOA = sa.and_(recordsets.c.type == "SOA", recordsets.c.managed)
# Faster than the enumeration itself, and a list has an action in each row.
action_of = decoder(Action)

API_COLUMNS = tuple(
    recordsets.c[name]
    for name in (
        "id", "zone_id", "project_id", "name", "type", "ttl", "description", "texts", "record_count",
        "changed_revision", "action", "managed", "version", "created_at", "updated_at",
    )
)  # fmt: skip
STORED_COLUMNS = (
    *API_COLUMNS,
    recordsets.c.wire,
    *(recordsets.c[f"managed_{name}"] for name in MANAGED),
)
ZONE_COLUMNS = tuple(
    zones.c[name].label(f"zone_{name}")
    for name in (
        "name", "email", "mname", "serial", "refresh", "retry", "expire", "minimum",
        "revision", "served_revision", "status", "action",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneContext:
    """What recordsets show of their zone's state."""

    name: str
    status: Status
    action: Action
    revision: int
    served_revision: int
    soa_text: Callable[[], str]

    @classmethod
    def from_zone(cls, zone: Zone) -> ZoneContext:
        """Build from a zone."""
        return cls(
            name=zone.name,
            status=zone.status,
            action=zone.action,
            revision=zone.revision,
            served_revision=zone.served_revision,
            soa_text=lambda: zone.soa_text,
        )

    @classmethod
    def from_row(cls, row: Any) -> ZoneContext:
        """Build from a row selected with ZONE_COLUMNS."""
        return cls(
            name=row.zone_name,
            status=Status(row.zone_status),
            action=Action(row.zone_action),
            revision=row.zone_revision,
            served_revision=row.zone_served_revision,
            soa_text=lambda: _soa_text(row),
        )


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


def joined(columns: Sequence[sa.ColumnElement[Any]], *conditions: Condition) -> sa.Select[Any]:
    """Return a select of recordsets joined with their zones."""
    return (
        sa.select(*columns)
        .join_from(recordsets, zones, zones.c.id == recordsets.c.zone_id)
        .where(*conditions)
    )


def state_of(
    zone: ZoneContext, is_soa: bool, changed_revision: int, action: str, record_count: int
) -> tuple[Action, Status]:
    """Return a recordset's action and status: pending while its revision is not served.

    The SOA changes with each revision of its zone.
    """
    revision = zone.revision if is_soa else changed_revision
    if revision <= zone.served_revision or not (is_soa or record_count):
        return Action.NONE, Status.ACTIVE
    status = Status.ERROR if zone.status == Status.ERROR else Status.PENDING
    return zone.action if is_soa else action_of(action), status


def from_row(row: Any, zone: ZoneContext) -> RecordSet:
    """Build the recordset from a row that begins with STORED_COLUMNS."""
    return from_rows([row], [zone], [_managed_by(row)])[0]


def from_rows(
    rows: Sequence[Any], zones: Sequence[ZoneContext], managed_by: Sequence[Managed | None] = ()
) -> tuple[RecordSet, ...]:
    """Build the recordsets from rows that begin with API_COLUMNS, each with its zone."""
    if not rows:
        return ()
    # By column: a list has up to a thousand rows, and naming each value of each of them is slower.
    (
        ids, zone_ids, project_ids, names, types, ttls, descriptions, texts, record_counts,
        changed_revisions, actions, managed, versions, created_at, updated_at,
    ) = zip(*[row[: len(API_COLUMNS)] for row in rows], strict=True)  # fmt: skip
    soas = [is_managed and rtype == "SOA" for is_managed, rtype in zip(managed, types, strict=True)]
    states = [
        state_of(zone, is_soa, revision, action, count)
        for zone, is_soa, revision, action, count in zip(
            zones, soas, changed_revisions, actions, record_counts, strict=True
        )
    ]
    return BULK.make(
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


def _managed_by(row: Any) -> Managed | None:
    if row.managed_resource_type is None:
        return None
    return Managed(**{name: getattr(row, f"managed_{name}") for name in MANAGED})


def managed_columns(managed: Managed | None) -> dict[str, str | None]:
    """Return the columns that hold what a managed recordset is for."""
    return {
        f"managed_{name}": None if managed is None else getattr(managed, name) for name in MANAGED
    }


def row_of(recordset: RecordSet, wire: bytes, changed_revision: int) -> dict[str, Any]:
    """Return the row of a new recordset."""
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
        **managed_columns(recordset.managed_by),
    }


def record_rows(recordset: RecordSet) -> list[dict[str, Any]]:
    """Return the rows of the recordset's records."""
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


def _stored_texts(recordset: RecordSet) -> tuple[str, ...]:
    """Return the texts, of which the SOA has none: its data is built from the zone's row."""
    return () if recordset.type == "SOA" else recordset.records
