"""Pools: what the operator declares in pools.yaml, stored as one transaction, and brought to the zones.

A change of a pool's NS records concerns every zone in it. Those are brought forward one by one: a zone
remembers the `ns_version` it was made from, so whatever is left when a process dies, the sweep finds.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from oslo_db import exception as db_errors

from designate import errors, rrtypes
from designate.central import apex_records, catalogs
from designate.central.base import Core, own_target, scope_of
from designate.central.policy import ADMIN, rule
from designate.context import Context, admin_context
from designate.model import pools_file
from designate.model.codec import UNSET
from designate.model.pools import NsRecord, Pool, PoolChange, PoolDraft, PoolPatch, PoolSpec
from designate.model.query import Page, Query
from designate.model.shards import SHARDS
from designate.model.zones import Action
from designate.storage.sqlalchemy import pools, zones
from designate.storage.sqlalchemy.db.engine import Transaction

LOG = logging.getLogger(__name__)

PARTS = (
    "name",
    "description",
    "attributes",
    "ns_records",
    "nameservers",
    "targets",
    "also_notifies",
    "catalog_zone",
)
NEEDED = ("ns_records", "nameservers", "targets")


# Zones that a changed pool brings forward while its caller waits; the others follow by the sweep.
AT_ONCE = 100

RULES = (
    rule("create_pool", ADMIN, "POST /v2/pools", "Create a pool."),
    rule("find_pools", ADMIN, "GET /v2/pools", "List pools."),
    rule("find_pool", ADMIN, "GET /v2/pools", "Find a pool."),
    rule("get_pool", ADMIN, "GET /v2/pools/{pool_id}", "Show a pool."),
    rule("update_pool", ADMIN, "PATCH /v2/pools/{pool_id}", "Change a pool."),
    rule("delete_pool", ADMIN, "DELETE /v2/pools/{pool_id}", "Delete a pool."),
)


class PoolsEndpoint:
    """See rpc.interfaces.PoolsApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self, context: Context, pool_id: str) -> Pool:
        with self._core.db.read() as connection:
            return pools.get(connection, pool_id)

    def find(self, context: Context) -> tuple[Pool, ...]:
        with self._core.db.read() as connection:
            return tuple(pools.find(connection))

    def apply(
        self, context: Context, pools: tuple[PoolSpec, ...], delete: bool, dry_run: bool
    ) -> tuple[PoolChange, ...]:
        changes: list[PoolChange] = []

        def write(tx: Transaction) -> None:
            changes[:] = self._apply(tx, context, pools, delete)
            if dry_run:
                raise _DryRun

        try:
            self._core.db.write(write)
        except _DryRun:
            return tuple(changes)
        except db_errors.DBDuplicateEntry:
            raise errors.Duplicate("zone", "A catalog zone has the name of another zone") from None
        follow_pools(self._core, limit=AT_ONCE)
        return tuple(changes)

    def _apply(
        self, tx: Transaction, context: Context, specs: tuple[PoolSpec, ...], delete: bool
    ) -> list[PoolChange]:
        stored = pools.find(tx.connection)
        by_id = {pool.id: pool for pool in stored}
        by_name = {pool.name: pool for pool in stored}
        changes: list[PoolChange] = []
        kept: set[str] = set()
        for spec in specs:
            current = by_id.get(spec.id) if spec.id else by_name.get(spec.name)
            spec = _completed(spec, current)
            _check(spec)
            namesake = by_name.get(spec.name)
            if namesake is not None and namesake is not current:
                raise errors.Duplicate(
                    "pool",
                    f"Pool {spec.name} already exists with id {namesake.id}; "
                    "the id of an existing pool cannot be changed",
                )
            if current is None:
                pool = self._new(spec)
                pools.insert(tx, pool)
                catalogs.apply(self._core, tx, None, pool)
                self._core.notify(tx, context, "dns.pool.create", pool)
                changes.append(PoolChange(pool=spec.name, kind="create"))
            else:
                pool = current
                found = list(_differences(current, spec))
                if found:
                    after = self._merged(current, spec)
                    pools.update(tx, after)
                    if any(change.path == "catalog_zone" for change in found):
                        catalogs.apply(self._core, tx, current, after)
                    self._core.notify(tx, context, "dns.pool.update", after, current)
                changes += found
            kept.add(pool.id)
        if delete:
            for pool in stored:
                if pool.id not in kept:
                    if pools.has_zones(tx.connection, pool.id):
                        raise errors.BadRequest(
                            f"Pool {pool.name} still holds zones", type="invalid_operation"
                        )
                    if pool.catalog_zone is not None:
                        catalogs.remove(self._core, tx, pool.id, pool.catalog_zone)
                    pools.delete(tx, pool.id)
                    self._core.notify(tx, context, "dns.pool.delete", pool)
                    changes.append(PoolChange(pool=pool.name, kind="delete"))
        return changes

    def _new(self, spec: PoolSpec) -> Pool:
        return Pool(
            id=spec.id or str(uuid.uuid4()),
            created_at=self._core.now(),
            **{part: getattr(spec, part) for part in PARTS},
        )

    def _merged(self, current: Pool, spec: PoolSpec) -> Pool:
        # Priorities are kept for those who list them; no zone has them.
        ns_changed = [n.hostname for n in current.ns_records] != [
            n.hostname for n in spec.ns_records
        ]
        return replace(
            current,
            **{part: getattr(spec, part) for part in PARTS},
            version=current.version + 1,
            ns_version=current.ns_version + ns_changed,
            updated_at=self._core.now(),
        )

    # -- the API's side --------------------------------------------------------------------------

    def list(self, context: Context, query: Query) -> Page[Pool]:
        core = self._core
        core.policy.check("find_pools", context, own_target(context))
        limit = query.limit or core.conf["service:api"].default_limit_v2
        with core.db.read() as connection:
            return pools.page(connection, query, scope_of(context), limit=limit)

    def show(self, context: Context, pool_id: str) -> Pool:
        self._core.policy.check("get_pool", context, own_target(context))
        with self._core.db.read() as connection:
            return _visible(context, pools.get(connection, pool_id))

    def create(self, context: Context, draft: PoolDraft) -> Pool:
        core = self._core
        _check_names(draft.ns_records)
        core.policy.check("create_pool", context, own_target(context))
        pool = Pool(
            id=str(uuid.uuid4()),
            name=draft.name,
            project_id=draft.project_id or context.project_id,
            description=draft.description,
            attributes=draft.attributes,
            ns_records=draft.ns_records,
            created_at=core.now(),
        )

        def write(tx: Transaction) -> None:
            pools.insert(tx, pool)
            core.notify(tx, context, "dns.pool.create", pool)

        with _named_duplicates():
            core.db.write(write)
        return pool

    def update(self, context: Context, pool_id: str, patch: PoolPatch) -> Pool:
        core = self._core
        core.policy.check("get_pool", context, own_target(context))

        def write(tx: Transaction) -> Pool:
            before = _visible(context, pools.get(tx.connection, pool_id))
            core.policy.check("update_pool", context, own_target(context))
            after = replace(
                _patched(before, patch), version=before.version + 1, updated_at=core.now()
            )
            pools.update(tx, after)
            return core.notify(tx, context, "dns.pool.update", after, before)

        with _named_duplicates():
            pool = core.db.write(write)
        follow_pools(core, limit=AT_ONCE)
        return pool

    def delete(self, context: Context, pool_id: str) -> None:
        core = self._core
        core.policy.check("delete_pool", context, own_target(context))

        def write(tx: Transaction) -> None:
            pool = _visible(context, pools.get(tx.connection, pool_id))
            if pools.has_zones(tx.connection, pool.id):
                raise errors.BadRequest("The pool holds zones", type="invalid_operation")
            if pool.catalog_zone is not None:
                catalogs.remove(core, tx, pool.id, pool.catalog_zone)
            pools.delete(tx, pool.id)
            core.notify(tx, context, "dns.pool.delete", pool)

        core.db.write(write)


