"""Which names may be taken: lengths, labels, TTLs, and who owns the zones above and below."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from designate import errors
from designate.central.admin import is_blacklisted
from designate.central.base import Core, own_target
from designate.context import Context
from designate.model.zones import Zone, ZoneId
from designate.storage.sqlalchemy import admin as storage
from designate.storage.sqlalchemy import zone_hierarchy
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.wire import names


def check_zone_name(core: Core, tx: Transaction, context: Context, name: str) -> None:
    """The operator's rules for zone names. Raises BadRequest of type invalid_zone_name."""
    longest = core.conf["service:central"].max_zone_name_len
    if len(name) > longest:
        raise errors.BadRequest("Name too long", type="invalid_zone_name")
    labels = name.lower().rstrip(".").split(".")
    if len(labels) < 2:
        raise errors.BadRequest("More than one label is required", type="invalid_zone_name")
    suffixes = [".".join(labels[n:]) for n in range(1, len(labels))]
    allowed, is_tld = storage.check_tld(tx.connection, ".".join(labels), suffixes)
    if not allowed:
        raise errors.BadRequest("Unknown or invalid TLD", type="invalid_zone_name")
    if is_tld:
        raise errors.BadRequest("The zone name is a TLD", type="invalid_zone_name")
    if is_blacklisted(tx, name) and not core.policy.allows(
        "use_blacklisted_zone", context, own_target(context)
    ):
        raise errors.BadRequest("The zone name is blacklisted", type="invalid_zone_name")


def check_ttl(core: Core, context: Context, ttl: int | None) -> None:
    """Raises BadRequest of type invalid_ttl below the minimum, for those who must keep it."""
    lowest = core.conf["service:central"].min_ttl
    if (
        ttl is not None
        and lowest
        and ttl < lowest
        and not core.policy.allows("use_low_ttl", context, own_target(context))
    ):
        raise errors.BadRequest(f"TTL is below the minimum: {lowest}", type="invalid_ttl")


def check_family(connection: sa.Connection, name: str, project_id: str) -> list[Zone]:
    """A name may not be, lie below or lie above another project's zone, in whatever pool. Answers the
    zones with that name or above it, nearest first."""
    above = zone_hierarchy.find_at_or_above(connection, name)
    key = names.key(name)
    if any(names.key(zone.name) == key and zone.project_id != project_id for zone in above):
        raise errors.Duplicate("zone")
    nearest = next((zone for zone in above if names.key(zone.name) != key), None)
    if nearest is not None and nearest.project_id != project_id:
        raise errors.Forbidden(
            "Unable to create subzone in another project's zone", type="illegal_child"
        )
    if zone_hierarchy.has_foreign_zone_below(connection, name, project_id):
        raise errors.Forbidden(
            "Unable to create zone because another project owns a subzone", type="illegal_parent"
        )
    return above


def parent_of(name: str, pool_id: str, above: Sequence[Zone]) -> ZoneId | None:
    """The nearest zone above the name in the pool. above: nearest first."""
    for zone in above:
        if zone.pool_id == pool_id and names.key(zone.name) != names.key(name):
            return zone.id
    return None


def between(name: str, zone_name: str) -> list[str]:
    """The name and its ancestors below the zone's apex: where a child zone would take it over."""
    return [suffix for suffix in names.suffixes(name) if len(suffix) > len(zone_name)]
