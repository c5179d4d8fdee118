"""Refuses changes of a pool that would leave its zones on its servers for ever.

The servers learn of zones by the control channels of its targets, or by its catalog zone. A server that
got zones one way keeps them when the pool changes to the other: they are "explicitly configured" to a
consumer of a catalog, and a catalog's members cannot be deleted by a control channel.
"""

from __future__ import annotations

from designate import errors
from designate.model.pools import Pool
from designate.storage.sqlalchemy import pool_moves, pools
from designate.storage.sqlalchemy.db.transaction import Transaction

CONTROL, CATALOG, NEITHER = "control channels", "a catalog zone", "neither"
_UNCONTROLLED = {"builtin", "catalog", "fake"}


def kind_of(pool: Pool) -> str:
    """Return how the pool's servers learn of its zones."""
    if pool.catalog_zone is not None:
        return CATALOG
    controlled = any(target.type not in _UNCONTROLLED for target in pool.targets)
    return CONTROL if controlled else NEITHER


def check_change(tx: Transaction, before: Pool, after: Pool) -> None:
    """Raise BadRequest if zones would stay on the servers of a pool for ever."""
    old, new = kind_of(before), kind_of(after)
    leaves_zones = old is CONTROL and new is not CONTROL
    if not leaves_zones and not (old is CATALOG and new is CONTROL):
        return
    if pools.has_zones(tx.connection, before.id) or pool_moves.any_copy(tx.connection, before.id):
        raise errors.BadRequest(
            f"pool {before.name}: its servers know its zones by {old}, and would keep them for ever if "
            f"that changed to {new}. Move the zones to another pool (POST /v2/zones/ID/tasks/pool_move), "
            "wait until none is left on these servers, change the pool, and move the zones back",
            type="invalid_operation",
        )


def check_keys(pool: Pool, default_pool_id: str) -> None:
    """Raise BadRequest for a pool whose catalog's members PowerDNS could not transfer.

    PowerDNS makes the members of a catalog without a TSIG key.
    """
    if pool.catalog_zone is None:
        return
    for number, target in enumerate(pool.targets, 1):
        if target.type != "pdns4":
            continue
        if target.tsigkey_id or pool.id != default_pool_id:
            raise errors.BadRequest(
                f"pool {pool.name}: target {number}: PowerDNS transfers the members of a catalog zone "
                "without a TSIG key, which targets with a tsigkey_id and all pools but the default one "
                "need; leave out catalog_zone, so that each zone is created with its key",
                type="invalid_operation",
            )


def check_move(before: Pool, after: Pool) -> None:
    """Raise BadRequest for a move between two pools that share a server and treat it differently."""
    old, new = kind_of(before), kind_of(after)
    if old is new or NEITHER in (old, new):
        return
    shared = {server.label for server in before.nameservers} & {
        server.label for server in after.nameservers
    }
    if shared:
        raise errors.BadRequest(
            f"Both pools have the nameserver {min(shared)}, which knows its zones by {old} for pool "
            f"{before.name} and by {new} for pool {after.name}; move the zone to a pool of other servers "
            "first",
            type="invalid_operation",
        )
