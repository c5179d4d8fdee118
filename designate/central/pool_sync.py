"""Zones and catalog zones brought in line with changed pools.

A zone stores the `ns_version` of the pool that its apex NS recordset was made from, so that the sweep finds
the zones that an interrupted call leaves outdated.
"""

from __future__ import annotations

import logging

from designate import errors
from designate.central import apex_records, catalogs
from designate.central.base import Core
from designate.context import admin_context
from designate.model.pools import Pool
from designate.model.shards import SHARDS
from designate.model.zones import Action
from designate.storage.sqlalchemy import pools, sweeps, zones
from designate.storage.sqlalchemy.db.transaction import Transaction

LOG = logging.getLogger(__name__)


def sync_zones(core: Core, limit: int, shards: tuple[int, int] = (0, SHARDS - 1)) -> int:
    """Update zones whose apex NS recordset is older than their pool, each in its own transaction.

    The shards from 0 also include the catalog zones of all pools, which have no shards.

    Returns:
        How many zones and catalog members were updated.
    """
    done = 0
    with core.db.read() as connection:
        all_pools = pools.find(connection)
        outdated = [
            (pool, zone_id)
            for pool in all_pools
            for zone_id in sweeps.find_outdated(connection, pool.id, pool.ns_version, limit, shards)
        ]
    for pool, zone_id in outdated[:limit]:

        def write(tx: Transaction, pool: Pool = pool, zone_id: str = zone_id) -> None:
            stored = zones.lock(tx, zone_id)
            if stored.zone.action != Action.DELETE and stored.zone.pool_id == pool.id:
                # There may be thousands of zones: changes that users wait for come first.
                after = apex_records.sync_with_pool(core, tx, stored, pool, recovery=True)
                if after is not stored.zone:
                    core.notify(tx, admin_context(), "dns.zone.update", after, stored.zone)

        try:
            core.db.write(write)
            done += 1
        except errors.NotFound:
            LOG.debug("zone %s: deleted before its NS records were updated", zone_id)
    if shards[0] == 0:
        done += sum(catalogs.sync_members(core, pool) for pool in all_pools)
    return done
