"""Changes of single recordsets in a locked zone: their rows, the zone's counts and its next revision."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from designate.central import recordset_rules, samples
from designate.central.base import Core
from designate.central.zone_change import advance
from designate.context import Context
from designate.model.codec import UNSET
from designate.model.recordsets import RecordSet, RecordSetDraft, RecordSetId, RecordSetPatch
from designate.model.zones import Action, Status
from designate.storage.sqlalchemy import recordsets, shared_zone_counts, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.recordsets import StoredRecordSet
from designate.storage.sqlalchemy.zone_rows import StoredZone
from designate.wire import rr


def insert(
    core: Core,
    tx: Transaction,
    context: Context,
    stored: StoredZone,
    draft: RecordSetDraft,
    rdatas: Sequence[bytes],
) -> RecordSet:
    """Store a checked recordset of the caller's project in the locked zone.

    Without records nothing changes in DNS, and the zone gets no new revision.
    """
    zone = stored.zone
    recordset = RecordSet(
        id=RecordSetId(str(uuid.uuid4())),
        zone_id=zone.id,
        zone_name=zone.name,
        project_id=context.project_id,
        name=draft.name,
        type=draft.type,
        ttl=draft.ttl,
        description=draft.description,
        records=draft.records,
        action=Action.CREATE if rdatas else Action.NONE,
        status=Status.PENDING if rdatas else Status.ACTIVE,
        created_at=core.now(),
    )
    wire = recordset_rules.stored_wire(recordset, rdatas)
    shared_zone_counts.adjust(tx, zone, recordset.project_id, 1)
    counts = {"recordset_count": stored.recordset_count + 1}
    if not rdatas:
        recordsets.insert(tx, recordset, wire, 0)
        zones.update(tx, zone.id, **counts)
        return recordset
    recordsets.insert(tx, recordset, wire, zone.revision + 1)
    served = recordset_rules.served_wire(wire, recordset.ttl, zone)
    advance(
        core,
        tx,
        stored,
        added=rr.split(served),
        sample=samples.best(zone, [samples.of_recordset(recordset, served)]),
        columns=counts | {"record_count": stored.record_count + len(rdatas)},
    )
    return recordset


def patched(before: RecordSet, patch: RecordSetPatch, now: datetime) -> RecordSet:
    """Return the recordset with the members that the patch sets."""
    members = {
        name: value
        for name in ("records", "ttl", "description")
        if (value := getattr(patch, name)) is not UNSET
    }
    after = replace(before, **members)
    pending = bool(after.records)
    return replace(
        after,
        action=Action.UPDATE if pending else Action.NONE,
        status=Status.PENDING if pending else Status.ACTIVE,
        updated_at=now,
        version=before.version + 1,
    )


def update(
    core: Core,
    tx: Transaction,
    stored: StoredZone,
    current: StoredRecordSet,
    after: RecordSet,
    rdatas: Sequence[bytes] | None,
) -> None:
    """Store a changed recordset of the locked zone; rdatas: its records' RDATA, None if unchanged."""
    zone = stored.zone
    before = current.recordset
    wire = current.wire
    if rdatas is not None:
        wire = recordset_rules.stored_wire(after, rdatas)
    if after.ttl != before.ttl:
        wire = rr.with_ttl(wire, after.ttl or 0)
    revision = zone.revision + 1
    recordsets.update(tx, after, wire, revision, new_records=rdatas is not None)
    if not before.records and not after.records:
        zones.update(tx, zone.id)
        return
    served = recordset_rules.served_wire(wire, after.ttl, zone)
    deleted, added = rr.difference(
        recordset_rules.served_wire(current.wire, before.ttl, zone), served
    )
    change = 0 if after.managed else len(after.records) - len(before.records)
    advance(
        core,
        tx,
        stored,
        deleted=deleted,
        added=added,
        sample=samples.best(zone, [samples.of_recordset(after, served)]),
        columns={"record_count": stored.record_count + change},
    )


def delete(core: Core, tx: Transaction, stored: StoredZone, current: StoredRecordSet) -> None:
    """Delete a recordset of the locked zone."""
    deleted = current.recordset
    recordsets.delete(tx, deleted.id)
    shared_zone_counts.adjust(tx, stored.zone, deleted.project_id, -1)
    counts = {"recordset_count": stored.recordset_count - 1}
    if not deleted.records:
        zones.update(tx, stored.zone.id, **counts)
        return
    if not deleted.managed:
        counts["record_count"] = stored.record_count - len(deleted.records)
    wire = recordset_rules.served_wire(current.wire, deleted.ttl, stored.zone)
    sample = samples.best(stored.zone, [samples.of_recordset(deleted)])
    advance(core, tx, stored, deleted=rr.split(wire), sample=sample, columns=counts)
