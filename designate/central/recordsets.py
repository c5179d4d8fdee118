"""Recordsets: the endpoint that reads, creates, changes and deletes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from oslo_config import cfg
from oslo_db import exception as db_errors

from designate import errors, rrtypes
from designate.central import quotas, recordset_changes, recordset_rules, zone_rules
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
    ADMIN_OR_READER,
    LEGACY_ADMIN,
    LEGACY_OWNER_OR_SHARED,
    MEMBER,
    SHARED,
    rule,
)
from designate.context import Context
from designate.model.codec import UNSET
from designate.model.query import Page, Query
from designate.model.recordsets import RecordSet, RecordSetDraft, RecordSetPatch
from designate.model.zones import Action, Status, Zone
from designate.storage.sqlalchemy import recordsets, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing import recordsets as recordset_lists
from designate.storage.sqlalchemy.listing.result_cache import ResultCache
from designate.storage.sqlalchemy.recordsets import StoredRecordSet
from designate.storage.sqlalchemy.zone_rows import StoredZone
from designate.wire import names, types

GROUP = "DEFAULT"
OPTS = [
    cfg.ListOpt(
        "supported_record_type",
        default=list(rrtypes.SUPPORTED),
        help="Record types that new recordsets may have, by name or as TYPEnnn; TYPEn stands for all types "
        "without a name. Recordsets of other types can still be read, changed and deleted.",
    ),
]

PRIMARY = "'PRIMARY':%(zone_type)s"
SECONDARY = "'SECONDARY':%(zone_type)s"
CREATOR = "role:member and project_id:%(recordset_project_id)s"
WRITE = (
    f"(({MEMBER}) and ({PRIMARY})) or (({ADMIN}) and ({PRIMARY})) or (({ADMIN}) and ({SECONDARY}))"
)
LEGACY_WRITE = (
    f"{LEGACY_ADMIN} or ((rule:owner or project_id:%(recordset_project_id)s) and ({PRIMARY}))"
)
PATH = "/v2/zones/{zone_id}/recordsets"

RULES = (
    rule(
        "create_recordset",
        f"{WRITE} or (({SHARED}) and ({PRIMARY}))",
        f"POST {PATH}",
        "Create a recordset.",
        legacy=f"(({LEGACY_OWNER_OR_SHARED}) and ({PRIMARY})) or (is_admin:True and ({SECONDARY}))",
    ),
    rule(
        "get_recordset",
        f"{ADMIN_OR_READER} or ({SHARED})",
        f"GET {PATH}/{{recordset_id}}",
        "Show a recordset.",
        legacy=LEGACY_OWNER_OR_SHARED,
    ),
    rule("get_recordsets", ADMIN_OR_READER, None, "Read several recordsets."),
    rule("find_recordset", ADMIN_OR_READER, None, "Find one recordset."),
    rule("count_recordset", ADMIN_OR_READER, None, "Count recordsets."),
    rule("find_records", ADMIN_OR_READER, None, "Find records."),
    rule("find_recordsets", ADMIN_OR_READER, f"GET {PATH}", "List recordsets."),
    rule(
        "update_recordset",
        f"{WRITE} or (({CREATOR}) and ({PRIMARY}))",
        f"PUT {PATH}/{{recordset_id}}",
        "Change a recordset.",
        legacy=LEGACY_WRITE,
    ),
    rule(
        "delete_recordset",
        f"{WRITE} or (({CREATOR}) and ({PRIMARY}))",
        f"DELETE {PATH}/{{recordset_id}}",
        "Delete a recordset.",
        legacy=LEGACY_WRITE,
    ),
)


class RecordSetsEndpoint:
    """See rpc.interfaces.RecordSetsApi."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._results = ResultCache()

    # -- reading ---------------------------------------------------------------------------------

    def get(self, context: Context, zone_id: str | None, recordset_id: str) -> RecordSet:
        zone, stored = self._visible(context, zone_id, recordset_id)
        self._core.policy.check("get_recordset", context, target_of(context, zone))
        return stored.recordset

    def _visible(
        self, context: Context, zone_id: str | None, recordset_id: str
    ) -> tuple[Zone, StoredRecordSet]:
        """Return the recordset and its zone.

        Raises:
            NotFound: Of kind recordset if there is none (in this zone), of kind zone if the caller does
                not see the zone.
        """
        with self._core.db.read() as connection:
            if zone_id is not None:
                zone = zones.get(connection, zone_id, scope_of(context))
                stored = recordsets.get(connection, recordset_id)
                if stored.recordset.zone_id != zone_id:
                    raise errors.NotFound("recordset")
                return zone, stored
            stored = recordsets.get(connection, recordset_id)
            try:
                zone = zones.get(connection, stored.recordset.zone_id, scope_of(context))
            except errors.NotFound:
                # Do not reveal that another project has a recordset of this id.
                raise errors.NotFound("recordset") from None
            return zone, stored

    def find(self, context: Context, zone_id: str | None, query: Query) -> Page[RecordSet]:
        core = self._core
        query = _with_canonical_type(with_stored_name(query))
        limit = page_limit(core, query)
        count = not context.hide_counts
        with core.db.read() as connection:
            if zone_id is not None:
                zone, recordset_count = zones.get_with_recordset_count(
                    connection, zone_id, scope_of(context)
                )
                core.policy.check("get_zone", context, target_of(context, zone))
                core.policy.check("find_recordsets", context, own_target(context))
                tag = _tag(zone)
                if tag == query.known:
                    return Page(items=(), tag=tag, same=True)
                page = recordset_lists.list_in_zone(
                    connection,
                    query,
                    zone,
                    recordset_count,
                    self._results,
                    limit=limit,
                    count=count,
                )
                return replace(page, tag=tag)
            core.policy.check("find_recordsets", context, own_target(context))
            return recordset_lists.list_across_zones(
                connection, query, scope_of(context), limit=limit, count=count
            )

    # -- creating --------------------------------------------------------------------------------

    def create(self, context: Context, zone_id: str, draft: RecordSetDraft) -> RecordSet:
        core = self._core
        rtype = rrtypes.check_type(draft.type, core.conf.supported_record_type)
        if rtype == "SOA":
            raise errors.BadRequest("Creating SOA recordsets is not allowed")
        name = rrtypes.canonical_name(draft.name)
        if (name, rtype) != (draft.name, draft.type):
            draft = replace(draft, name=name, type=rtype)
        rrtypes.check_owner(rtype, name)
        rdatas = rrtypes.rdata(draft.type, draft.name, draft.records)

        def write(tx: Transaction) -> RecordSet:
            stored = zones.lock_visible(tx, zone_id, scope_of(context))
            zone = stored.zone
            zone_rules.refuse_catalog(zone.type)
            refuse_pending_delete(zone)
            target = target_of(context, zone) | {"recordset_name": draft.name}
            core.policy.check("create_recordset", context, target)
            limits = quotas.with_overrides(core, stored.overrides)
            quotas.require(limits, zone_recordsets=stored.recordset_count + 1)
            zone_rules.check_ttl(core, context, draft.ttl)
            recordset_rules.check_name(core, draft.name, zone)
            recordset_rules.check_location(tx, zone, draft)
            recordset_rules.check_single(draft.type, len(rdatas))
            count = len(draft.records)
            quotas.require(
                limits, zone_records=stored.record_count + count, recordset_records=count
            )
            recordset = recordset_changes.insert(core, tx, context, stored, draft, rdatas)
            return core.notify(tx, context, "dns.recordset.create", recordset)

        try:
            return core.db.write(write, zone_id)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("recordset") from None

    # -- changing --------------------------------------------------------------------------------

    def check_update(self, context: Context, zone_id: str, recordset_id: str) -> RecordSet:
        _, stored = self._visible(context, zone_id, recordset_id)
        _refuse_unchangeable(context, stored.recordset)
        return stored.recordset

    def update(
        self, context: Context, zone_id: str, recordset_id: str, patch: RecordSetPatch
    ) -> RecordSet:
        core = self._core

        def write(tx: Transaction) -> RecordSet:
            stored, current = _locked(tx, context, zone_id, recordset_id)
            before = current.recordset
            _refuse_unchangeable(context, before)
            rdatas: Sequence[bytes] | None = None
            if patch.records is not UNSET:
                rdatas = rrtypes.rdata(before.type, before.name, patch.records, before.records)
                recordset_rules.check_single(before.type, len(rdatas))
            refuse_pending_delete(stored.zone)
            core.policy.check("update_recordset", context, _target(context, stored.zone, before))
            if patch.ttl is not UNSET and patch.ttl != before.ttl:
                zone_rules.check_ttl(core, context, patch.ttl)
            after = recordset_changes.patched(before, patch, core.now())
            if not after.managed:
                count = len(after.records)
                quotas.require(
                    quotas.with_overrides(core, stored.overrides),
                    zone_records=stored.record_count - len(before.records) + count,
                    recordset_records=count,
                )
            recordset_changes.update(core, tx, stored, current, after, rdatas)
            return core.notify(tx, context, "dns.recordset.update", after, before)

        return core.db.write(write, zone_id)

    # -- deleting --------------------------------------------------------------------------------

    def delete(self, context: Context, zone_id: str, recordset_id: str) -> RecordSet:
        core = self._core

        def write(tx: Transaction) -> RecordSet:
            stored, current = _locked(tx, context, zone_id, recordset_id)
            before = current.recordset
            if before.type == "SOA":
                raise errors.BadRequest("Deleting a SOA recordset is not allowed")
            refuse_pending_delete(stored.zone)
            core.policy.check("delete_recordset", context, _target(context, stored.zone, before))
            if before.managed and not context.edit_managed_records:
                raise errors.BadRequest("Managed records may not be deleted")
            recordset_changes.delete(core, tx, stored, current)
            after = replace(
                before,
                action=Action.DELETE,
                status=Status.PENDING,
                updated_at=core.now(),
                version=before.version + 1,
            )
            return core.notify(tx, context, "dns.recordset.delete", after)

        return core.db.write(write, zone_id)


