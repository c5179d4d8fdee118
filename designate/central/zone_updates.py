"""Updates of a zone's own row, in the transaction of the endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from designate.central import apex_records, catalogs, secondary_timers
from designate.central.base import Core
from designate.central.zone_change import advance, announce
from designate.model.zones import Action, Status, Zone
from designate.storage.sqlalchemy import zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.zone_rows import StoredZone


def update_primary(
    core: Core, tx: Transaction, stored: StoredZone, columns: dict[str, Any]
) -> Zone:
    """Write the new columns of a locked primary zone as a new revision, and return the zone after it."""
    before = stored.zone
    desired = replace(before, **columns)
    return advance(
        core,
        tx,
        stored,
        force_axfr=desired.ttl != before.ttl,
        soa_wire=apex_records.soa_wire(desired),
        columns=columns,
    )


def update_secondary(
    core: Core, tx: Transaction, stored: StoredZone, columns: dict[str, Any]
) -> Zone:
    """Write the new columns of a locked secondary zone, and return the zone after the change.

    Revision and serial stay: nothing changes that DNS serves. New masters are polled at once.
    """
    now = core.now()
    new = dict(columns)
    served = stored.primary_serial is not None and not stored.expired
    if served:
        # Workers poll the nameservers again and report the zone ACTIVE.
        new |= {
            "action": Action.UPDATE,
            "status": Status.PENDING,
            "pending_since": stored.zone.pending_since or now,
            "error": None,
        }
    elif "masters" in columns and not stored.expired:
        new |= {"status": Status.PENDING, "error": None}
    after = replace(stored.zone, **new, updated_at=now, version=stored.zone.version + 1)
    if "masters" in columns:
        new["refresh_at"] = secondary_timers.first_recovery(core, after)
        secondary_timers.request_refresh(core, tx, after.id)
    zones.update(tx, after.id, updated_at=now, **new)
    if served:
        announce(core, tx, after, stored.pool_version, stored.soa_wire, stored.sample)
    return after


def start_deletion(core: Core, tx: Transaction, stored: StoredZone, *, hard_delete: bool) -> Zone:
    """Mark the locked zone as being deleted, and have workers remove it from its nameservers.

    Args:
        core: The shared parts of central.
        tx: The transaction to write in.
        stored: The zone; deleting it again announces it again.
        hard_delete: Targets delete the zone's files, too.

    Returns:
        The zone after the change.
    """
    zone = stored.zone
    now = core.now()
    after = replace(
        zone,
        action=Action.DELETE,
        status=Status.PENDING,
        error=None,
        pending_since=zone.pending_since or now,
        updated_at=now,
        version=zone.version + 1,
    )
    zones.update(
        tx,
        zone.id,
        action=after.action,
        status=after.status,
        error=None,
        pending_since=after.pending_since,
        hard_delete=hard_delete,
        updated_at=now,
    )
    if zone.action != Action.DELETE:
        catalogs.remove_member(core, tx, zone)
    announce(core, tx, after, stored.pool_version, stored.soa_wire, hard_delete=hard_delete)
    return after
