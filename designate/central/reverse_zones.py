"""Reverse zones (RFC 1035 section 3.5, RFC 3596 section 2.5) that the service keeps itself, and the
managed PTR recordsets in them.

An address belongs into the nearest primary zone above its reverse name that the managed project owns;
where there is none, one is made: of the /24 for IPv4, of the /64 for IPv6. The configured quotas do not
hold for that project, for nobody chose how many zones it needs; those that an operator gave it do.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import sqlalchemy as sa
from oslo_db import exception as db_errors

from designate import errors
from designate.central import quotas, recordset_rules, zone_rules
from designate.central.base import Core, refuse_pending_delete
from designate.central.zone_change import advance
from designate.central.zone_creation import ZoneCreator
from designate.context import Context
from designate.model.quotas import Quotas
from designate.model.recordsets import Managed, RecordSet, RecordSetId
from designate.model.zones import Action, Status, Zone, ZoneDraft, ZoneId, ZoneType
from designate.storage.sqlalchemy import quotas as stored_quotas
from designate.storage.sqlalchemy import recordsets, shared_zone_counts, zone_hierarchy, zones
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.listing.pagination import EVERYTHING
from designate.storage.sqlalchemy.recordsets import StoredRecordSet
from designate.storage.sqlalchemy.zones import StoredZone
from designate.wire import rr

HOST_LABELS = {4: 1, 6: 16}


def canonical(address: str) -> str:
    """The one way to write the address. Raises ValueError."""
    return str(ipaddress.ip_address(address))


def name_of(address: str) -> str:
    """The name at which the address' PTR stands."""
    return ipaddress.ip_address(address).reverse_pointer + "."


