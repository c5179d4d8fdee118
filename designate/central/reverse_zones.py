"""Reverse zones (RFC 1035 section 3.5, RFC 3596 section 2.5) and the managed PTR recordsets in them.

A PTR recordset is in the nearest primary zone above its name that the managed project owns. If there is
none, one is created: for the /24 of an IPv4 address, for the /64 of an IPv6 address. The managed project
has no default quotas, because the number of its zones depends on other projects' addresses; quotas that an
operator sets for it apply.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import sqlalchemy as sa
from oslo_db import exception as db_errors

from designate import errors
from designate.central import quotas, recordset_rules, reverse_names, samples
from designate.central.base import Core, refuse_pending_delete
from designate.central.zone_change import advance
from designate.central.zone_creation import ZoneCreator
from designate.context import Context
from designate.model.quotas import Quotas
from designate.model.recordsets import Managed, RecordSet, RecordSetId
from designate.model.zones import Action, Status, Zone, ZoneDraft, ZoneId, ZoneType
from designate.storage.sqlalchemy import quotas as stored_quotas
from designate.storage.sqlalchemy import recordsets, shared_zone_counts, zone_hierarchy, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing.pagination import EVERYTHING
from designate.storage.sqlalchemy.recordsets import StoredRecordSet
from designate.storage.sqlalchemy.zone_rows import StoredZone
from designate.wire import rr


@dataclass(frozen=True, slots=True, kw_only=True)
class PtrDraft:
    """A PTR record to store.

    rdata: ptrdname in wire form. managed: The resource that has the address.
    """

    address: str
    ptrdname: str
    rdata: bytes
    ttl: int | None
    description: str | None
    managed: Managed


class ReverseZones:
    """The reverse zones of the managed project. Thread-safe.

    Transactions lock the zone first and read the recordsets afterwards.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._creator = ZoneCreator(core)
        central = core.conf["service:central"]
        self._project_id = central.managed_resource_tenant_id
        self._email = central.managed_resource_email

    # -- zones -----------------------------------------------------------------------------------

    def find_or_create_zone(self, address: str) -> ZoneId:
        """Return the zone for the address; create it if there is none.

        Raises the errors of zone creation.
        """
        with self._core.db.read() as connection:
            zone_id = self._nearest(connection, address)
        if zone_id is not None:
            return zone_id
        try:
            return self._core.db.write(lambda tx: self._create_zone(tx, address))
        except db_errors.DBDuplicateEntry:
            # A concurrent request created it.
            with self._core.db.read() as connection:
                zone_id = self._nearest(connection, address)
            if zone_id is None:
                raise errors.Duplicate("zone") from None
            return zone_id

    def _create_zone(self, tx: Transaction, address: str) -> ZoneId:
        name = reverse_names.zone_name(address)
        zones.lock_namespace(tx, name)
        zone_id = self._nearest(tx.connection, address)
        if zone_id is not None:
            return zone_id
        # No roles: names that only administrators may use (blacklists) are refused.
        context = Context(project_id=self._project_id, roles=[])
        limits = _only_quotas(stored_quotas.overrides(tx.connection, self._project_id))
        draft = ZoneDraft(name=name, email=self._email)
        return self._creator.create(tx, context, draft, limits=limits).id

    def _nearest(self, connection: sa.Connection, address: str) -> ZoneId | None:
        pool_id = self._core.conf["service:central"].default_pool_id
        owned = [
            zone
            for zone in zone_hierarchy.find_at_or_above(
                connection, reverse_names.reverse_name(address)
            )
            if zone.project_id == self._project_id and zone.type == ZoneType.PRIMARY
        ]
        nearest = max(
            owned, key=lambda zone: (len(zone.name), zone.pool_id == pool_id), default=None
        )
        return None if nearest is None else nearest.id

    # -- recordsets ------------------------------------------------------------------------------

    def store(self, zone_id: ZoneId, ptr: PtrDraft) -> tuple[RecordSet, Zone]:
        """Store the PTR record in the zone; it replaces the one that its project has there.

        Raises:
            Duplicate: The name has a PTR recordset of something else.
        """

        def write(tx: Transaction) -> tuple[RecordSet, Zone]:
            stored = zones.lock_visible(tx, zone_id, EVERYTHING)
            refuse_pending_delete(stored.zone)
            existing = self._managed_in(tx, zone_id, ptr.managed.resource_type, [ptr.address])
            for old in existing:
                if old.recordset.project_id == ptr.managed.project_id:
                    return self._replace(tx, stored, old, ptr), stored.zone
            return self._insert(tx, stored, ptr), stored.zone

        try:
            return self._core.db.write(write)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("recordset") from None

    @staticmethod
    def _managed_in(
        tx: Transaction, zone_id: str, resource_type: str, addresses: list[str]
    ) -> list[StoredRecordSet]:
        found = recordsets.find_managed(tx.connection, resource_type, "extra", addresses)
        return [old for old, _ in found if old.recordset.zone_id == zone_id]

    def _insert(self, tx: Transaction, stored: StoredZone, ptr: PtrDraft) -> RecordSet:
        zone = stored.zone
        name = reverse_names.reverse_name(ptr.address)
        _check_place(tx, zone, name)
        count = stored.recordset_count + 1
        quotas.require(_only_quotas(stored.overrides), zone_recordsets=count)
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
        served = recordset_rules.served_wire(wire, ptr.ttl, zone)
        advance(
            self._core,
            tx,
            stored,
            added=rr.split(served),
            sample=samples.of_recordset(recordset, served),
            columns={"recordset_count": count},
        )
        context = _acting_for(ptr.managed.project_id)
        return self._core.notify(tx, context, "dns.recordset.create", recordset)

    def _replace(
        self, tx: Transaction, stored: StoredZone, old: StoredRecordSet, ptr: PtrDraft
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
        served = recordset_rules.served_wire(wire, after.ttl, zone)
        deleted, added = rr.difference(
            recordset_rules.served_wire(old.wire, before.ttl, zone), served
        )
        sample = samples.of_recordset(after, served)
        advance(self._core, tx, stored, deleted=deleted, added=added, sample=sample)
        context = _acting_for(ptr.managed.project_id)
        return self._core.notify(tx, context, "dns.recordset.update", after, before)

    def delete(
        self, found: Iterable[StoredRecordSet], condition: Callable[[RecordSet], bool]
    ) -> int:
        """Delete PTR recordsets, in one transaction per zone, where the condition still holds.

        Those in zones that are being deleted are left to that deletion.

        Returns:
            How many were deleted.
        """
        deleted_count = 0
        by_zone = sorted(found, key=lambda old: old.recordset.zone_id)
        for zone_id, group in groupby(by_zone, key=lambda old: old.recordset.zone_id):
            deleted_count += self._core.db.write(
                partial(self._delete_in, zone_id=zone_id, found=list(group), condition=condition)
            )
        return deleted_count

    def _delete_in(
        self,
        tx: Transaction,
        zone_id: ZoneId,
        found: list[StoredRecordSet],
        condition: Callable[[RecordSet], bool],
    ) -> int:
        try:
            stored = zones.lock(tx, zone_id)
        except errors.NotFound:
            return 0
        if stored.zone.action == Action.DELETE:
            return 0
        deleted: list[bytes] = []
        deleted_count = 0
        for old in _reread(tx, found):
            if condition(old.recordset):
                recordsets.delete(tx, old.recordset.id)
                shared_zone_counts.adjust(tx, stored.zone, old.recordset.project_id, -1)
                context = _acting_for(old.recordset.project_id)
                after = replace(old.recordset, action=Action.DELETE, status=Status.PENDING)
                self._core.notify(tx, context, "dns.recordset.delete", after)
                deleted += rr.split(
                    recordset_rules.served_wire(old.wire, old.recordset.ttl, stored.zone)
                )
                deleted_count += 1
                sample = samples.of_recordset(old.recordset)
        if deleted_count:
            columns = {"recordset_count": stored.recordset_count - deleted_count}
            advance(self._core, tx, stored, deleted=deleted, sample=sample, columns=columns)
        return deleted_count


def _acting_for(project_id: str | None) -> Context:
    """Return the context for notifications: PTR changes are those of the project with the address."""
    return Context(project_id=project_id, roles=[])


def _reread(tx: Transaction, found: list[StoredRecordSet]) -> list[StoredRecordSet]:
    """Return the current state of the recordsets that still exist."""
    by_type: dict[str, list[str]] = {}
    for old in found:
        managed = old.recordset.managed_by
        if managed is not None and managed.extra is not None:
            by_type.setdefault(managed.resource_type, []).append(managed.extra)
    ids = {old.recordset.id for old in found}
    return [
        current
        for resource_type, extras in by_type.items()
        for current, _ in recordsets.find_managed(tx.connection, resource_type, "extra", extras)
        if current.recordset.id in ids
    ]


def _only_quotas(given: Mapping[str, int]) -> Quotas:
    """Return these quotas, and no limits otherwise."""
    known = Quotas.__slots__
    return Quotas(**dict.fromkeys(known, -1) | {k: v for k, v in given.items() if k in known})


def _check_place(tx: Transaction, zone: Zone, name: str) -> None:
    """Raise BadRequest where the name is delegated (RFC 2317 section 4) or has a CNAME recordset.

    Another PTR recordset at the name violates a unique constraint of the database.
    """
    found = recordset_rules.find_at_name(tx, zone, name)
    if found.covered or found.below_dname or "CNAME" in found.ids:
        raise recordset_rules.location_error(
            "The reverse name of the address is delegated to another zone"
        )