def _with_canonical_type(query: Query) -> Query:
    """Return the query with the name that a type of its filter is stored under, such as A for TYPE1."""
    given = query.filters.get("type")
    name = None if given is None else types.canonical_name(given)
    return (
        query if name in (None, given) else replace(query, filters={**query.filters, "type": name})
    )


def _tag(zone: Zone) -> str:
    """Return the entity tag of the zone's recordsets.

    The version alone is not enough: it repeats after the database was restored from a backup.
    """
    return f"{zone.version}-{zone.serial}-{zone.updated_at}"


def _locked(
    tx: Transaction, context: Context, zone_id: str, recordset_id: str
) -> tuple[StoredZone, StoredRecordSet]:
    """Lock the zone until the end of the transaction; return it and its recordset."""
    stored = zones.lock_visible(tx, zone_id, scope_of(context))
    return stored, recordsets.get_in_zone(tx, stored.zone, recordset_id)


def _target(context: Context, zone: Zone, recordset: RecordSet) -> dict[str, Any]:
    return target_of(context, zone) | {
        "recordset_id": recordset.id,
        "recordset_project_id": recordset.project_id,
    }


def _refuse_unchangeable(context: Context, recordset: RecordSet) -> None:
    if recordset.managed and not context.edit_managed_records:
        raise errors.BadRequest("Managed records may not be updated")
    if recordset.type == "SOA":
        raise errors.BadRequest("Updating SOA recordsets is not allowed")
    if recordset.type == "NS" and names.key(recordset.name) == names.key(recordset.zone_name):
        raise errors.BadRequest("Updating a root zone NS record is not allowed")
