"""Pool moves: a zone moves to another pool, and the stale copy in the old pool is deleted afterwards.

The stale copy has its own row, written in the transaction of the move. Workers see it as the deletion of a
zone with its own id from the old pool, so that it never mixes with the zone's changes in the new pool.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

from oslo_config import cfg

from designate import metrics
from designate.central import apex_records, catalogs, pool_kinds, zone_rules
from designate.central.base import Core
from designate.context import admin_context
from designate.model.pools import Pool
from designate.model.zones import Action, Outcome, Zone, ZoneAnnouncement, ZoneId, ZoneReport
from designate.storage.sqlalchemy import pool_moves, pools, zone_hierarchy, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.pool_moves import StaleCopy
from designate.storage.sqlalchemy.zone_rows import StoredZone

LOG = logging.getLogger(__name__)

GROUP = "service:central"
OPTS = [
    cfg.FloatOpt(
        "pool_move_grace",
        default=30.0,
        min=0,
        help="Seconds for which the old pool's nameservers still serve a moved zone after the new "
        "pool's nameservers serve it. If the parent zone's delegation is changed only then, allow for "
        "the time that this takes and for the delegation's TTL.",
    ),
]
FIRST_REVISION = 1


def move(core: Core, tx: Transaction, stored: StoredZone, pool: Pool) -> Zone:
    """Move the locked zone with its content to the pool; its child zones stay in their pools.

    Returns:
        The zone after the move.

    Raises:
        BadRequest: both pools have a nameserver that would keep the zone, or lose it, for ever.
    """
    zone = stored.zone
    pool_kinds.check_move(pools.get(tx.connection, zone.pool_id), pool)
    zones.lock_namespace(tx, zone.name)
    above = zone_hierarchy.find_at_or_above(tx.connection, zone.name)
    parent_id = zone_rules.parent_of(zone.name, pool.id, above)
    zone_hierarchy.reparent_to_grandparent(tx, zone)
    after = apex_records.move_to_pool(core, tx, stored, pool, parent_id)
    _record_stale_copy(core, tx, zone, after, pool)
    zone_hierarchy.reparent_below(tx, replace(zone, pool_id=pool.id))
    return after


def _record_stale_copy(core: Core, tx: Transaction, before: Zone, after: Zone, pool: Pool) -> None:
    """Record the stale copy in the old pool, and drop the new pool's one if the zone moves back."""
    pool_moves.delete(tx, before.id, pool.id)
    catalogs.remove_member_from(core, tx, before.id, pool)
    catalogs.add_member(core, tx, before, pool)
    pool_moves.record(tx, before, after.revision)


def delete_stale_copies(
    core: Core, tx: Transaction, shards: tuple[int, int], limit: int, retry_s: float
) -> None:
    """Have workers delete the stale copies that are due, once more if not confirmed after retry_s."""
    if not pool_moves.any_pending(tx.connection, shards):
        return
    now = core.now()
    pool_moves.mark_served(tx, shards, now, limit)
    due = pool_moves.claim(
        tx,
        shards,
        now,
        limit=limit,
        served_before=now - timedelta(seconds=core.conf[GROUP].pool_move_grace),
        sent_before=now - timedelta(seconds=retry_s),
    )
    for stale in due:
        _delete_stale_copy(core, tx, stale)
    metrics.SWEPT.labels("moves").inc(len(due))


def _delete_stale_copy(core: Core, tx: Transaction, stale: StaleCopy) -> None:
    if stale.pool_version is None or stale.kept_in == stale.pool_id:
        LOG.info(
            "zone %s: pool %s is gone or has the zone again, nothing to delete",
            stale.name,
            stale.pool_id,
        )
        pool_moves.delete_copy(tx, stale.id)
        return
    catalogs.remove_member_from(core, tx, stale.zone_id, pools.get(tx.connection, stale.pool_id))
    if stale.replaced:
        LOG.info(
            "zone %s: pool %s has another zone of that name, nothing to delete",
            stale.name,
            stale.pool_id,
        )
        pool_moves.delete_copy(tx, stale.id)
        return
    change = ZoneAnnouncement(
        zone_id=ZoneId(stale.id),
        name=stale.name,
        type=stale.type,
        pool_id=stale.pool_id,
        pool_version=stale.pool_version,
        revision=FIRST_REVISION,
        serial=0,
        action=Action.DELETE,
        created=True,
        again=True,
        kept_in=stale.kept_in,
        kept_version=stale.kept_version or 0,
        moved_id=stale.zone_id,
    )
    tx.after_commit.append(partial(core.worker.zone_changed, admin_context(), change))


def apply_report(tx: Transaction, report: ZoneReport) -> str | None:
    """Apply a worker's report on a stale copy.

    Returns:
        The news for the log; None if the id is not one of a stale copy.
    """
    if report.outcome is Outcome.ABSENT:
        name = pool_moves.delete_copy(tx, report.zone_id)
        return name and f"{name} deleted from the pool that it was moved out of"
    name = pool_moves.zone_name(tx.connection, report.zone_id)
    return name and f"{name} still in the pool that it was moved out of: {report.error}"
