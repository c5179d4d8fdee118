"""Catalog zones (RFC 9432): the list of a pool's zones as a zone that its nameservers transfer.

Members are ordinary recordsets, `<zone id>.zones.<catalog>` PTR, written in the transaction that creates,
moves or deletes their zone; so AXFR and NOTIFY need nothing special. `sync_members` adds the zones
that a pool has when it gets a catalog, and those that were created at the same time.

A consumer may have a catalog of the same name and serial from another database: before this one was
emptied or restored. Therefore each revision has a MNAME of its own. MiniDNS sends a difference only to a
consumer whose SOA is in the journal, and a consumer that has the serial with another SOA is passed.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from designate import errors, rrtypes
from designate.central import apex_records
from designate.central.base import Core
from designate.central.zone_change import advance, announce, catalog_mname
from designate.model.pools import CatalogZone, Pool
from designate.model.recordsets import RecordSet, RecordSetId
from designate.model.tsigkeys import TsigKey, TsigScope
from designate.model.zones import Action, Status, Zone, ZoneId, ZoneType
from designate.storage.sqlalchemy import catalogs, pools, recordsets, tsigkeys, zones
from designate.storage.sqlalchemy.catalogs import CatalogMember
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.zone_rows import StoredZone
from designate.wire import names, rr, tsig_keys

LOG = logging.getLogger(__name__)

MAX_BATCH = 1000
FIRST_REVISION = 1
# The maximum, so that consumers keep their zones however long this service is down.
EXPIRE_S = 2147483646
MEMBERS_LABEL = ".zones."


def validate(catalog: CatalogZone) -> None:
    """Raise InvalidObject if the catalog zone cannot be created."""
    rrtypes.check_plain_domain(catalog.fqdn)
    try:
        names.to_wire(_member_name(str(uuid.UUID(int=0)), catalog.fqdn))
        if catalog.secret is not None:
            tsig_keys.make_key(catalog.fqdn, catalog.algorithm or "", catalog.secret)
    except ValueError as error:
        raise errors.InvalidObject(f"catalog_zone: {error}") from None


def apply(core: Core, tx: Transaction, old: Pool | None, pool: Pool) -> None:
    """Create, change or remove the catalog zone of a changed pool; old is the pool before the change."""
    before = None if old is None else old.catalog_zone
    after = pool.catalog_zone
    if before is not None and (after is None or after.fqdn.lower() != before.fqdn.lower()):
        remove(core, tx, pool.id, before)
    if after is None:
        return
    catalog_id = catalogs.find(tx.connection, pool.id, after.fqdn)
    if catalog_id is None:
        catalog_id = _create(core, tx, pool, after)
    elif before is not None and before.refresh != after.refresh:
        stored = zones.lock(tx, catalog_id)
        refresh = _refresh(core, after)
        changed = replace(stored.zone, refresh=refresh)
        advance(
            core, tx, stored, soa_wire=apex_records.soa_wire(changed), columns={"refresh": refresh}
        )
    _set_key(core, tx, catalog_id, after)


def remove(core: Core, tx: Transaction, pool_id: str, catalog: CatalogZone) -> None:
    """Delete the catalog zone.

    Consumers can no longer transfer it; they keep its zones until they are reconfigured.
    """
    catalog_id = catalogs.find(tx.connection, pool_id, catalog.fqdn)
    if catalog_id is not None:
        zones.soft_delete(tx, zones.lock(tx, catalog_id).zone, core.now())
        tsigkeys.delete_of_zone(tx, catalog_id)


def add_member(core: Core, tx: Transaction, zone: Zone, pool: Pool) -> None:
    """Add a zone to the pool's catalog, if it has one."""
    stored = _locked(tx, pool)
    if stored is not None:
        _change_members(core, tx, stored, added=[(zone.id, zone.name)])


def remove_member(core: Core, tx: Transaction, zone: Zone) -> None:
    """Remove a zone from the catalog of its own pool, if that has one."""
    remove_member_from(core, tx, zone.id, pools.get(tx.connection, zone.pool_id))


def remove_member_from(core: Core, tx: Transaction, zone_id: str, pool: Pool) -> None:
    """Remove a zone from the pool's catalog, if it has one."""
    stored = _locked(tx, pool)
    if stored is None:
        return
    found = catalogs.find_member(
        tx.connection, stored.zone.id, _member_name(zone_id, stored.zone.name)
    )
    if found is not None:
        _change_members(core, tx, stored, removed=[found])


def sync_members(core: Core, pool: Pool, limit: int = MAX_BATCH) -> int:
    """Make the pool's catalog list exactly the pool's zones, by one new revision of the catalog.

    Returns:
        How many members were added and removed; at most `limit` of each.
    """
    catalog = pool.catalog_zone
    if catalog is None:
        return 0
    with core.db.read() as connection:
        catalog_id = catalogs.find(connection, pool.id, catalog.fqdn)
        if catalog_id is None or catalogs.has_expected_size(connection, pool.id, catalog_id):
            return 0

    def write(tx: Transaction) -> int:
        stored = zones.lock(tx, catalog_id)
        query = (
            tx.connection,
            pool.id,
            catalog_id,
            MEMBERS_LABEL + stored.zone.name.lower(),
            limit,
        )
        added, removed = catalogs.find_missing(*query), catalogs.find_surplus(*query)
        if added or removed:
            _change_members(core, tx, stored, added=added, removed=removed)
        return len(added) + len(removed)

    try:
        changed = core.db.write(write, catalog_id)
    except errors.NotFound:
        return 0
    if changed:
        LOG.info("catalog zone %s: %d members added or removed", catalog_id, changed)
    return changed


