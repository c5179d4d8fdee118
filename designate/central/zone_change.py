"""The functions by which a zone changes: its next revision, its journal step, the workers' announcement."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from designate import errors
from designate.central.base import Core
from designate.context import admin_context
from designate.model.zones import Action, Sample, Status, Zone, ZoneAnnouncement, ZoneType
from designate.storage.sqlalchemy import journal, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.journal import JournalStep
from designate.storage.sqlalchemy.zone_rows import StoredZone
from designate.wire import digests, names, rr

MAX_JOURNAL_STEPS = 1000
JOURNAL_PRUNE_EVERY = 128
# The columns of the zone's row that every revision sets, besides its SOA.
REVISION_COLUMNS = (
    "serial",
    "revision",
    "action",
    "status",
    "pending_since",
    "error",
    "updated_at",
)
EMPTY: Mapping[str, Any] = {}


def catalog_mname() -> str:
    """Return the MNAME of a new revision of a catalog zone, which no other revision of any database has.

    So the SOA that a consumer has says which catalog it holds, also where a restored or replaced database
    has given out the same serial.
    """
    return f"{uuid.uuid4()}.invalid."


def soft_deleted(zone: Zone, now: datetime) -> Zone:
    """Return the zone as it is shown after soft deletion."""
    return replace(
        zone, action=Action.NONE, status=Status.DELETED, pending_since=None, updated_at=now
    )


def advance(
    core: Core,
    tx: Transaction,
    stored: StoredZone,
    *,
    deleted: Iterable[bytes] = (),
    added: Iterable[bytes] = (),
    force_axfr: bool = False,
    soa_wire: bytes | None = None,
    newer_than: int | None = None,
    sample: Sample | None = None,
    columns: Mapping[str, Any] = EMPTY,
    recovery: bool = False,
) -> Zone:
    """Write the next revision of the locked zone and announce it to the workers after commit.

    Sets serial and status, and appends a journal step.

    Args:
        core: The shared parts of central.
        tx: The transaction that locked the zone.
        stored: The locked zone.
        deleted: The RRs that go, one each, with the TTLs that nameservers serve.
        added: The RRs that come, in the same form.
        force_axfr: RRs cannot express the difference (the zone's TTL changed); the journal step
            holds no IXFR, so that nameservers transfer the whole zone.
        soa_wire: The SOA RDATA where more than its serial changes.
        newer_than: The serial to exceed, where it is not the zone's own.
        sample: Part of what changes, by which nameservers are compared; None for the SOA alone.
        columns: Other columns of the zone's row to set.
        recovery: Workers handle the change after those that users wait for.

    Returns:
        The zone after the change.

    Raises:
        BadRequest: The zone is an expired secondary zone.
    """
    zone = stored.zone
    if stored.expired:
        raise errors.BadRequest("The zone has expired; its content can only come from its masters")
    now = core.now()
    soa = soa_wire or stored.soa_wire
    if zone.type == ZoneType.CATALOG:
        mname = catalog_mname()
        columns = {**columns, "mname": mname}
        soa = rr.soa_with_mname(soa, names.to_wire(mname))
    serial = (
        # The primary assigns the serials to come: step by one, to stay behind them as long as possible.
        (zone.serial + 1) % names.SERIAL_MODULUS
        if zone.type == ZoneType.SECONDARY
        else names.next_serial(
            zone.serial if newer_than is None else newer_than, now.replace(tzinfo=UTC).timestamp()
        )
    )
    after = replace(
        zone,
        **{name: value for name, value in columns.items() if name in Zone.__slots__},
        serial=serial,
        revision=zone.revision + 1,
        action=Action.UPDATE,
        status=Status.PENDING,
        pending_since=zone.pending_since or now,
        error=None,
        updated_at=now,
        version=zone.version + 1,
    )
    new_soa = rr.soa_with_serial(soa, serial)
    deleted_rrs, added_rrs = list(deleted), list(added)
    payload = (
        None
        if force_axfr
        else b"".join(
            (
                rr.soa(zone.ttl, stored.soa_wire),
                *deleted_rrs,
                rr.soa(after.ttl, new_soa),
                *added_rrs,
            )
        )
    )
    journal.append(
        tx,
        JournalStep(
            zone_id=zone.id,
            revision=after.revision,
            from_serial=zone.serial,
            to_serial=serial,
            deleted_count=len(deleted_rrs),
            added_count=len(added_rrs),
            payload=payload,
        ),
        now,
    )
    if after.revision % JOURNAL_PRUNE_EVERY == 0:
        journal.prune(tx, zone.id, after.revision - MAX_JOURNAL_STEPS)
    changed = {name: getattr(after, name) for name in REVISION_COLUMNS}
    changed |= {"soa_wire": new_soa, "sample": sample}
    zones.update_locked(tx, stored, after, {**changed, **columns})
    announce(core, tx, after, stored.pool_version, new_soa, sample, recovery=recovery)
    return after


def announce(
    core: Core,
    tx: Transaction,
    zone: Zone,
    pool_version: int,
    soa_wire: bytes,
    sample: Sample | None = None,
    *,
    hard_delete: bool = False,
    recovery: bool = False,
) -> None:
    """Send the zone's state to the workers after commit.

    If the message is lost, the recovery sweep finds the zone pending.
    """
    if (
        zone.type == ZoneType.SECONDARY
        and zone.transferred_at is None
        and zone.action != Action.DELETE
    ):
        return  # There is no content to serve before the first transfer.
    change = announcement_of(
        zone, pool_version, soa_wire, sample, hard_delete=hard_delete, recovery=recovery
    )
    tx.after_commit.append(lambda: core.worker.zone_changed(admin_context(), change))


def withdraw(core: Core, tx: Transaction, zone: Zone, pool_version: int) -> None:
    """Have workers remove the zone's expired content from its nameservers."""
    change = withdrawal_of(zone, pool_version)
    tx.after_commit.append(lambda: core.worker.zone_changed(admin_context(), change))


def withdrawal_of(zone: Zone, pool_version: int, *, recovery: bool = False) -> ZoneAnnouncement:
    """Return the message that has workers remove the zone's expired content."""
    change = announcement_of(zone, pool_version, recovery=recovery)
    return replace(change, action=Action.DELETE, withdrawn=True)


def announcement_of(
    zone: Zone,
    pool_version: int,
    soa_wire: bytes = b"",
    sample: Sample | None = None,
    *,
    hard_delete: bool = False,
    recovery: bool = False,
) -> ZoneAnnouncement:
    """Return the message that has workers bring the zone's nameservers to its state.

    Args:
        zone: The zone.
        pool_version: The version of its pool.
        soa_wire: Its SOA's data; not needed where the nameservers are to lose the zone.
        sample: Part of its newest content.
        hard_delete: Targets delete the zone's files, too.
        recovery: Workers handle the change after those that users wait for.
    """
    return ZoneAnnouncement(
        zone_id=zone.id,
        name=zone.name,
        type=zone.type,
        pool_id=zone.pool_id,
        pool_version=pool_version,
        revision=zone.revision,
        serial=zone.serial,
        action=zone.action,
        created=zone.served_revision > 0,
        hard_delete=hard_delete,
        again=recovery,
        verify=zone.status == Status.ERROR,
        soa=digests.of_soa(zone.ttl, soa_wire) if soa_wire else "",
        sample=sample,
    )
