"""Zones: who may have which name, what a new one holds, and how it changes and goes."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from oslo_config import cfg
from oslo_db import exception as db_errors

from designate import errors, rrtypes
from designate.central import apex_records, catalogs, pool_moves, quotas, zone_rules
from designate.central.base import Core, own_target, refuse_pending_delete, scope_of, target_of
from designate.central.policy import (
    ADMIN,
    ADMIN_OR_MEMBER,
    ADMIN_OR_READER,
    LEGACY_OWNER_OR_SHARED,
    SHARED,
    rule,
)
from designate.central.scheduler import Scheduler
from designate.central.zone_change import advance, announce, announcement_of, soft_deleted
from designate.context import Context, admin_context
from designate.errors import Reason
from designate.model.codec import UNSET
from designate.model.pools import NsRecord, Pool
from designate.model.query import Page, Query
from designate.model.quotas import Quotas
from designate.model.recordsets import RecordSet, RecordSetId
from designate.model.zones import (
    Action,
    NameserverAnswer,
    NameserverStatus,
    ServedStatus,
    Status,
    Zone,
    ZoneDraft,
    ZoneId,
    ZonePatch,
    ZoneType,
    rname,
)
from designate.runtime.cooperative import yielding
from designate.storage.sqlalchemy import admin, ownership, pools, recordsets, zone_hierarchy, zones
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.zones import StoredZone
from designate.wire import names, rr
from designate.wire.names import SERIAL_MODULUS, serial_ge

GROUP = "DEFAULT"
OPTS = [
    cfg.IntOpt("default_ttl", default=3600, min=0, help="TTL in seconds of zones that name none."),
    cfg.IntOpt(
        "default_soa_refresh_min",
        default=3500,
        min=0,
        deprecated_name="default_soa_refresh",
        help="Lower bound in seconds of the SOA refresh, which is drawn at random per zone so that "
        "nameservers do not refresh all zones at once.",
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
        help="SOA minimum in seconds: how long resolvers remember that a name does not exist.",
    ),
]

RULES = (
    rule("create_zone", ADMIN_OR_MEMBER, "POST /v2/zones", "Create a zone."),
    rule(
        "get_zone",
        f"{ADMIN_OR_READER} or ({SHARED})",
        "GET /v2/zones/{zone_id}",
        "Show a zone.",
        legacy=LEGACY_OWNER_OR_SHARED,
    ),
    rule("get_zones", ADMIN_OR_READER, None, "Read several zones."),
    rule("find_zones", ADMIN_OR_READER, "GET /v2/zones", "List zones."),
    rule("update_zone", ADMIN_OR_MEMBER, "PATCH /v2/zones/{zone_id}", "Change a zone."),
    rule("delete_zone", ADMIN_OR_MEMBER, "DELETE /v2/zones/{zone_id}", "Delete a zone."),
    rule(
        "abandon_zone",
        ADMIN,
        "POST /v2/zones/{zone_id}/tasks/abandon",
        "Forget a zone without telling its nameservers.",
    ),
    rule(
        "xfr_zone",
        ADMIN_OR_MEMBER,
        "POST /v2/zones/{zone_id}/tasks/xfr",
        "Transfer a secondary zone now.",
    ),
    rule(
        "pool_move_zone",
        ADMIN,
        "POST /v2/zones/{zone_id}/tasks/pool_move",
        "Move a zone to another pool.",
    ),
    rule(
        "get_zone_ns_records",
        ADMIN_OR_READER,
        "GET /v2/zones/{zone_id}/nameservers",
        "List the nameservers of a zone.",
    ),
    rule(
        "get_zone_nameservers_status",
        ADMIN,
        "GET /v2/zones/{zone_id}/nameservers/status",
        "Show which nameserver of a zone is how far, by its address.",
    ),
    rule("get_zone_servers", ADMIN_OR_READER, None, "Read the servers of a zone."),
    rule("count_zones_pending_notify", ADMIN_OR_READER, None, "Count zones that wait."),
    rule("purge_zones", ADMIN, None, "Remove deleted zones for good."),
)

FIRST_REVISION = 1
CLAIM_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a new zone holds besides its SOA and NS. recordsets: (name, type, ttl or None for the
    zone's, texts, their data in wire form)."""

    serial: int
    retry: int
    expire: int
    recordsets: tuple[tuple[str, str, int | None, tuple[str, ...], tuple[bytes, ...]], ...]


