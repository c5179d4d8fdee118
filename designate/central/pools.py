"""Pools: the endpoint that applies pools.yaml in one transaction and serves the API."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from oslo_db import exception as db_errors

from designate import errors, rrtypes
from designate.central import catalogs, pool_diff, pool_kinds, pool_sync
from designate.central.base import Core, own_target, page_limit, scope_of
from designate.central.policy import ADMIN, rule
from designate.context import Context
from designate.model.codec import UNSET
from designate.model.pools import (
    NsRecord,
    Pool,
    PoolChange,
    PoolDraft,
    PoolPatch,
    PoolSpec,
    with_stored,
)
from designate.model.query import Page, Query
from designate.storage.sqlalchemy import pools
from designate.storage.sqlalchemy.db.transaction import Transaction

REQUIRED_PARTS = ("ns_records", "nameservers", "targets")
# How many zones a call brings in line with changed pools itself; the sweep does the others.
MAX_SYNCED_ZONES = 100

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

    # -- for pools.yaml --------------------------------------------------------------------------

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
        pool_sync.sync_zones(self._core, limit=MAX_SYNCED_ZONES)
        return tuple(changes)

    def _apply(
        self, tx: Transaction, context: Context, specs: tuple[PoolSpec, ...], delete: bool
    ) -> list[PoolChange]:
        stored = pools.find(tx.connection)
        by_name = {pool.name: pool for pool in stored}
        changes: list[PoolChange] = []
        declared: set[str] = set()
        for written, current in with_stored(specs, stored):
            spec = _completed(written, current)
            _check_spec(spec, current)
            namesake = by_name.get(spec.name)
            if namesake is not None and namesake is not current:
                raise errors.Duplicate(
                    "pool",
                    f"Pool {spec.name} already exists with id {namesake.id}; "
                    "the id of an existing pool cannot be changed",
                )
            if current is None:
                pool = self._insert_spec(tx, context, spec)
                changes.append(PoolChange(pool=spec.name, kind="create"))
            else:
                pool = current
                changes += self._update_spec(tx, context, current, spec)
            declared.add(pool.id)
        if delete:
            for pool in stored:
                if pool.id not in declared:
                    self._delete(tx, context, pool, f"Pool {pool.name} still holds zones")
                    changes.append(PoolChange(pool=pool.name, kind="delete"))
        return changes

    def _insert_spec(self, tx: Transaction, context: Context, spec: PoolSpec) -> Pool:
        pool = Pool(
            id=spec.id or str(uuid.uuid4()),
            created_at=self._core.now(),
            **{part: getattr(spec, part) for part in pool_diff.PARTS},
        )
        pool_kinds.check_keys(pool, self._default_pool_id)
        pools.insert(tx, pool)
        catalogs.apply(self._core, tx, None, pool)
        return self._core.notify(tx, context, "dns.pool.create", pool)

    def _update_spec(
        self, tx: Transaction, context: Context, current: Pool, spec: PoolSpec
    ) -> list[PoolChange]:
        found = list(pool_diff.differences(current, spec))
        if found:
            after = self._merged(current, spec)
            pool_kinds.check_keys(after, self._default_pool_id)
            pool_kinds.check_change(tx, current, after)
            pools.update(tx, after)
            if any(change.path == "catalog_zone" for change in found):
                catalogs.apply(self._core, tx, current, after)
            self._core.notify(tx, context, "dns.pool.update", after, current)
        return found

    @property
    def _default_pool_id(self) -> str:
        default: str = self._core.conf["service:central"].default_pool_id
        return default

    def _merged(self, current: Pool, spec: PoolSpec) -> Pool:
        # Priorities are stored for listings only; zones do not contain them.
        ns_changed = [n.hostname for n in current.ns_records] != [
            n.hostname for n in spec.ns_records
        ]
        return replace(
            current,
            **{part: getattr(spec, part) for part in pool_diff.PARTS},
            version=current.version + 1,
            ns_version=current.ns_version + ns_changed,
            updated_at=self._core.now(),
        )

    # -- for the API -----------------------------------------------------------------------------

    def list(self, context: Context, query: Query) -> Page[Pool]:
        core = self._core
        core.policy.check("find_pools", context, own_target(context))
        limit = page_limit(core, query)
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

        with _duplicate_pools():
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

        with _duplicate_pools():
            pool = core.db.write(write)
        pool_sync.sync_zones(core, limit=MAX_SYNCED_ZONES)
        return pool

    def delete(self, context: Context, pool_id: str) -> None:
        core = self._core
        core.policy.check("delete_pool", context, own_target(context))

        def write(tx: Transaction) -> None:
            pool = _visible(context, pools.get(tx.connection, pool_id))
            self._delete(tx, context, pool, "The pool holds zones")

        core.db.write(write)

    def _delete(self, tx: Transaction, context: Context, pool: Pool, message: str) -> None:
        """Delete a pool, or raise BadRequest with the message if it has zones."""
        if pools.has_zones(tx.connection, pool.id):
            raise errors.BadRequest(message, type="invalid_operation")
        if pool.catalog_zone is not None:
            catalogs.remove(self._core, tx, pool.id, pool.catalog_zone)
        pools.delete(tx, pool.id)
        self._core.notify(tx, context, "dns.pool.delete", pool)


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
    """Return the pool, or raise NotFound if it is another project's."""
    if not context.all_projects and pool.project_id not in (None, context.project_id):
        raise errors.NotFound("pool")
    return pool


def _check_names(ns_records: tuple[NsRecord, ...]) -> None:
    seen: set[str] = set()
    for record in ns_records:
        rrtypes.check_plain_domain(record.hostname)
        if record.hostname.lower() in seen:
            raise errors.Duplicate("pool_ns_record")
        seen.add(record.hostname.lower())


@contextmanager
def _duplicate_pools() -> Iterator[None]:
    """Turn a violated unique constraint into Duplicate."""
    try:
        yield
    except db_errors.DBDuplicateEntry:
        raise errors.Duplicate("pool") from None


class _DryRun(Exception):
    """Raised to roll back the transaction of a dry run."""


def _completed(spec: PoolSpec, current: Pool | None) -> PoolSpec:
    """Return the spec with the stored values of the parts that the file leaves out.

    Raises:
        BadRequest: A new pool lacks a required part.
    """
    if current is not None:
        return replace(spec, **{part: getattr(current, part) for part in spec.left_out})
    for part in REQUIRED_PARTS:
        if part in spec.left_out:
            raise errors.BadRequest(f"pool {spec.name}: {part}: required for a new pool")
    return spec


def _check_spec(spec: PoolSpec, current: Pool | None) -> None:
    """Check what the file alone does not show; a stored pool that has no NS records needs none."""
    for record in spec.ns_records:
        rrtypes.check_plain_domain(record.hostname)
    if not spec.ns_records and (current is None or current.ns_records):
        raise errors.BadRequest(
            f"Pool {spec.name} must keep at least one NS record",
            type="last_server_delete_not_allowed",
        )
    if spec.catalog_zone is not None:
        if not spec.ns_records:
            raise errors.BadRequest(f"pool {spec.name}: a catalog zone needs ns_records")
        catalogs.validate(spec.catalog_zone)
