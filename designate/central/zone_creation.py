"""Zone creation: the checks, the zone's row and its first recordsets, in the caller's transaction."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import NamedTuple

from oslo_config import cfg

from designate import errors, rrtypes
from designate.central import (
    apex_records,
    catalogs,
    quotas,
    recordset_rules,
    samples,
    secondary_timers,
    zone_rules,
)
from designate.central.base import Core
from designate.central.scheduler import PoolScheduler
from designate.central.zone_change import announce
from designate.context import Context
from designate.model.pools import Pool
from designate.model.quotas import Quotas
from designate.model.recordsets import RecordSet, RecordSetId
from designate.model.zones import Action, Sample, Status, Zone, ZoneDraft, ZoneId, ZoneType
from designate.runtime.cooperative import yielding
from designate.storage.sqlalchemy import recordsets, zone_hierarchy, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.wire import names, rr, rrsets

GROUP = "DEFAULT"
OPTS = [
    cfg.IntOpt(
        "default_ttl",
        default=3600,
        min=0,
        help="TTL in seconds of zones that are created without a TTL.",
    ),
    cfg.IntOpt(
        "default_soa_refresh_min",
        default=3500,
        min=0,
        deprecated_name="default_soa_refresh",
        help="Lower bound in seconds of the SOA refresh. The value is random for each zone so that "
        "nameservers do not refresh all zones at the same time.",
    ),
    cfg.IntOpt(
        "default_soa_refresh_max",
        default=3600,
        min=0,
        help="Upper bound in seconds of the SOA refresh.",
    ),
    cfg.IntOpt("default_soa_retry", default=600, min=0, help="SOA retry in seconds."),
    cfg.IntOpt("default_soa_expire", default=86400, min=0, help="SOA expire in seconds."),
    cfg.IntOpt(
        "default_soa_minimum",
        default=3600,
        min=0,
        help="SOA minimum in seconds: for how long resolvers cache that a name does not exist.",
    ),
]

FIRST_REVISION = 1


class NewRecordSet(NamedTuple):
    """A recordset of a new zone.

    ttl: None: the zone's. rdatas: The records in wire form. covered_ttls: For RRSIG, the TTL of the
    records for each type that they cover.
    """

    name: str
    type: str
    ttl: int | None
    texts: tuple[str, ...]
    rdatas: tuple[bytes, ...]
    covered_ttls: Mapping[int, int]

    def wire(self, zone: str) -> bytes:
        """Return the RRs as stored."""
        if self.covered_ttls:
            owner = names.relative_owner(self.name, zone)
            return rrsets.pack_signatures(owner, self.rdatas, self.covered_ttls)
        number = rrtypes.numeric_type(self.type)
        return rr.rrset(self.name, zone, number, self.ttl, self.rdatas)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneContent:
    """The content of a new zone besides its SOA and its apex NS recordset."""

    serial: int
    retry: int
    expire: int
    recordsets: tuple[NewRecordSet, ...]


class ZoneCreator:
    """Creates zones for the API, for imports and for reverse zones."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.scheduler = PoolScheduler(core)

    def create(
        self,
        tx: Transaction,
        context: Context,
        draft: ZoneDraft,
        content: ZoneContent | None = None,
        limits: Quotas | None = None,
    ) -> Zone:
        """Create a zone of the caller's project, by all rules, with its first recordsets.

        Args:
            tx: The transaction to write in.
            context: The caller, with a project.
            draft: The zone, of valid form (zone_rules.check_draft).
            content: Further recordsets, and the SOA values of an import.
            limits: The quotas to apply instead of the project's.

        Raises:
            DBDuplicateEntry: The pool already has a zone of that name (oslo.db's error).
        """
        core = self._core
        assert context.project_id is not None  # noqa: S101 - checked by the caller
        if limits is None:
            limits = quotas.effective(core, tx.connection, context.project_id)
        quotas.require(limits, zones=zones.add_to_zone_count(tx, context.project_id, 1))
        zone_rules.check_zone_name(core, tx, context, draft.name)
        zone_rules.check_ttl(core, context, draft.ttl)
        zones.lock_namespace(tx, draft.name)
        above = zone_rules.check_hierarchy(tx.connection, draft.name, context.project_id)
        pool = self.scheduler.choose(tx.connection, context, draft.attributes)
        zone_rules.check_pool(core, tx, pool)
        zone = self._new_zone(draft, context.project_id, pool)
        zone = replace(zone, parent_zone_id=zone_rules.parent_of(zone.name, pool.id, above))
        if content is not None:
            zone = replace(zone, serial=content.serial, retry=content.retry, expire=content.expire)
        initial = apex_records.initial_recordsets(zone, pool)
        more = _content_recordsets(tx, zone, content) if content is not None else []
        counts = [len(recordset.records) for recordset, _ in more]
        quotas.require(limits, zone_recordsets=len(initial) + len(more))
        quotas.require(limits, zone_records=sum(counts), recordset_records=max(counts, default=0))
        for recordset, _ in more:
            zone_rules.check_ttl(core, context, recordset.ttl)
        soa = apex_records.soa_wire(zone)
        sample = samples.best(zone, _samples(zone, [*initial, *more]))
        zones.insert(
            tx,
            zone,
            soa,
            ns_version=pool.ns_version,
            recordset_count=len(initial) + len(more),
            record_count=sum(counts),
            refresh_at=secondary_timers.first_recovery(core, zone),
            sample=sample,
        )
        recordsets.insert_many(tx, [*initial, *more], FIRST_REVISION)
        zone_hierarchy.reparent_below(tx, zone)
        catalogs.add_member(core, tx, zone, pool)
        announce(core, tx, zone, pool.version, soa, sample)
        if zone.type == ZoneType.SECONDARY:
            secondary_timers.request_refresh(core, tx, zone.id)
        return core.notify(tx, context, "dns.zone.create", zone)

    def _new_zone(self, draft: ZoneDraft, project_id: str, pool: Pool) -> Zone:
        conf = self._core.conf
        now = self._core.now()
        secondary = draft.type == ZoneType.SECONDARY
        email = conf["service:central"].managed_resource_email if secondary else draft.email
        low, high = sorted((conf.default_soa_refresh_min, conf.default_soa_refresh_max))
        return Zone(
            id=ZoneId(str(uuid.uuid4())),
            project_id=project_id,
            name=draft.name,
            type=draft.type,
            email=email or "",
            description=draft.description,
            ttl=conf.default_ttl if draft.ttl is None else draft.ttl,
            serial=1 if secondary else int(now.replace(tzinfo=UTC).timestamp()),
            revision=FIRST_REVISION,
            served_revision=0,
            action=Action.CREATE,
            status=Status.PENDING,
            pending_since=now,
            pool_id=pool.id,
            mname=pool.ns_records[0].hostname,
            refresh=random.randint(low, high),  # noqa: S311 - spreads load, guards nothing
            retry=conf.default_soa_retry,
            expire=conf.default_soa_expire,
            minimum=conf.default_soa_minimum,
            attributes=draft.attributes,
            masters=draft.masters,
            created_at=now,
        )


