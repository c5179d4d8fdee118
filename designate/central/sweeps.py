"""Periodic work on the zones of a range of shards; each call of a producer is one bounded batch."""

from __future__ import annotations

from datetime import datetime, timedelta

from designate import metrics
from designate.central import leases, pool_sync
from designate.central.base import Core
from designate.central.status import GROUP
from designate.central.zone_change import announcement_of
from designate.context import Context, admin_context
from designate.model.zones import Zone
from designate.storage.sqlalchemy import audit, journal, secondary, sweeps
from designate.storage.sqlalchemy.db.transaction import Transaction

# For staged parts of transfers whose worker died.
STAGED_RETENTION_S = 7200


class SweepsEndpoint:
    """See rpc.interfaces.SweepsApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def purge(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        kept_s: float,
        generation: int | None = None,
    ) -> int:
        core = self._core
        now = core.now()
        before = now - timedelta(seconds=kept_s)

        def write(tx: Transaction) -> int:
            leases.require(tx.connection, generation)
            return sweeps.purge(tx, (first_shard, last_shard), before, limit)

        removed = core.db.write(write)
        metrics.SWEPT.labels("purge").inc(removed)
        if first_shard > 0:
            return removed
        # What has no shards is purged with the first range.
        staged_before = now - timedelta(seconds=STAGED_RETENTION_S)
        core.db.write(lambda tx: secondary.discard_parts_before(tx, staged_before))
        steps_before = now - timedelta(seconds=core.conf[GROUP].journal_max_age)
        pruned = core.db.write(lambda tx: journal.prune_older(tx, steps_before, limit))
        metrics.SWEPT.labels("purge").inc(pruned)
        return removed + pruned

    def follow_pools(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        generation: int | None = None,
    ) -> int:
        with self._core.db.read() as connection:
            leases.require(connection, generation)
        return pool_sync.sync_zones(self._core, limit, (first_shard, last_shard))

    def audit(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        after: str,
        until: datetime,
        generation: int | None = None,
    ) -> tuple[Zone, ...]:
        def write(tx: Transaction) -> list[Zone]:
            leases.require(tx.connection, generation)
            return audit.claim(tx, (first_shard, last_shard), after, until, limit)

        return tuple(self._core.db.write(write))

    def reconcile(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        after: str,
        generation: int | None = None,
    ) -> str:
        core = self._core
        with core.db.read() as connection:
            leases.require(connection, generation)
            found = sweeps.find_converged(connection, (first_shard, last_shard), after, limit)
        if not found:
            return ""
        changes = tuple(
            announcement_of(
                stored.zone, stored.pool_version, stored.soa_wire, stored.sample, recovery=True
            )
            for stored in found
        )
        core.worker.check_zones(admin_context(), changes)
        metrics.SWEPT.labels("reconciliation").inc(len(found))
        return found[-1].zone.id if len(found) >= limit else ""