class ZonesEndpoint:
    """See rpc.interfaces.ZonesApi."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.scheduler = Scheduler(core)

    # -- reading ---------------------------------------------------------------------------------

    def get(self, context: Context, zone_id: str) -> Zone:
        with self._core.db.read() as connection:
            zone = zones.get(connection, zone_id, scope_of(context))
        self._core.policy.check("get_zone", context, target_of(context, zone))
        return zone

    def find(self, context: Context, query: Query) -> Page[Zone]:
        self._core.policy.check("find_zones", context, own_target(context))
        limit = query.limit or self._core.conf["service:api"].default_limit_v2
        with self._core.db.read() as connection:
            return zones.find(
                connection,
                query,
                scope_of(context),
                limit=limit,
                catalogs="admin" in context.roles,
            )

    def nameservers(self, context: Context, zone_id: str) -> tuple[NsRecord, ...]:
        with self._core.db.read() as connection:
            zone = zones.get(connection, zone_id, scope_of(context))
            self._core.policy.check("get_zone_ns_records", context, target_of(context, zone))
            return pools.get(connection, zone.pool_id).ns_records

    def nameserver_status(self, context: Context, zone_id: str) -> tuple[NameserverStatus, ...]:
        core = self._core
        with core.db.read() as connection:
            zone = zones.get(connection, zone_id, scope_of(context))
            core.policy.check("get_zone_nameservers_status", context, target_of(context, zone))
            version = zones.stored(connection, zone_id).pool_version
        answers = core.worker.look(admin_context(), announcement_of(zone, version))
        return tuple(_how_far(zone, answer) for answer in answers)

    # -- creating --------------------------------------------------------------------------------

    def create(self, context: Context, draft: ZoneDraft) -> Zone:
        core = self._core
        _check_draft(draft)
        core.policy.check("create_zone", context, own_target(context))
        if draft.type == ZoneType.CATALOG:
            raise errors.Forbidden("This operation is not allowed for catalog zones")
        if context.project_id is None:
            raise errors.Unauthorized("A project is needed to create a zone")

        try:
            return core.db.write(lambda tx: self.store(tx, context, draft), context.project_id)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("zone") from None

    def store(
        self,
        tx: Transaction,
        context: Context,
        draft: ZoneDraft,
        content: Content | None = None,
        limits: Quotas | None = None,
    ) -> Zone:
        """A new zone of the caller's project by all the rules, and its first recordsets. content: what
        else it holds. limits: in the stead of the project's quotas. Raises oslo.db's
        DBDuplicateEntry for a name that the pool has."""
        core = self._core
        assert context.project_id is not None  # noqa: S101 - checked by the caller
        if limits is None:
            limits = quotas.effective(core, tx.connection, context.project_id)
        quotas.require(limits, zones=zones.add_to_zone_count(tx, context.project_id, 1))
        zone_rules.check_zone_name(core, tx, context, draft.name)
        zone_rules.check_ttl(core, context, draft.ttl)
        zones.lock_namespace(tx, draft.name)
        above = zone_rules.check_family(tx.connection, draft.name, context.project_id)
        pool = self.scheduler.choose(tx.connection, context, draft.attributes)
        _check_pool(core, tx, pool)
        zone = self._new_zone(draft, context.project_id, pool)
        zone = replace(zone, parent_zone_id=zone_rules.parent_of(zone.name, pool.id, above))
        if content is not None:
            zone = replace(zone, serial=content.serial, retry=content.retry, expire=content.expire)
        initial = apex_records.initial_recordsets(zone, pool)
        more = _recordsets(tx, zone, content) if content is not None else []
        counts = [len(recordset.records) for recordset, _ in more]
        quotas.require(limits, zone_recordsets=len(initial) + len(more))
        quotas.require(limits, zone_records=sum(counts), recordset_records=max(counts, default=0))
        for recordset, _ in more:
            zone_rules.check_ttl(core, context, recordset.ttl)
        zones.insert(
            tx,
            zone,
            apex_records.soa_wire(zone),
            ns_version=pool.ns_version,
            recordset_count=len(initial) + len(more),
            record_count=sum(counts),
            refresh_at=_soon(core, zone),
        )
        recordsets.insert_many(tx, [*initial, *more], FIRST_REVISION)
        zone_hierarchy.reparent_below(tx, zone)
        catalogs.enter(core, tx, zone, pool)
        announce(core, tx, zone, pool.version)
        if zone.type == ZoneType.SECONDARY:
            _refresh(core, tx, zone.id)
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

    # -- changing --------------------------------------------------------------------------------

    def update(self, context: Context, zone_id: str, patch: ZonePatch) -> Zone:
        core = self._core
        columns = {
            name: value
            for name in ("email", "ttl", "description", "attributes", "masters")
            if (value := getattr(patch, name)) is not UNSET
        }

        def write(tx: Transaction) -> Zone:
            stored = zones.lock_visible(tx, zone_id, scope_of(context))
            before = stored.zone
            target = target_of(context, before)
            core.policy.check("get_zone", context, target)
            refuse_pending_delete(before)
            _check_patch(before, patch)
            core.policy.check("update_zone", context, target)
            if before.type == ZoneType.CATALOG:
                raise errors.Forbidden("This operation is not allowed for catalog zones")
            if patch.ttl not in (UNSET, before.ttl):
                zone_rules.check_ttl(core, context, patch.ttl)
            if before.type == ZoneType.SECONDARY:
                after = _update_secondary(core, tx, stored, columns)
                return core.notify(tx, context, "dns.zone.update", after, before)
            wanted = replace(before, **columns)
            after = advance(
                core,
                tx,
                stored,
                force_axfr=wanted.ttl != before.ttl,
                soa_wire=apex_records.soa_wire(wanted),
                columns=columns,
            )
            return core.notify(tx, context, "dns.zone.update", after, before)

        return core.db.write(write, zone_id)

    def delete(self, context: Context, zone_id: str) -> Zone:
        core = self._core

        def write(tx: Transaction) -> Zone:
            stored = zones.lock_visible(tx, zone_id, scope_of(context))
            core.policy.check("delete_zone", context, target_of(context, stored.zone))
            if stored.zone.type == ZoneType.CATALOG:
                raise errors.Forbidden("This operation is not allowed for catalog zones")
            _refuse_kept(tx, context, stored.zone)
            now = core.now()
            after = replace(
                stored.zone,
                action=Action.DELETE,
                status=Status.PENDING,
                error=None,
                pending_since=stored.zone.pending_since or now,
                updated_at=now,
                version=stored.zone.version + 1,
            )
            zones.update(
                tx,
                zone_id,
                action=after.action,
                status=after.status,
                error=None,
                pending_since=after.pending_since,
                hard_delete=context.hard_delete or stored.hard_delete,
                updated_at=now,
            )
            if stored.zone.action != Action.DELETE:
                catalogs.leave(core, tx, stored.zone)
            announce(
                core,
                tx,
                after,
                stored.pool_version,
                hard_delete=context.hard_delete or stored.hard_delete,
            )
            return core.notify(tx, context, "dns.zone.delete", after)

        return core.db.write(write, zone_id)

    # -- tasks -----------------------------------------------------------------------------------

    def abandon(self, context: Context, zone_id: str) -> None:
        core = self._core
        core.policy.check("abandon_zone", context, own_target(context) | {"zone_id": zone_id})

        def write(tx: Transaction) -> None:
            stored = zones.lock_visible(tx, zone_id, scope_of(context))
            zone = stored.zone
            core.policy.check("abandon_zone", context, target_of(context, zone))
            if zone.type == ZoneType.CATALOG:
                raise errors.Forbidden("This operation is not allowed for catalog zones")
            _refuse_kept(tx, context, zone)
            catalogs.leave(core, tx, zone)
            now = core.now()
            zones.soft_delete(tx, zone, now)
            core.notify(tx, context, "dns.zone.delete", soft_deleted(zone, now))

        core.db.write(write)

    def transfer_in(self, context: Context, zone_id: str) -> None:
        with self._core.db.read() as connection:
            zone = zones.get(connection, zone_id, scope_of(context))
        self._core.policy.check("get_zone", context, target_of(context, zone))
        self._core.policy.check("xfr_zone", context, target_of(context, zone))
        refuse_pending_delete(zone)
        if zone.type != ZoneType.SECONDARY:
            raise errors.BadRequest("Only SECONDARY zones are transferred from their masters")
        self._core.worker.refresh_zone(admin_context(), zone.id)

    def pool_move(self, context: Context, zone_id: str, pool_id: str | None) -> None:
        core = self._core

        def write(tx: Transaction) -> None:
            stored = zones.lock_visible(tx, zone_id, scope_of(context))
            zone = stored.zone
            core.policy.check("get_zone", context, target_of(context, zone))
            core.policy.check("pool_move_zone", context, target_of(context, zone))
            refuse_pending_delete(zone)
            try:
                pool = (
                    pools.get(tx.connection, pool_id)
                    if pool_id is not None
                    else self.scheduler.choose(tx.connection, context, zone.attributes)
                )
            except errors.NotFound:
                raise errors.BadRequest("There is no such pool") from None
            if pool.id == zone.pool_id:
                raise errors.BadRequest("The zone is in that pool already")
            _check_pool(core, tx, pool)
            after = self._move(tx, stored, pool)
            core.notify(tx, context, "dns.zone.update", after, zone)

        try:
            core.db.write(write)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("zone") from None

    def _move(self, tx: Transaction, stored: StoredZone, pool: Pool) -> Zone:
        """The zone with all that it holds; zones below it stay where they are."""
        zone = stored.zone
        zones.lock_namespace(tx, zone.name)
        above = zone_hierarchy.find_at_or_above(tx.connection, zone.name)
        parent_id = zone_rules.parent_of(zone.name, pool.id, above)
        zone_hierarchy.reparent_to_grandparent(tx, zone)
        after = apex_records.move_to_pool(self._core, tx, stored, pool, parent_id)
        pool_moves.remember(self._core, tx, zone, after, pool)
        zone_hierarchy.reparent_below(tx, replace(zone, pool_id=pool.id))
        return after


def _recordsets(tx: Transaction, zone: Zone, content: Content) -> list[tuple[RecordSet, bytes]]:
    """The content's recordsets in the zone. Raises BadRequest for what belongs into a zone below."""
    cuts = {
        row[0]: [cut.lower() for cut in zone_rules.between(row[0], zone.name)]
        for row in yielding(content.recordsets)
    }
    taken = zone_hierarchy.existing_zone_names(
        tx.connection, zone.name, {cut for at in cuts.values() for cut in at}
    )
    found = []
    for name, rtype, ttl, texts, rdatas in yielding(content.recordsets):
        if taken.intersection(cuts[name]):
            raise errors.BadRequest(
                f"{name} belongs in a child zone", type="invalid_recordset_location"
            )
        recordset = RecordSet(
            id=RecordSetId(str(uuid.uuid4())),
            zone_id=zone.id,
            zone_name=zone.name,
            project_id=zone.project_id,
            name=name,
            type=rtype,
            ttl=ttl,
            records=texts,
            action=Action.CREATE,
            status=Status.PENDING,
            created_at=zone.created_at,
        )
        numeric = rrtypes.numeric_type(rtype)
        found.append((recordset, rr.rrset(name, zone.name, numeric, ttl, rdatas)))
    return found


