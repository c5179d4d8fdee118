"""Rules for zones: names, TTLs, members by zone type, pools, and owners of parent and child zones."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from designate import errors, mailboxes, rrtypes
from designate.central.base import Core, own_target
from designate.central.blacklists import is_blacklisted
from designate.context import Context
from designate.errors import Reason
from designate.model.codec import UNSET
from designate.model.pools import Pool
from designate.model.zones import PrimaryAddress, Zone, ZoneDraft, ZoneId, ZonePatch, ZoneType
from designate.storage.sqlalchemy import tlds, tsigkeys, zone_hierarchy
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.wire import names
from designate.wire.primary_rules import PrimaryRules, RefusedPrimary


def check_zone_name(core: Core, tx: Transaction, context: Context, name: str) -> None:
    """Check a name against the operator's rules for zone names.

    Raises:
        BadRequest: The name is refused; the type is invalid_zone_name.
    """
    if len(name) > core.conf["service:central"].max_zone_name_len:
        raise errors.BadRequest("Name too long", type="invalid_zone_name")
    labels = name.lower().rstrip(".").split(".")
    if len(labels) < 2:
        raise errors.BadRequest(
            "More than one label is required, as in example.org.", type="invalid_zone_name"
        )
    suffixes = [".".join(labels[n:]) for n in range(1, len(labels))]
    allowed, is_tld = tlds.check_name(tx.connection, ".".join(labels), suffixes)
    if not allowed:
        raise errors.BadRequest("Unknown or invalid TLD", type="invalid_zone_name")
    if is_tld:
        raise errors.BadRequest("The zone name is a TLD", type="invalid_zone_name")
    if is_blacklisted(tx, name) and not core.policy.allows(
        "use_blacklisted_zone", context, own_target(context)
    ):
        raise errors.BadRequest("The zone name is blacklisted", type="invalid_zone_name")


def check_ttl(core: Core, context: Context, ttl: int | None) -> None:
    """Check a TTL against the minimum, which callers with the policy use_low_ttl may go below.

    Raises:
        BadRequest: The TTL is too low; the type is invalid_ttl.
    """
    min_ttl = core.conf["service:central"].min_ttl
    if (
        ttl is not None
        and min_ttl
        and ttl < min_ttl
        and not core.policy.allows("use_low_ttl", context, own_target(context))
    ):
        raise errors.BadRequest(f"TTL is below the minimum: {min_ttl}", type="invalid_ttl")


def refuse_catalog(zone_type: ZoneType) -> None:
    """Raise Forbidden for a catalog zone: the service maintains those itself."""
    if zone_type == ZoneType.CATALOG:
        raise errors.Forbidden("This operation is not allowed for catalog zones")


def check_hierarchy(connection: sa.Connection, name: str, project_id: str) -> list[Zone]:
    """Check that a new zone is not the same as, below or above another project's zone, in any pool.

    Returns:
        The zones with that name or above it, nearest first.

    Raises:
        Duplicate: Another project has a zone of that name.
        Forbidden: Another project has a zone above or below.
    """
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
    """Return the nearest of the zones above the name that is in the pool; they are given nearest first."""
    for zone in above:
        if zone.pool_id == pool_id and names.key(zone.name) != names.key(name):
            return zone.id
    return None


def delegation_points(name: str, zone_name: str) -> list[str]:
    """Return the names below the zone's apex at which a child zone would take the name over."""
    return [suffix for suffix in names.suffixes(name) if len(suffix) > len(zone_name)]


def check_pool(core: Core, tx: Transaction, pool: Pool) -> None:
    """Check that the pool can take zones.

    mdns answers queries without a TSIG key from the default pool, so that any other pool needs a key.

    Raises:
        ConfigurationError: The pool has no NS records.
        BadRequest: The pool needs a TSIG key and has none.
    """
    if not pool.ns_records:
        raise errors.ConfigurationError(
            f"Pool {pool.name} has no NS records", type="no_servers_configured"
        )
    if pool.id != core.conf["service:central"].default_pool_id and not tsigkeys.pool_has_key(
        tx.connection, pool.id
    ):
        raise errors.BadRequest(f"Pool {pool.name} has no TSIG key of scope POOL")


def check_draft(draft: ZoneDraft) -> None:
    """Check that a new zone has the members that its type requires and no others.

    Raises:
        InvalidObject: A member is missing, or not allowed.
    """
    rrtypes.check_domain(draft.name)
    if draft.type == ZoneType.SECONDARY:
        if not draft.masters:
            raise _missing_member("masters", ["masters"])
        _refuse_for_secondary(email=draft.email is not None, ttl=draft.ttl is not None)
    else:
        if draft.email is None:
            raise _missing_member("email", "email")
        _check_email(draft.email)
        _refuse_masters(bool(draft.masters))


def check_patch(zone: Zone, patch: ZonePatch) -> None:
    """Check that a change sets only members that the zone's type has.

    Raises:
        InvalidObject: A member is missing, or not allowed.
    """
    if zone.type == ZoneType.SECONDARY:
        _refuse_for_secondary(email=patch.email is not UNSET, ttl=patch.ttl is not UNSET)
        if patch.masters is not UNSET and not patch.masters:
            raise _missing_member("masters", ["masters"])
        return
    if patch.email is not UNSET:
        _check_email(patch.email)
    _refuse_masters(patch.masters is not UNSET and bool(patch.masters))


def check_masters(rules: PrimaryRules, masters: Sequence[PrimaryAddress]) -> None:
    """Check that the service may connect to the masters that a tenant named; names are not looked up.

    Raises:
        InvalidObject: A master is not permitted, with its place in the list.
    """
    reasons = []
    for place, master in enumerate(masters):
        try:
            rules.check(master.host, master.port)
        except RefusedPrimary as error:
            text = f"'{master.host}' cannot be a master: {error}"
            reasons.append(Reason(("masters", place), text, "format", "master"))
    if reasons:
        raise errors.InvalidObject(reasons=tuple(reasons))


def _missing_member(name: str, value: str | list[str]) -> errors.InvalidObject:
    message = f"'{name}' is a required property"
    return errors.InvalidObject(reasons=(Reason(("type", name), message, "required", value),))


def _refuse_for_secondary(**given: bool) -> None:
    reasons = tuple(
        Reason(
            ("type",), f"'{name}' can't be specified when type is SECONDARY", "not_allowed", name
        )
        for name, is_given in given.items()
        if is_given
    )
    if reasons:
        raise errors.InvalidObject(reasons=reasons)


def _refuse_masters(given: bool) -> None:
    if given:
        raise errors.InvalidObject(
            reasons=(
                Reason(
                    ("type",),
                    "'masters' has more items than allowed: only a SECONDARY zone has some",
                    "maxItems",
                    ["masters"],
                ),
            )
        )


def _check_email(email: str) -> None:
    if not rrtypes.is_email(email):
        raise errors.InvalidObject(f"Value '{email}' in the field 'email' is not an email address")
    try:
        names.to_wire(mailboxes.rname(email))
    except ValueError:
        raise errors.InvalidObject(
            f"Value '{email}' in the field 'email' cannot be written as a domain name"
        ) from None
