"""Pools: what the operator declares in pools.yaml, stored as one transaction, and brought to the zones.

A change of a pool's NS records concerns every zone in it. Those are brought forward one by one: a zone
remembers the `ns_version` it was made from, so whatever is left when a process dies, the sweep finds.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from designate import errors, rrtypes
from designate.central import managed
from designate.central.base import Core
from designate.context import Context
from designate.model import poolsfile
from designate.model.pools import Pool, PoolChange, PoolSpec
from designate.model.zones import Action
from designate.storage import pools, zones
from designate.storage.engine import Transaction

LOG = logging.getLogger(__name__)

PARTS = (
    "name",
    "description",
    "attributes",
    "ns_records",
    "nameservers",
    "targets",
    "also_notifies",
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
        for spec in pools:
            _check(spec)
        changes: list[PoolChange] = []

        def write(tx: Transaction) -> None:
            changes[:] = self._apply(tx, pools, delete)
            if dry_run:
                raise _DryRun

        try:
            self._core.db.write(write)
        except _DryRun:
            return tuple(changes)
        follow_pools(self._core, limit=1000)
        return tuple(changes)

    def _apply(
        self, tx: Transaction, specs: tuple[PoolSpec, ...], delete: bool
    ) -> list[PoolChange]:
        stored = pools.find(tx.connection)
        by_id = {pool.id: pool for pool in stored}
        by_name = {pool.name: pool for pool in stored}
        changes: list[PoolChange] = []
        kept: set[str] = set()
        for spec in specs:
            current = by_id.get(spec.id) if spec.id else by_name.get(spec.name)
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
                changes.append(PoolChange(pool=spec.name, kind="create"))
            else:
                pool = current
                found = list(_differences(current, spec))
                if found:
                    pools.update(tx, self._merged(current, spec))
                changes += found
            kept.add(pool.id)
        if delete:
            for pool in stored:
                if pool.id not in kept:
                    if pools.holds_zones(tx.connection, pool.id):
                        raise errors.BadRequest(
                            f"Pool {pool.name} still holds zones", type="invalid_operation"
                        )
                    pools.delete(tx, pool.id)
                    changes.append(PoolChange(pool=pool.name, kind="delete"))
        return changes

    def _new(self, spec: PoolSpec) -> Pool:
        return Pool(
            id=spec.id or str(uuid.uuid4()),
            created_at=self._core.now(),
            **{part: getattr(spec, part) for part in PARTS},
        )

    def _merged(self, current: Pool, spec: PoolSpec) -> Pool:
        ns_changed = current.ns_records != spec.ns_records
        return replace(
            current,
            **{part: getattr(spec, part) for part in PARTS},
            version=current.version + 1,
            ns_version=current.ns_version + ns_changed,
            updated_at=self._core.now(),
        )


class _DryRun(Exception):
    pass


def _check(spec: PoolSpec) -> None:
    for record in spec.ns_records:
        rrtypes.check_domain(record.hostname)
    if not spec.ns_records:
        raise errors.BadRequest(
            f"Pool {spec.name} must keep at least one NS record",
            type="last_server_delete_not_allowed",
        )


def _differences(current: Pool, spec: PoolSpec) -> Iterator[PoolChange]:
    for part in PARTS:
        old, new = getattr(current, part), getattr(spec, part)
        if old != new:
            yield PoolChange(
                pool=current.name, kind="update", path=part, old=_shown(old), new=_shown(new)
            )


def _shown(value: Any) -> str:
    """A value for the operator's eye, without what must stay secret."""
    if isinstance(value, tuple):
        return "; ".join(_shown(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k}={_masked(k, v)}" for k, v in value.items()) or "none"
    if hasattr(value, "__dataclass_fields__"):
        members = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
        return " ".join(
            f"{name}={_shown(item)}" for name, item in members if item not in (None, (), {})
        )
    return "none" if value is None else str(value)


def _masked(name: str, value: str) -> str:
    return poolsfile.MASK if poolsfile.is_secret(name) else value


def follow_pools(core: Core, limit: int) -> int:
    """Bring zones whose apex NS set is older than their pool forward, each in a transaction of its
    own; answers how many. Interrupted, it goes on at the next sweep."""
    done = 0
    with core.db.read() as connection:
        everything = pools.find(connection)
        waiting = [
            (pool, zone_id)
            for pool in everything
            for zone_id in zones.outdated(connection, pool.id, pool.ns_version, limit)
        ]
    for pool, zone_id in waiting[:limit]:

        def write(tx: Transaction, pool: Pool = pool, zone_id: str = zone_id) -> None:
            stored = zones.lock(tx, zone_id)
            if stored.zone.action != Action.DELETE and stored.zone.pool_id == pool.id:
                managed.follow_pool(core, tx, stored, pool)

        try:
            core.db.write(write)
            done += 1
        except errors.NotFound:
            LOG.debug("zone %s went before it could follow its pool", zone_id)
    return done
