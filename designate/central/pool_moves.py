"""Zones that were moved to another pool: what the old pool's servers have goes once the new pool serves
them.

What is left is a row of its own, written in the transaction of the move. To a worker it is a deletion from
the old pool under an id of its own, so that it and the zone's life in the new pool do not meet.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

from oslo_config import cfg

from designate import metrics
from designate.central import apex_records, catalogs, zone_rules
from designate.central.base import Core
from designate.context import admin_context
from designate.model.pools import Pool
from designate.model.zones import Action, Outcome, Zone, ZoneAnnouncement, ZoneId, ZoneReport
from designate.storage.sqlalchemy import pool_moves, pools, zone_hierarchy, zones
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.pool_moves import StaleCopy
from designate.storage.sqlalchemy.zones import StoredZone

LOG = logging.getLogger(__name__)

GROUP = "service:central"
OPTS = [
    cfg.FloatOpt(
        "pool_move_grace",
        default=30.0,
        min=0,
        help="Seconds for which the old pool's nameservers go on serving a zone after the new pool "
        "serves it. Where the parent's delegation is changed only then, make it longer than that takes "
        "and than the delegation's TTL.",
    ),
]
FIRST_REVISION = 1


def move(core: Core, tx: Transaction, stored: StoredZone, pool: Pool) -> Zone:
    """Move the locked zone with its content to the pool; its child zones stay in their pools.

    Returns:
        The zone after the move.
    """
    zone = stored.zone
    zones.lock_namespace(tx, zone.name)
    above = zone_hierarchy.find_at_or_above(tx.connection, zone.name)
    parent_id = zone_rules.parent_of(zone.name, pool.id, above)
    zone_hierarchy.reparent_to_grandparent(tx, zone)
    after = apex_records.move_to_pool(core, tx, stored, pool, parent_id)
    _record(core, tx, zone, after, pool)
    zone_hierarchy.reparent_below(tx, replace(zone, pool_id=pool.id))
    return after


def _record(core: Core, tx: Transaction, before: Zone, after: Zone, pool: Pool) -> None:
    """The zone moves to the pool. If that had it before and has not dropped it yet, it keeps it."""
    pool_moves.delete(tx, before.id, pool.id)
    catalogs.remove_member_from(core, tx, before.id, pool)
    catalogs.add_member(core, tx, before, pool)
    pool_moves.record(tx, before, after.revision)


def sweep(core: Core, tx: Transaction, shards: tuple[int, int], limit: int, retry_s: float) -> None:
    """Hand what may go to workers, again if it was not proven to be gone for retry_s."""
    if not pool_moves.any_pending(tx.connection, shards):
        return
    now = core.now()
    pool_moves.mark_served(tx, shards, now, limit)
    found = pool_moves.claim(
        tx,
        shards,
        now,
        limit=limit,
        served_before=now - timedelta(seconds=core.conf[GROUP].pool_move_grace),
        sent_before=now - timedelta(seconds=retry_s),
    )
    for leftover in found:
        _let_go(core, tx, leftover)
    metrics.SWEPT.labels("moves").inc(len(found))


def _let_go(core: Core, tx: Transaction, leftover: StaleCopy) -> None:
    if leftover.pool_version is None or leftover.kept_in == leftover.pool_id:
        LOG.info("zone %s: pool %s is left as it is", leftover.name, leftover.pool_id)
        pool_moves.delete_copy(tx, leftover.id)
        return
    catalogs.remove_member_from(
        core, tx, leftover.zone_id, pools.get(tx.connection, leftover.pool_id)
    )
    if leftover.replaced:
        LOG.info("zone %s: pool %s has another one by now", leftover.name, leftover.pool_id)
        pool_moves.delete_copy(tx, leftover.id)
        return
    change = ZoneAnnouncement(
        zone_id=ZoneId(leftover.id),
        name=leftover.name,
        type=leftover.type,
        pool_id=leftover.pool_id,
        pool_version=leftover.pool_version,
        revision=FIRST_REVISION,
        serial=0,
        action=Action.DELETE,
        created=True,
        again=True,
        kept_in=leftover.kept_in,
        kept_version=leftover.kept_version or 0,
    )
    tx.after_commit.append(partial(core.worker.zone_changed, admin_context(), change))


def report(tx: Transaction, told: ZoneReport) -> str | None:
    """What a worker's report on a leftover means, in words; None: it is none, or was forgotten."""
    if told.outcome is Outcome.ABSENT:
        name = pool_moves.delete_copy(tx, told.zone_id)
        return name and f"({name}) is gone from the pool that it was moved out of"
    name = pool_moves.zone_name(tx.connection, told.zone_id)
    return name and f"({name}) is still in the pool that it was moved out of: {told.error}"
