"""Managed names: recordsets of the cloud's resources in zones that an operator chose for them.

A declaration lists all recordsets of a resource (or, with keep, some of them) and becomes one change of the
zone, so that it is idempotent and the newest one wins. It never replaces recordsets of projects or of other
resources.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from designate import errors, rrtypes
from designate.central import quotas, recordset_rules, samples
from designate.central.base import Core, refuse_pending_delete
from designate.central.zone_change import advance
from designate.context import Context
from designate.model.managed_names import Declared
from designate.model.quotas import Quotas
from designate.model.recordsets import Managed, RecordSet, RecordSetDraft, RecordSetId
from designate.model.zones import Action, Sample, Status, ZoneType
from designate.storage.sqlalchemy import managed_names as events
from designate.storage.sqlalchemy import recordsets, shared_zone_counts, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing.pagination import EVERYTHING
from designate.storage.sqlalchemy.recordsets import StoredRecordSet
from designate.storage.sqlalchemy.zone_rows import StoredZone
from designate.wire import rr

# The lower-case name and the type.
RecordSetKey = tuple[str, str]
MAX_LENGTHS = {
    "plugin_type": 50,
    "plugin_name": 50,
    "resource_type": 50,
    "resource_id": 36,
    "resource_region": 100,
    "extra": 100,
    "project_id": 36,
}


class ManagedNamesEndpoint:
    """See rpc.interfaces.ManagedNamesApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def declare(
        self,
        context: Context,
        zone_id: str,
        resource: Managed,
        drafts: tuple[RecordSetDraft, ...],
        at: datetime | None = None,
        keep: bool = False,
    ) -> Declared:
        _check(resource)
        desired = _merged(drafts)

        def write(tx: Transaction) -> Declared:
            stored = zones.lock_visible(tx, zone_id, EVERYTHING)
            if stored.zone.type != ZoneType.PRIMARY:
                raise errors.BadRequest("Only primary zones can have recordsets of resources")
            refuse_pending_delete(stored.zone)
            now = self._core.now()
            if not events.record_event(tx, zone_id, resource, at or now):
                return Declared(outdated=True)
            events.prune_events(tx, zone_id, now)
            declaration = _Declaration(self._core, tx, context, stored, resource)
            current = _recordsets_of(tx, zone_id, resource)
            if not keep:
                for key in sorted(current.keys() - desired.keys()):
                    declaration.remove(current[key])
            for key, draft in desired.items():
                declaration.put(draft, current.get(key))
            return declaration.finish()

        return self._core.db.write(write)


def _check(resource: Managed) -> None:
    if not resource.resource_id:
        raise errors.BadRequest("resource_id is required")
    for name, max_length in MAX_LENGTHS.items():
        if len(getattr(resource, name) or "") > max_length:
            raise errors.BadRequest(f"{name} is longer than {max_length} characters")


def _merged(drafts: Sequence[RecordSetDraft]) -> dict[RecordSetKey, RecordSetDraft]:
    """Merge drafts with the same name and type into one."""
    merged: dict[RecordSetKey, RecordSetDraft] = {}
    for draft in map(_stored_form, drafts):
        key = (draft.name.lower(), draft.type)
        if (first := merged.get(key)) is not None:
            records = dict.fromkeys((*first.records, *draft.records))
            draft = replace(first, records=tuple(records))
        merged[key] = draft
    return merged


def _stored_form(draft: RecordSetDraft) -> RecordSetDraft:
    with suppress(errors.InvalidObject):  # It is refused with the other rules of names.
        return replace(draft, name=rrtypes.canonical_name(draft.name))
    return draft


def _recordsets_of(
    tx: Transaction, zone_id: str, resource: Managed
) -> Mapping[RecordSetKey, StoredRecordSet]:
    """Return the resource's recordsets in the zone."""
    tx.flush()
    found = recordsets.find_managed(
        tx.connection, resource.resource_type, "resource_id", [resource.resource_id or ""]
    )
    return {
        (old.recordset.name.lower(), old.recordset.type): old
        for old, _ in found
        if old.recordset.zone_id == zone_id and _same_plugin(old.recordset.managed_by, resource)
    }


def _same_plugin(managed: Managed | None, other: Managed) -> bool:
    return managed is not None and (managed.plugin_type, managed.plugin_name) == (
        other.plugin_type,
        other.plugin_name,
    )