def zone_name_of(address: str) -> str:
    """The name of the zone that is made for the address."""
    labels = HOST_LABELS[ipaddress.ip_address(address).version]
    return name_of(address).split(".", labels)[labels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ptr:
    """A PTR to be. rdata: its name in wire form. managed: what it stands for, of address."""

    address: str
    ptrdname: str
    rdata: bytes
    ttl: int | None
    description: str | None
    managed: Managed


class ReverseZones:
    """Thread-safe. A transaction that changes a zone locks it first and reads the rest afterwards."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._creator = ZoneCreator(core)
        central = core.conf["service:central"]
        self._project_id = central.managed_resource_tenant_id
        self._email = central.managed_resource_email

    # -- zones -----------------------------------------------------------------------------------

    def zone_for(self, address: str) -> ZoneId:
        """The zone into which the address belongs; made when there is none. Raises what creating a
        zone of that name raises."""
        with self._core.db.read() as connection:
            zone_id = self._nearest(connection, address)
        if zone_id is not None:
            return zone_id
        try:
            return self._core.db.write(lambda tx: self._made(tx, address))
        except db_errors.DBDuplicateEntry:
            # Somebody else made it meanwhile.
            with self._core.db.read() as connection:
                zone_id = self._nearest(connection, address)
            if zone_id is None:
                raise errors.Duplicate("zone") from None
            return zone_id

    def _made(self, tx: Transaction, address: str) -> ZoneId:
        name = zone_name_of(address)
        zones.lock_namespace(tx, name)
        zone_id = self._nearest(tx.connection, address)
        if zone_id is not None:
            return zone_id
        # Without a role: names that only an administrator may use (blacklists) stay refused.
        context = Context(project_id=self._project_id, roles=[])
        limits = _only(stored_quotas.overrides(tx.connection, self._project_id))
        draft = ZoneDraft(name=name, email=self._email)
        return self._creator.create(tx, context, draft, limits=limits).id

    def _nearest(self, connection: sa.Connection, address: str) -> ZoneId | None:
        pool_id = self._core.conf["service:central"].default_pool_id
        mine = [
            zone
            for zone in zone_hierarchy.find_at_or_above(connection, name_of(address))
            if zone.project_id == self._project_id and zone.type == ZoneType.PRIMARY
        ]
        best = max(mine, key=lambda zone: (len(zone.name), zone.pool_id == pool_id), default=None)
        return None if best is None else best.id

    # -- recordsets ------------------------------------------------------------------------------

    def put(self, zone_id: ZoneId, ptr: Ptr) -> tuple[RecordSet, Zone]:
        """Store the PTR in this zone, in the stead of the one that its project has there. Raises
        Duplicate when the name has another one."""

        def write(tx: Transaction) -> tuple[RecordSet, Zone]:
            stored = zones.lock_visible(tx, zone_id, EVERYTHING)
            refuse_pending_delete(stored.zone)
            there = self._of(tx, zone_id, ptr.managed.resource_type, [ptr.address])
            for old in there:
                if old.recordset.project_id == ptr.managed.project_id:
                    return self._replace(tx, stored, old, ptr), stored.zone
            return self._insert(tx, stored, ptr), stored.zone

        try:
            return self._core.db.write(write)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("recordset") from None

    @staticmethod
    def _of(
        tx: Transaction, zone_id: str, resource_type: str, addresses: list[str]
    ) -> list[StoredRecordSet]:
        found = recordsets.find_managed(tx.connection, resource_type, "extra", addresses)
        return [old for old, _ in found if old.recordset.zone_id == zone_id]

    def _insert(self, tx: Transaction, stored: StoredZone, ptr: Ptr) -> RecordSet:
        zone = stored.zone
        name = name_of(ptr.address)
        _check_place(tx, zone, name)
        count = stored.recordset_count + 1
        quotas.require(_only(stored.overrides), zone_recordsets=count)
        recordset = RecordSet(
            id=RecordSetId(str(uuid.uuid4())),
            zone_id=zone.id,
            zone_name=zone.name,
            project_id=ptr.managed.project_id,
            name=name,
            type="PTR",
            ttl=ptr.ttl,
            description=ptr.description,
            records=(ptr.ptrdname,),
            action=Action.CREATE,
            status=Status.PENDING,
            created_at=self._core.now(),
            managed=True,
            managed_by=ptr.managed,
        )
        wire = recordset_rules.stored_wire(recordset, (ptr.rdata,))
        recordsets.insert(tx, recordset, wire, zone.revision + 1)
        shared_zone_counts.adjust(tx, zone, recordset.project_id, 1)
        added = rr.split(recordset_rules.served_wire(wire, ptr.ttl, zone))
        advance(self._core, tx, stored, added=added, columns={"recordset_count": count})
        context = _acting_for(ptr.managed.project_id)
        return self._core.notify(tx, context, "dns.recordset.create", recordset)

    def _replace(
        self, tx: Transaction, stored: StoredZone, old: StoredRecordSet, ptr: Ptr
    ) -> RecordSet:
        zone, before = stored.zone, old.recordset
        after = replace(
            before,
            records=(ptr.ptrdname,),
            ttl=ptr.ttl,
            description=ptr.description,
            action=Action.UPDATE,
            status=Status.PENDING,
            updated_at=self._core.now(),
            version=before.version + 1,
            managed_by=ptr.managed,
        )
        wire = recordset_rules.stored_wire(after, (ptr.rdata,))
        recordsets.update(tx, after, wire, zone.revision + 1, new_records=True)
        deleted, added = rr.difference(
            recordset_rules.served_wire(old.wire, before.ttl, zone),
            recordset_rules.served_wire(wire, after.ttl, zone),
        )
        advance(self._core, tx, stored, deleted=deleted, added=added)
        context = _acting_for(ptr.managed.project_id)
        return self._core.notify(tx, context, "dns.recordset.update", after, before)

    def drop(self, found: Iterable[StoredRecordSet], still: Callable[[RecordSet], bool]) -> int:
        """Take these PTRs away, one change per zone, if they are still so; answers how many went.
        What stands in a zone that is being deleted goes with it."""
        gone = 0
        by_zone = sorted(found, key=lambda old: old.recordset.zone_id)
        for zone_id, group in groupby(by_zone, key=lambda old: old.recordset.zone_id):
            gone += self._core.db.write(
                partial(self._drop, zone_id=zone_id, found=list(group), still=still)
            )
        return gone

    def _drop(
        self,
        tx: Transaction,
        zone_id: ZoneId,
        found: list[StoredRecordSet],
        still: Callable[[RecordSet], bool],
    ) -> int:
        try:
            stored = zones.lock(tx, zone_id)
        except errors.NotFound:
            return 0
        if stored.zone.action == Action.DELETE:
            return 0
        deleted: list[bytes] = []
        gone = 0
        for old in _again(tx, found):
            if still(old.recordset):
                recordsets.delete(tx, old.recordset.id)
                shared_zone_counts.adjust(tx, stored.zone, old.recordset.project_id, -1)
                context = _acting_for(old.recordset.project_id)
                gone_one = replace(old.recordset, action=Action.DELETE, status=Status.PENDING)
                self._core.notify(tx, context, "dns.recordset.delete", gone_one)
                deleted += rr.split(
                    recordset_rules.served_wire(old.wire, old.recordset.ttl, stored.zone)
                )
                gone += 1
        if gone:
            columns = {"recordset_count": stored.recordset_count - gone}
            advance(self._core, tx, stored, deleted=deleted, columns=columns)
        return gone


def _acting_for(project_id: str | None) -> Context:
    """Who is told to have changed a PTR: the project for which it stands."""
    return Context(project_id=project_id, roles=[])


def _again(tx: Transaction, found: list[StoredRecordSet]) -> list[StoredRecordSet]:
    """The same recordsets as they are now."""
    by_type: dict[str, list[str]] = {}
    for old in found:
        managed = old.recordset.managed_by
        if managed is not None and managed.extra is not None:
            by_type.setdefault(managed.resource_type, []).append(managed.extra)
    ids = {old.recordset.id for old in found}
    return [
        now
        for resource_type, extras in by_type.items()
        for now, _ in recordsets.find_managed(tx.connection, resource_type, "extra", extras)
        if now.recordset.id in ids
    ]


def _only(given: Mapping[str, int]) -> Quotas:
    """These limits and no others."""
    known = Quotas.__slots__
    return Quotas(**dict.fromkeys(known, -1) | {k: v for k, v in given.items() if k in known})


def _check_place(tx: Transaction, zone: Zone, name: str) -> None:
    """Raises BadRequest where the name is delegated (RFC 2317 section 4). Another PTR at the name is
    the database's to refuse."""
    points = zone_rules.delegation_points(name, zone.name)
    existing, covered = recordsets.at_name(tx, zone.id, name, points)
    if covered or "CNAME" in existing:
        raise recordset_rules.location_error("The address' name belongs to another zone")