def _patched(before: Pool, patch: PoolPatch) -> Pool:
    members = {
        name: value for name in PoolPatch.__slots__ if (value := getattr(patch, name)) is not UNSET
    }
    after = replace(before, **members)
    if before.project_id not in (None, after.project_id):
        raise errors.InvalidObject("'project_id' cannot be changed")
    if after.ns_records == before.ns_records:
        return after
    if not after.ns_records:
        raise errors.BadRequest(
            "A pool must keep at least one NS record", type="last_server_delete_not_allowed"
        )
    _check_names(after.ns_records)
    return replace(after, ns_version=before.ns_version + 1)


def _visible(context: Context, pool: Pool) -> Pool:
    """Raises NotFound for a pool of another project."""
    if not context.all_projects and pool.project_id not in (None, context.project_id):
        raise errors.NotFound("pool")
    return pool


def _check_names(ns_records: tuple[NsRecord, ...]) -> None:
    seen: set[str] = set()
    for record in ns_records:
        rrtypes.check_domain(record.hostname)
        if record.hostname.lower() in seen:
            raise errors.Duplicate("pool_ns_record")
        seen.add(record.hostname.lower())


@contextmanager
def _named_duplicates() -> Iterator[None]:
    try:
        yield
    except db_errors.DBDuplicateEntry:
        raise errors.Duplicate("pool") from None