def _soon(core: Core, zone: Zone) -> datetime | None:
    """When the sweep repairs a lost word to a worker that looks for the zone's primaries."""
    if zone.type != ZoneType.SECONDARY:
        return None
    return core.now() + timedelta(seconds=CLAIM_S)


def _refresh(core: Core, tx: Transaction, zone_id: str) -> None:
    tx.after_commit.append(lambda: core.worker.refresh_zone(admin_context(), zone_id))


def _update_secondary(
    core: Core, tx: Transaction, stored: StoredZone, columns: dict[str, Any]
) -> Zone:
    """Nothing that DNS sees changes, so revision and serial stay; new masters are asked at once."""
    now = core.now()
    new = dict(columns)
    served = stored.primary_serial is not None and not stored.expired
    if served:
        # The nameservers are asked once more, which makes it ACTIVE again.
        new |= {
            "action": Action.UPDATE,
            "status": Status.PENDING,
            "pending_since": stored.zone.pending_since or now,
            "error": None,
        }
    after = replace(stored.zone, **new, updated_at=now, version=stored.zone.version + 1)
    if "masters" in columns:
        new["refresh_at"] = _soon(core, after)
        _refresh(core, tx, after.id)
    zones.update(tx, after.id, updated_at=now, **new)
    if served:
        announce(core, tx, after, stored.pool_version)
    return after