@dataclass(slots=True)
class _Declaration:
    """The change of a locked zone by one declaration."""

    core: Core
    tx: Transaction
    context: Context
    stored: StoredZone
    resource: Managed
    recordsets: list[RecordSet] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    deleted: list[bytes] = field(default_factory=list)
    added: list[bytes] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    count_delta: int = 0
    changed: bool = False

    def put(self, draft: RecordSetDraft, old: StoredRecordSet | None) -> None:
        """Insert or replace a recordset; record refusals and continue with the others."""
        try:
            if not draft.records:
                raise errors.BadRequest("no records")
            rdatas = rrtypes.rdata(draft.type, draft.name, draft.records)
            quotas.require(self._limits, recordset_records=len(rdatas))
            if old is None:
                self._insert(draft, rdatas)
            else:
                self._replace(old, draft, rdatas)
        except (errors.BadRequest, errors.Duplicate, errors.OverQuota) as error:
            self.refused.append(f"{draft.name} {draft.type}: {error.message}")
            if old is not None:
                self.recordsets.append(old.recordset)

    @property
    def _limits(self) -> Quotas:
        return quotas.with_overrides(self.core, self.stored.overrides)

    def _insert(self, draft: RecordSetDraft, rdatas: Sequence[bytes]) -> None:
        zone = self.stored.zone
        quotas.require(self._limits, zone_recordsets=self._recordset_count + 1)
        rrtypes.check_owner(draft.type, draft.name)
        recordset_rules.check_name(self.core, draft.name, zone)
        recordset_rules.check_location(self.tx, zone, draft)
        recordset = RecordSet(
            id=RecordSetId(str(uuid.uuid4())),
            zone_id=zone.id,
            zone_name=zone.name,
            project_id=zone.project_id,
            name=draft.name,
            type=draft.type,
            ttl=draft.ttl,
            description=draft.description,
            records=draft.records,
            action=Action.CREATE,
            status=Status.PENDING,
            created_at=self.core.now(),
            managed=True,
            managed_by=self.resource,
        )
        wire = recordset_rules.stored_wire(recordset, rdatas)
        recordsets.insert(self.tx, recordset, wire, zone.revision + 1)
        served = recordset_rules.served_wire(wire, recordset.ttl, zone)
        self.added += rr.split(served)
        self.samples.append(samples.of_recordset(recordset, served))
        self.count_delta += 1
        self.changed = True
        self.recordsets.append(recordset)
        self.core.notify(self.tx, self.context, "dns.recordset.create", recordset)

    def _replace(
        self, old: StoredRecordSet, draft: RecordSetDraft, rdatas: Sequence[bytes]
    ) -> None:
        zone, before = self.stored.zone, old.recordset
        after = replace(
            before,
            records=draft.records,
            ttl=draft.ttl,
            description=draft.description,
            managed_by=self.resource,
        )
        if after == before:
            self.recordsets.append(before)
            return
        after = replace(
            after,
            action=Action.UPDATE,
            status=Status.PENDING,
            updated_at=self.core.now(),
            version=before.version + 1,
        )
        wire = recordset_rules.stored_wire(after, rdatas)
        recordsets.update(self.tx, after, wire, zone.revision + 1, new_records=True)
        served = recordset_rules.served_wire(wire, after.ttl, zone)
        deleted, added = rr.difference(
            recordset_rules.served_wire(old.wire, before.ttl, zone), served
        )
        self.samples.append(samples.of_recordset(after, served))
        self.deleted += deleted
        self.added += added
        self.changed = True
        self.recordsets.append(after)
        self.core.notify(self.tx, self.context, "dns.recordset.update", after, before)

    def remove(self, old: StoredRecordSet) -> None:
        """Delete a recordset."""
        recordsets.delete(self.tx, old.recordset.id)
        shared_zone_counts.adjust(self.tx, self.stored.zone, old.recordset.project_id, -1)
        wire = recordset_rules.served_wire(old.wire, old.recordset.ttl, self.stored.zone)
        self.deleted += rr.split(wire)
        self.samples.append(samples.of_recordset(old.recordset))
        self.count_delta -= 1
        self.changed = True
        gone = replace(old.recordset, action=Action.DELETE, status=Status.PENDING)
        self.core.notify(self.tx, self.context, "dns.recordset.delete", gone)

    @property
    def _recordset_count(self) -> int:
        return self.stored.recordset_count + self.count_delta

    def finish(self) -> Declared:
        """Write the zone's next revision, if anything changed."""
        if self.changed:
            advance(
                self.core,
                self.tx,
                self.stored,
                deleted=self.deleted,
                added=self.added,
                sample=samples.best(self.stored.zone, reversed(self.samples)),
                columns={"recordset_count": self._recordset_count},
            )
        return Declared(recordsets=tuple(self.recordsets), refused=tuple(self.refused))