def _samples(zone: Zone, content: list[tuple[RecordSet, bytes]]) -> Iterator[Sample]:
    """Yield the newest content first: that of an import, before the apex records."""
    for recordset, wire in reversed(content):
        if wire:
            served = recordset_rules.served_wire(wire, recordset.ttl, zone)
            yield samples.of_recordset(recordset, served)


def _content_recordsets(
    tx: Transaction, zone: Zone, content: ZoneContent
) -> list[tuple[RecordSet, bytes]]:
    """Return the recordsets of the content with their RRs in wire form.

    Raises:
        BadRequest: A name belongs to a child zone.
    """
    delegation_points = {
        new.name: [point.lower() for point in zone_rules.delegation_points(new.name, zone.name)]
        for new in yielding(content.recordsets)
    }
    taken = zone_hierarchy.existing_zone_names(
        tx.connection,
        zone.name,
        {point for points in delegation_points.values() for point in points},
    )
    found = []
    for new in yielding(content.recordsets):
        if taken.intersection(delegation_points[new.name]):
            raise errors.BadRequest(
                f"{new.name} belongs in a child zone", type="invalid_recordset_location"
            )
        recordset = RecordSet(
            id=RecordSetId(str(uuid.uuid4())),
            zone_id=zone.id,
            zone_name=zone.name,
            project_id=zone.project_id,
            name=new.name,
            type=new.type,
            ttl=new.ttl,
            records=new.texts,
            action=Action.CREATE,
            status=Status.PENDING,
            created_at=zone.created_at,
        )
        found.append((recordset, new.wire(zone.name)))
    return found