def _check_pool(core: Core, tx: Transaction, pool: Pool) -> None:
    """Whether zones may be put into the pool. Queries without a key see the default pool, so that
    another one needs a key of its own."""
    if not pool.ns_records:
        raise errors.ConfigurationError(
            f"Pool {pool.name} has no NS records", type="no_servers_configured"
        )
    if pool.id != core.conf["service:central"].default_pool_id and not admin.pool_has_key(
        tx.connection, pool.id
    ):
        raise errors.BadRequest(f"Pool {pool.name} has no TSIG key of scope POOL")


def _refuse_kept(tx: Transaction, context: Context, zone: Zone) -> None:
    """A zone goes only when nothing below or beside it depends on it."""
    if zones.has_children(tx.connection, zone.id):
        raise errors.BadRequest(
            "Please delete any subzones before deleting this zone", type="zone_has_sub_zone"
        )
    if zone.shared:
        if not context.delete_shares:
            raise errors.BadRequest("The zone is shared", type="zone_is_shared")
        ownership.delete_shares(tx, zone.id)


def _check_draft(draft: ZoneDraft) -> None:
    """What a zone of its type must and must not have. Raises InvalidObject."""
    rrtypes.check_domain(draft.name)
    if draft.type == ZoneType.SECONDARY:
        if not draft.masters:
            raise errors.InvalidObject(
                reasons=(
                    Reason(
                        ("type", "masters"),
                        "'masters' is a required property",
                        "required",
                        ["masters"],
                    ),
                )
            )
        _refuse_for_secondary(email=draft.email is not None, ttl=draft.ttl is not None)
    else:
        if draft.email is None:
            raise errors.InvalidObject(
                reasons=(
                    Reason(
                        ("type", "email"), "'email' is a required property", "required", "email"
                    ),
                )
            )
        _check_email(draft.email)
        _refuse_masters(bool(draft.masters))


