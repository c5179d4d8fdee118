"""Content of secondary zones: what a transfer in changes, and how it is stored.

A transfer replaces the content in one transaction and one journal step, so that readers of the zone, and
the pool's nameservers by IXFR, see one version or the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from designate import domain_names, errors
from designate.central import samples, secondary_timers
from designate.central.base import Core
from designate.central.zone_change import JOURNAL_PRUNE_EVERY, MAX_JOURNAL_STEPS, announce
from designate.central.zone_diff import (
    TYPE_NS,
    DiffMismatch,
    ZoneDiff,
    apply_steps,
    changed_names,
    compare,
)
from designate.context import admin_context
from designate.model.recordsets import RecordSet, RecordSetId
from designate.model.secondary import TransferInContent
from designate.model.zones import Action, Sample, Status, Zone, ZoneType
from designate.runtime.cooperative import yielding
from designate.storage.sqlalchemy import journal, recordsets, secondary, shared_zone_counts, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.journal import JournalStep
from designate.storage.sqlalchemy.zone_rows import StoredZone
from designate.wire import rr, rrsets, types
from designate.wire.names import SERIAL_MODULUS, serial_gt
from designate.wire.rrsets import SoaRecord

# Larger differences would outgrow a database's packet; nameservers transfer the whole zone instead.
MAX_JOURNAL_BYTES = 4 * 2**20
# The range of the signed columns that hold TTLs and SOA timers (RFC 2181 section 8).
MAX_SECONDS = 2**31 - 1
ZONE_COLUMNS = (
    "serial", "revision", "action", "status", "error", "pending_since", "updated_at", "email", "ttl",
    "mname", "refresh", "retry", "expire", "minimum", "transferred_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PreparedContent:
    """The effect of a transfer on a zone in the state `stored`.

    zone: The zone after it. inserted, updated: Recordsets with their RRs in wire form.
    """

    stored: StoredZone
    soa: SoaRecord
    diff: ZoneDiff
    zone: Zone
    inserted: list[tuple[RecordSet, bytes]]
    updated: list[tuple[RecordSet, bytes]]


def require_secondary(stored: StoredZone) -> StoredZone:
    """Return the zone, or raise NotFound if it has no primaries (any more)."""
    if stored.zone.type != ZoneType.SECONDARY or stored.zone.action == Action.DELETE:
        raise errors.NotFound("zone")
    return stored


def prepare(core: Core, content: TransferInContent) -> PreparedContent | None:
    """Compare a transfer with the zone as it is now, without locking the zone.

    Returns:
        None if the transfer is not newer than the zone.

    Raises:
        DiffMismatch: The zone is not in the state that the difference starts from.
        ValueError: The content cannot be stored.
    """
    with core.db.read() as connection:
        stored = require_secondary(zones.get_stored(connection, content.zone_id))
        zone = stored.zone
        if not _is_newer(stored, content.serial):
            return None
        parts = secondary.read_staged_parts(connection, zone.id, content.id)
        if len(parts) != content.staged:
            raise errors.BadRequest("Parts of the transfer are missing")
        wire = b"".join((*parts, content.tail))
        if content.difference:
            steps = rrsets.parse_steps(wire)
            soa = steps[-1].new
            if stored.expired or not (steps[0].old.serial == stored.primary_serial == zone.serial):
                raise DiffMismatch(f"the zone is not at serial {steps[0].old.serial}")
            keys = changed_names(steps, zone.name)
            before = list(secondary.read_recordsets_at(connection, zone.id, keys))
            after = apply_steps(before, steps, zone.name, zone.ttl)
        else:
            soa, after = rrsets.parse_zone(wire, zone.name)
            before = list(secondary.read_recordsets(connection, zone.id))
        diff = compare(before, after, zone.ttl)
    apex = (zone.name.lower(), TYPE_NS)
    if apex not in after and (not content.difference or apex[0] in keys):
        raise ValueError("it has no NS records")
    _check_limits(core, stored, soa, diff)
    now = core.now()
    return PreparedContent(
        stored=stored,
        soa=soa,
        diff=diff,
        zone=_zone_after(stored, soa, now),
        inserted=[_recordset(rrset, zone, now) for rrset in yielding(diff.inserted)],
        updated=[
            _updated_recordset(current, rrset, zone, now)
            for current, rrset in yielding(diff.updated)
        ],
    )


def store(
    core: Core, content: TransferInContent, prepared: PreparedContent, tx: Transaction
) -> bool:
    """Write the prepared content.

    Returns:
        False, with nothing written, if the zone has changed since the content was prepared.
    """
    stored = zones.lock(tx, content.zone_id)
    diff = prepared.diff
    unchanged = (stored.zone.revision, stored.expired) == (
        prepared.stored.zone.revision,
        prepared.stored.expired,
    )
    if not unchanged:
        return False
    zone = stored.zone
    now = core.now()
    # Without a new revision only the columns about pending changes may differ.
    pending_since = now if stored.expired else zone.pending_since or now
    after = replace(prepared.zone, pending_since=pending_since)
    recordsets.insert_many(tx, prepared.inserted, after.revision)
    secondary.update_many(tx, prepared.updated, after.revision)
    secondary.delete_many(tx, [current.id for current in diff.deleted])
    if diff.deleted:
        shared_zone_counts.recount(tx, zone)
    _append_journal(tx, stored, after, prepared, now)
    refresh_at, expires_at = secondary_timers.after_success(core, after, now)
    new_soa = rr.soa_with_serial(prepared.soa.wire, after.serial)
    sample = samples.best(after, _samples(diff))
    zones.update(
        tx,
        zone.id,
        **{name: getattr(after, name) for name in ZONE_COLUMNS},
        primary_serial=content.serial,
        soa_wire=new_soa,
        sample=sample,
        recordset_count=stored.recordset_count + diff.recordset_count_delta,
        record_count=stored.record_count + diff.record_count_delta,
        refresh_at=refresh_at,
        expires_at=expires_at,
        expired_at=None,
        withdrawn=False,
        sent_at=None,
    )
    secondary.discard_parts(tx, content.id)
    announce(core, tx, after, stored.pool_version, new_soa, sample)
    core.notify(tx, admin_context(), "dns.zone.update", after, zone)
    return True


def _samples(diff: ZoneDiff) -> Iterator[Sample]:
    for rrset in chain(diff.inserted, (rrset for _, rrset in diff.updated)):
        yield samples.of_rrset(rrset.name, rrset.rtype, rrset.wire)
    for current in diff.deleted:
        yield samples.of_rrset(current.name, types.number_of(current.type), b"")


def _append_journal(
    tx: Transaction, stored: StoredZone, after: Zone, prepared: PreparedContent, now: datetime
) -> None:
    zone, diff = stored.zone, prepared.diff
    payload: bytes | None = None
    # No IXFR before the first transfer (nameservers had nothing) and after expiry (they had it removed).
    if stored.primary_serial is not None and not stored.expired:
        payload = b"".join(
            (
                rr.soa(zone.ttl, stored.soa_wire),
                *diff.deleted_rrs,
                rr.soa(after.ttl, rr.soa_with_serial(prepared.soa.wire, after.serial)),
                *diff.added_rrs,
            )
        )
    journal.append(
        tx,
        JournalStep(
            zone_id=zone.id,
            revision=after.revision,
            from_serial=zone.serial,
            to_serial=after.serial,
            deleted_count=len(diff.deleted_rrs),
            added_count=len(diff.added_rrs),
            payload=payload if payload and len(payload) <= MAX_JOURNAL_BYTES else None,
        ),
        now,
    )
    if after.revision % JOURNAL_PRUNE_EVERY == 0:
        journal.prune(tx, zone.id, after.revision - MAX_JOURNAL_STEPS)


def _check_limits(core: Core, stored: StoredZone, soa: SoaRecord, diff: ZoneDiff) -> None:
    """Check the limits of transfers; quotas apply only to what users create.

    Raises:
        ValueError: The content exceeds one.
    """
    max_records = core.conf["service:worker"].xfr_max_records
    if stored.record_count + diff.record_count_delta > max_records:
        raise ValueError(f"it would have more than {max_records} records")
    for text in (soa.mname, soa.email):
        if len(text) > domain_names.MAX_CHARS:
            raise ValueError("a name in its SOA is too long to be stored")


def _is_newer(stored: StoredZone, serial: int) -> bool:
    current = stored.primary_serial
    return current is None or stored.expired or serial_gt(serial, current)


def _zone_after(stored: StoredZone, soa: SoaRecord, now: datetime) -> Zone:
    """Return the zone with the transfer's SOA.

    Its serial is the primary's, unless the nameservers have seen a higher one (after an expiry, or a
    change by an administrator): for them the serial must increase.
    """
    zone = stored.zone
    serial = soa.serial
    if stored.primary_serial is not None and not serial_gt(serial, zone.serial):
        serial = (zone.serial + 1) % SERIAL_MODULUS
    return replace(
        zone,
        serial=serial,
        revision=zone.revision + 1,
        action=Action.CREATE if stored.primary_serial is None else Action.UPDATE,
        status=Status.PENDING,
        error=None,
        updated_at=now,
        transferred_at=now,
        email=soa.email,
        ttl=min(soa.ttl, MAX_SECONDS),
        mname=soa.mname,
        refresh=min(soa.refresh, MAX_SECONDS),
        retry=min(soa.retry, MAX_SECONDS),
        expire=min(soa.expire, MAX_SECONDS),
        minimum=min(soa.minimum, MAX_SECONDS),
        version=zone.version + 1,
    )


def _recordset(rrset: rrsets.RRset, zone: Zone, now: datetime) -> tuple[RecordSet, bytes]:
    recordset = RecordSet(
        id=RecordSetId(str(uuid.uuid4())),
        zone_id=zone.id,
        zone_name=zone.name,
        project_id=zone.project_id,
        name=rrset.name,
        type=types.name_of(rrset.rtype),
        ttl=rrset.ttl,
        records=rrset.texts(),
        action=Action.CREATE,
        status=Status.PENDING,
        created_at=now,
    )
    return recordset, rrset.wire


def _updated_recordset(
    current: secondary.CurrentRecordSet, rrset: rrsets.RRset, zone: Zone, now: datetime
) -> tuple[RecordSet, bytes]:
    """Return a recordset whose members that the update writes are right; the others are not used."""
    recordset, wire = _recordset(rrset, zone, now)
    updated = replace(recordset, id=RecordSetId(current.id), action=Action.UPDATE, updated_at=now)
    return updated, wire
