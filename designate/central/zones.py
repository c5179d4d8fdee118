"""Zones: the endpoint that reads, creates, changes and deletes them."""

from __future__ import annotations

from dataclasses import replace

from oslo_db import exception as db_errors

from designate import errors, rrtypes
from designate.central import catalogs, nameserver_status, pool_moves, zone_rules, zone_updates
from designate.central.base import (
    Core,
    own_target,
    page_limit,
    refuse_pending_delete,
    scope_of,
    target_of,
    with_stored_name,
)
from designate.central.policy import (
    ADMIN,
    ADMIN_OR_MEMBER,
    ADMIN_OR_READER,
    LEGACY_OWNER_OR_SHARED,
    SHARED,
    rule,
)
from designate.central.zone_change import announcement_of, soft_deleted
from designate.central.zone_creation import ZoneCreator
from designate.context import Context, admin_context
from designate.model.codec import UNSET
from designate.model.pools import NsRecord
from designate.model.query import Page, Query
from designate.model.zones import (
    NameserverStatus,
    Zone,
    ZoneDraft,
    ZonePatch,
    ZoneType,
)
from designate.storage.sqlalchemy import pools, shares, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing import zones as zone_lists
from designate.wire.primary_rules import PrimaryRules

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
        "Delete a zone from the database only; its nameservers keep it.",
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
        "Show the serial and the status of a zone on each of its nameservers.",
    ),
    rule("get_zone_servers", ADMIN_OR_READER, None, "Read the servers of a zone."),
    rule(
        "count_zones_pending_notify",
        ADMIN_OR_READER,
        None,
        "Count zones whose changes are pending.",
    ),
    rule("purge_zones", ADMIN, None, "Remove deleted zones for good."),
)


class ZonesEndpoint:
    """See rpc.interfaces.ZonesApi."""

    def __init__(self, core: Core, creator: ZoneCreator) -> None:
        self._core = core
        self._creator = creator
        self._primary_rules = PrimaryRules.from_conf(core.conf)

    # -- reading ---------------------------------------------------------------------------------

    def get(self, context: Context, zone_id: str) -> Zone:
        with self._core.db.read() as connection:
            zone = zones.get(connection, zone_id, scope_of(context))
        self._core.policy.check("get_zone", context, target_of(context, zone))
        return zone

    def find(self, context: Context, query: Query) -> Page[Zone]:
        self._core.policy.check("find_zones", context, own_target(context))
        query = with_stored_name(query)
        limit = page_limit(self._core, query)
        with self._core.db.read() as connection:
            return zone_lists.find(
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
            stored = zones.get_stored(connection, zone_id)
        change = announcement_of(zone, stored.pool_version, stored.soa_wire, stored.sample)
        replies = core.worker.look(admin_context(), change)
        if any(reply.serial not in (None, zone.serial) for reply in replies):
            with core.db.read() as connection:  # It may have changed meanwhile.
                zone = zones.get(connection, zone_id, scope_of(context))
        return tuple(nameserver_status.of_reply(zone, reply) for reply in replies)

    # -- creating --------------------------------------------------------------------------------

    def create(self, context: Context, draft: ZoneDraft) -> Zone:
        core = self._core
        draft = replace(draft, name=rrtypes.canonical_name(draft.name))
        zone_rules.check_draft(draft)
        zone_rules.check_masters(self._primary_rules, draft.masters)
        core.policy.check("create_zone", context, own_target(context))
        zone_rules.refuse_catalog(draft.type)
        if context.project_id is None:
            raise errors.Unauthorized("A project is needed to create a zone")

        try:
            return core.db.write(
                lambda tx: self._creator.create(tx, context, draft), context.project_id
            )
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("zone") from None

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
            zone_rules.check_patch(before, patch)
            if patch.masters is not UNSET:
                zone_rules.check_masters(self._primary_rules, patch.masters)
            core.policy.check("update_zone", context, target)
            zone_rules.refuse_catalog(before.type)
            if patch.ttl not in (UNSET, before.ttl):
                zone_rules.check_ttl(core, context, patch.ttl)
            if before.type == ZoneType.SECONDARY:
                after = zone_updates.update_secondary(core, tx, stored, columns)
            else:
                after = zone_updates.update_primary(core, tx, stored, columns)
            return core.notify(tx, context, "dns.zone.update", after, before)

        return core.db.write(write, zone_id)

    def delete(self, context: Context, zone_id: str) -> Zone:
        core = self._core

        def write(tx: Transaction) -> Zone:
            stored = zones.lock_visible(tx, zone_id, scope_of(context))
            core.policy.check("delete_zone", context, target_of(context, stored.zone))
            zone_rules.refuse_catalog(stored.zone.type)
            _prepare_removal(tx, context, stored.zone)
            hard_delete = context.hard_delete or stored.hard_delete
            after = zone_updates.start_deletion(core, tx, stored, hard_delete=hard_delete)
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
            zone_rules.refuse_catalog(zone.type)
            _prepare_removal(tx, context, zone)
            catalogs.remove_member(core, tx, zone)
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
                    else self._creator.scheduler.choose(tx.connection, context, zone.attributes)
                )
            except errors.NotFound:
                raise errors.BadRequest("The pool does not exist") from None
            if pool.id == zone.pool_id:
                raise errors.BadRequest("The zone is in that pool already")
            zone_rules.check_pool(core, tx, pool)
            after = pool_moves.move(core, tx, stored, pool)
            core.notify(tx, context, "dns.zone.update", after, zone)

        try:
            core.db.write(write)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("zone") from None


def _prepare_removal(tx: Transaction, context: Context, zone: Zone) -> None:
    """Remove the zone's shares where the caller asked for it.

    Raises:
        BadRequest: The zone has child zones, or shares that the caller did not ask to delete.
    """
    if zones.has_children(tx.connection, zone.id):
        raise errors.BadRequest(
            "Please delete any subzones before deleting this zone", type="zone_has_sub_zone"
        )
    if zone.shared:
        if not context.delete_shares:
            raise errors.BadRequest("The zone is shared", type="zone_is_shared")
        shares.delete_of_zone(tx, zone.id)