def _locked(tx: Transaction, pool: Pool) -> StoredZone | None:
    if pool.catalog_zone is None:
        return None
    catalog_id = catalogs.find(tx.connection, pool.id, pool.catalog_zone.fqdn)
    return None if catalog_id is None else zones.lock(tx, catalog_id)


def _change_members(
    core: Core,
    tx: Transaction,
    stored: StoredZone,
    *,
    added: Sequence[tuple[ZoneId, str]] = (),
    removed: Sequence[CatalogMember] = (),
) -> None:
    catalog = stored.zone
    new = [_member(core, catalog, zone_id, name) for zone_id, name in added]
    recordsets.insert_many(tx, new, catalog.revision + 1)
    if removed:
        catalogs.delete_members(tx, removed)
    count = stored.recordset_count + len(new) - len(removed)
    advance(
        core,
        tx,
        stored,
        deleted=[rr.with_ttl(member.wire, catalog.ttl) for member in removed],
        added=[rr.with_ttl(wire, catalog.ttl) for _, wire in new],
        columns={"recordset_count": count},
    )


def _member_name(zone_id: str, catalog: str) -> str:
    return zone_id + MEMBERS_LABEL + catalog


def _member(core: Core, catalog: Zone, zone_id: str, name: str) -> tuple[RecordSet, bytes]:
    return _recordset(
        core, catalog, _member_name(zone_id, catalog.name), "PTR", name, names.to_wire(name)
    )


def _recordset(
    core: Core, catalog: Zone, name: str, rtype: str, text: str, data: bytes
) -> tuple[RecordSet, bytes]:
    recordset = RecordSet(
        id=RecordSetId(str(uuid.uuid4())),
        zone_id=catalog.id,
        zone_name=catalog.name,
        project_id=catalog.project_id,
        name=name,
        type=rtype,
        records=(text,),
        action=Action.CREATE,
        status=Status.PENDING,
        created_at=core.now(),
        managed=True,
    )
    wire = rr.rrset(name, catalog.name, rrtypes.numeric_type(rtype), None, [data])
    return recordset, wire


def _refresh(core: Core, catalog: CatalogZone) -> int:
    if catalog.refresh is not None:
        return catalog.refresh
    refresh: int = core.conf.default_soa_refresh_min
    return refresh


def _create(core: Core, tx: Transaction, pool: Pool, catalog: CatalogZone) -> ZoneId:
    """Create the catalog zone without members."""
    now = core.now()
    zone = Zone(
        id=ZoneId(str(uuid.uuid4())),
        project_id=None,
        name=catalog.fqdn,
        type=ZoneType.CATALOG,
        email=core.conf["service:central"].managed_resource_email,
        ttl=core.conf.default_ttl,
        serial=int(now.replace(tzinfo=UTC).timestamp()),
        revision=FIRST_REVISION,
        served_revision=0,
        action=Action.CREATE,
        status=Status.PENDING,
        pending_since=now,
        pool_id=pool.id,
        mname=catalog_mname(),
        refresh=_refresh(core, catalog),
        retry=core.conf.default_soa_retry,
        expire=EXPIRE_S,
        minimum=core.conf.default_soa_minimum,
        created_at=now,
    )
    apex = [
        *apex_records.initial_recordsets(zone, pool),
        _recordset(core, zone, zone.name, "NS", "invalid.", names.to_wire("invalid.")),
        _recordset(core, zone, f"version.{zone.name}", "TXT", '"2"', b"\x012"),
    ]
    soa = apex_records.soa_wire(zone)
    zones.insert(
        tx,
        zone,
        soa,
        ns_version=pool.ns_version,
        recordset_count=catalogs.APEX_RECORDSETS,
    )
    recordsets.insert_many(tx, apex, FIRST_REVISION)
    announce(core, tx, zone, pool.version, soa)
    return zone.id


def _set_key(core: Core, tx: Transaction, catalog_id: ZoneId, catalog: CatalogZone) -> None:
    """Store the TSIG key of the catalog, if it has one, with scope ZONE and the catalog's name."""
    tsigkeys.delete_of_zone(tx, catalog_id, catalog.fqdn)
    if catalog.secret is None:
        return
    key = TsigKey(
        id=str(uuid.uuid4()),
        name=catalog.fqdn,
        algorithm=catalog.algorithm or "",
        secret=catalog.secret,
        scope=TsigScope.ZONE,
        resource_id=catalog_id,
        created_at=core.now(),
    )
    if tsigkeys.name_is_taken(tx.connection, key.id, tsig_keys.key_name(key.name)):
        raise errors.Duplicate("tsigkey")
    tsigkeys.TSIGKEYS.insert(tx, key)