class _DryRun(Exception):
    pass


def _completed(spec: PoolSpec, current: Pool | None) -> PoolSpec:
    """With what is stored where the file says nothing. Raises BadRequest where a new pool lacks
    something."""
    if current is not None:
        return replace(spec, **{part: getattr(current, part) for part in spec.left_out})
    for part in NEEDED:
        if part in spec.left_out:
            raise errors.BadRequest(f"pool {spec.name}: {part}: is needed for a new pool")
    return spec


def _check(spec: PoolSpec) -> None:
    for record in spec.ns_records:
        rrtypes.check_domain(record.hostname)
    if not spec.ns_records:
        raise errors.BadRequest(
            f"Pool {spec.name} must keep at least one NS record",
            type="last_server_delete_not_allowed",
        )
    if spec.catalog_zone is not None:
        catalogs.validate(spec.catalog_zone)


def _differences(current: Pool, spec: PoolSpec) -> Iterator[PoolChange]:
    for part in PARTS:
        old, new = getattr(current, part), getattr(spec, part)
        if old == new:
            continue
        gone, come = _apart(old, new)
        if isinstance(old, tuple) and gone is not old and len(gone) == len(come):
            # Entries that were changed: what is the same in them is left out.
            for before, after in zip(gone, come, strict=True):
                yield _change(
                    current,
                    f"{part}[{old.index(before) + 1}]",
                    _unlike(before, after),
                    _unlike(after, before),
                )
        else:
            yield _change(current, part, gone, come)


def _change(pool: Pool, path: str, old: Any, new: Any) -> PoolChange:
    before, after = _shown(old), _shown(new)
    if before == after:
        # Only secrets differ.
        after = after.replace(pools_file.MASK, f"{pools_file.MASK} (another one)")
    return PoolChange(pool=pool.name, kind="update", path=path, old=before, new=after)


def _apart(old: Any, new: Any) -> tuple[Any, Any]:
    """What only one of them has; both whole where they differ in the order alone."""
    if isinstance(old, tuple):
        gone = tuple(item for item in old if item not in new)
        come = tuple(item for item in new if item not in old)
        return (gone, come) if gone or come else (old, new)
    if isinstance(old, dict):
        return _unlike(old, new), _unlike(new, old)
    return old, new


def _unlike(one: Any, other: Any) -> dict[str, Any]:
    """The members of the one that the other has not, or otherwise."""
    if isinstance(one, Mapping):
        return {key: value for key, value in one.items() if other.get(key) != value}
    found: dict[str, Any] = {}
    for name in one.__dataclass_fields__:
        mine, its = getattr(one, name), getattr(other, name)
        if isinstance(mine, Mapping):
            found |= _unlike(mine, its)
        elif mine != its:
            found[name] = mine
    return found


def _shown(value: Any) -> str:
    """A value for the operator's eye, without what must stay secret."""
    if isinstance(value, tuple):
        return "; ".join(_shown(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k}={_masked(k, _shown(v))}" for k, v in value.items()) or "none"
    if hasattr(value, "__dataclass_fields__"):
        members = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
        return " ".join(
            f"{name}={_masked(name, _shown(item))}"
            for name, item in members
            if item not in (None, (), {})
        )
    return "none" if value is None else str(value)


def _masked(name: str, value: str) -> str:
    return pools_file.MASK if pools_file.is_secret(name) else value


def follow_pools(core: Core, limit: int, shards: tuple[int, int] = (0, SHARDS - 1)) -> int:
    """Bring zones whose apex NS set is older than their pool forward, each in a transaction of its
    own; answers how many. Interrupted, it goes on at the next sweep."""
    done = 0
    with core.db.read() as connection:
        everything = pools.find(connection)
        waiting = [
            (pool, zone_id)
            for pool in everything
            for zone_id in zones.find_outdated(connection, pool.id, pool.ns_version, limit, shards)
        ]
    for pool, zone_id in waiting[:limit]:

        def write(tx: Transaction, pool: Pool = pool, zone_id: str = zone_id) -> None:
            stored = zones.lock(tx, zone_id)
            if stored.zone.action != Action.DELETE and stored.zone.pool_id == pool.id:
                # There may be thousands, and nobody waits for one of them.
                after = apex_records.follow_pool(core, tx, stored, pool, recovery=True)
                if after is not stored.zone:
                    core.notify(tx, admin_context(), "dns.zone.update", after, stored.zone)

        try:
            core.db.write(write)
            done += 1
        except errors.NotFound:
            LOG.debug("zone %s went before it could follow its pool", zone_id)
    if shards[0] == 0:
        # Catalogs are not divided.
        done += sum(catalogs.sync_members(core, pool) for pool in everything)
    return done
