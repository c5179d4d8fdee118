"""Apex records: the SOA and NS recordsets that the service maintains in each zone."""

from __future__ import annotations

import struct
import uuid
from dataclasses import replace

from designate import mailboxes
from designate.central import samples
from designate.central.base import Core
from designate.central.zone_change import advance, announce
from designate.model.pools import Pool
from designate.model.recordsets import RecordSet, RecordSetId
from designate.model.zones import Action, Status, Zone, ZoneId, ZoneType
from designate.storage.sqlalchemy import recordsets, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.zone_rows import StoredZone
from designate.wire import names, rr

_SOA_NUMBERS = struct.Struct(">5I")


def soa_wire(zone: Zone) -> bytes:
    """Return the SOA's RDATA (RFC 1035 section 3.3.13)."""
    return (
        names.to_wire(zone.mname)
        + names.to_wire(mailboxes.rname(zone.email))
        + _SOA_NUMBERS.pack(zone.serial, zone.refresh, zone.retry, zone.expire, zone.minimum)
    )


def ns_wire(zone: Zone, hostnames: list[str]) -> bytes:
    """Return the apex NS RRs as stored, which inherit the zone's TTL."""
    return rr.rrset(
        zone.name, zone.name, rr.TYPE_NS, None, [names.to_wire(name) for name in hostnames]
    )


def hostnames(pool: Pool) -> list[str]:
    """Return the names of the pool's NS records."""
    return [record.hostname for record in pool.ns_records]


def initial_recordsets(zone: Zone, pool: Pool) -> list[tuple[RecordSet, bytes]]:
    """Return the apex recordsets of a new zone: SOA, and for a primary zone NS.

    The SOA has no RRs: they are made from the zone's row.
    """
    soa = _apex(zone, "SOA", (zone.soa_text,))
    if zone.type != "PRIMARY":
        return [(soa, b"")]
    texts = hostnames(pool)
    return [(soa, b""), (_apex(zone, "NS", tuple(texts)), ns_wire(zone, texts))]


def _apex(zone: Zone, rtype: str, texts: tuple[str, ...]) -> RecordSet:
    return RecordSet(
        id=RecordSetId(str(uuid.uuid4())),
        zone_id=zone.id,
        zone_name=zone.name,
        project_id=zone.project_id,
        name=zone.name,
        type=rtype,
        records=texts,
        action=Action.CREATE,
        status=Status.PENDING,
        created_at=zone.created_at,
        managed=True,
    )


def sync_with_pool(
    core: Core, tx: Transaction, stored: StoredZone, pool: Pool, *, recovery: bool = False
) -> Zone:
    """Make the locked zone's apex NS recordset and its SOA's MNAME follow its pool's NS records.

    Returns:
        The zone after the change; stored.zone itself if there was none.
    """
    texts = hostnames(pool)
    zone = replace(stored.zone, mname=texts[0])
    current = recordsets.find_at_apex(tx.connection, zone, "NS")
    wire = ns_wire(zone, texts)
    if current is not None and current.wire == wire and zone.mname == stored.zone.mname:
        zones.update(tx, zone.id, ns_version=pool.ns_version)
        return stored.zone
    now = core.now()
    if current is None:
        recordset = replace(_apex(zone, "NS", tuple(texts)), created_at=now)
        recordsets.insert(tx, recordset, wire, stored.zone.revision + 1)
        zones.update(tx, zone.id, recordset_count=stored.recordset_count + 1)
        old = b""
    else:
        recordset = replace(
            current.recordset, records=tuple(texts), action=Action.UPDATE, updated_at=now
        )
        recordsets.update(tx, recordset, wire, stored.zone.revision + 1, new_records=True)
        old = current.wire
    served = rr.with_ttl(wire, zone.ttl)
    deleted, added = rr.difference(rr.with_ttl(old, zone.ttl), served)
    after = advance(
        core,
        tx,
        stored,
        deleted=deleted,
        added=added,
        soa_wire=soa_wire(zone),
        sample=samples.of_rrset(zone.name, rr.TYPE_NS, served),
        columns={"mname": zone.mname},
        recovery=recovery,
    )
    zones.update(tx, zone.id, ns_version=pool.ns_version)
    return after


def move_to_pool(
    core: Core, tx: Transaction, stored: StoredZone, pool: Pool, parent_id: ZoneId | None
) -> Zone:
    """Assign the locked zone to another pool, and announce it to the workers.

    Returns:
        The zone after the move, with the pool's nameservers in its apex records.
    """
    moved = {"pool_id": pool.id, "parent_zone_id": parent_id}
    zones.update(tx, stored.zone.id, **moved, served_revision=0, ns_version=0)
    zone = replace(stored.zone, pool_id=pool.id, parent_zone_id=parent_id, served_revision=0)
    if zone.type != ZoneType.SECONDARY:
        after = sync_with_pool(
            core, tx, replace(stored, zone=zone, pool_version=pool.version), pool
        )
        if after.revision != zone.revision:
            return after
    # No new revision: it is a secondary zone, or names the same nameservers already.
    zone = replace(zone, action=Action.UPDATE, status=Status.PENDING)
    if not stored.expired:
        now = core.now()
        pending = {"action": zone.action, "status": zone.status, "error": None}
        since = zone.pending_since or now
        zones.update(tx, zone.id, **pending, pending_since=since, updated_at=now)
        announce(core, tx, zone, pool.version, stored.soa_wire, stored.sample)
    return zone