def _check_patch(zone: Zone, patch: ZonePatch) -> None:
    if zone.type == ZoneType.SECONDARY:
        _refuse_for_secondary(email=patch.email is not UNSET, ttl=patch.ttl is not UNSET)
        if patch.masters is not UNSET and not patch.masters:
            raise errors.InvalidObject(
                reasons=(
                    Reason(
                        ("type", "masters"),
                        "'masters' is a required property",
                        "required",
                        ["masters"],
                    ),
                )
            )
        return
    if patch.email is not UNSET:
        _check_email(patch.email)
    _refuse_masters(patch.masters is not UNSET and bool(patch.masters))


def _refuse_for_secondary(**given: bool) -> None:
    reasons = tuple(
        Reason(
            ("type",), f"'{name}' can't be specified when type is SECONDARY", "not_allowed", name
        )
        for name, is_given in given.items()
        if is_given
    )
    if reasons:
        raise errors.InvalidObject(reasons=reasons)


def _refuse_masters(given: bool) -> None:
    if given:
        raise errors.InvalidObject(
            reasons=(
                Reason(("type",), "'masters' has more items than allowed", "maxItems", ["masters"]),
            )
        )


def _check_email(email: str) -> None:
    if not rrtypes.is_email(email):
        raise errors.InvalidObject(f"Value '{email}' in the field 'email' is not an email address")
    try:
        names.to_wire(rname(email))
    except ValueError:
        raise errors.InvalidObject(
            f"Value '{email}' in the field 'email' cannot be written as a domain name"
        ) from None


def _how_far(zone: Zone, answer: NameserverAnswer) -> NameserverStatus:
    serial = answer.serial
    status = ServedStatus.PENDING
    if serial is not None and serial_ge(serial, zone.serial):
        status = ServedStatus.ACTIVE
    elif answer.failing:
        status = ServedStatus.ERROR
    behind = status is not ServedStatus.ACTIVE
    lag = None if serial is None else (zone.serial - serial) % SERIAL_MODULUS if behind else 0
    return NameserverStatus(
        host=answer.host,
        port=answer.port,
        status=status,
        serial=serial,
        lag=lag,
        error=answer.text if behind else None,
        since=zone.pending_since if behind else None,
    )
