"""Rules for recordsets: names and locations in a zone, and the stored and the served wire form."""

from __future__ import annotations

from collections.abc import Sequence

from designate import errors, rrtypes
from designate.central import zone_rules
from designate.central.base import Core
from designate.model.recordsets import RecordSet, RecordSetDraft
from designate.model.zones import Zone
from designate.storage.sqlalchemy import recordsets
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.wire import names, rr

# A CNAME would hide the zone's SOA; a DS belongs to the parent (RFC 4035 section 2.4).
NOT_AT_APEX = frozenset(("CNAME", "DS"))
# RFC 1034 section 3.6.2, RFC 6672 section 2.4, RFC 2535 section 5.1.
SINGLE = frozenset(("CNAME", "DNAME", "NXT"))


def check_name(core: Core, name: str, zone: Zone) -> None:
    """Check the name's length and that it is in the zone.

    Raises:
        BadRequest: It is too long, or outside the zone.
    """
    if len(name) > core.conf["service:central"].max_recordset_name_len:
        raise errors.BadRequest("Name too long", type="invalid_recordset_name")
    if not names.is_below(name, zone.name):
        raise errors.BadRequest(
            f"RecordSet is not contained within its zone: its name must end with {zone.name}",
            type="invalid_recordset_location",
        )


def check_location(tx: Transaction, zone: Zone, draft: RecordSetDraft) -> None:
    """Check a new recordset against the zone's other recordsets and its child zones.

    A CNAME must be the only recordset at its name (RFC 1034 section 3.6.2), and nothing is below a DNAME
    (RFC 6672 section 2.4).

    Raises:
        BadRequest: The recordset cannot be at that name; the type is invalid_recordset_location.
        Duplicate: The zone has such a recordset already.
    """
    at_apex = names.key(draft.name) == names.key(zone.name)
    if draft.type in NOT_AT_APEX and at_apex:
        raise location_error(f"{draft.type} recordsets may not be created at the zone apex")
    found = find_at_name(tx, zone, draft.name)
    if draft.type == "CNAME" and found.ids:
        raise location_error("A CNAME recordset may not share its name with other recordsets")
    if "CNAME" in found.ids:
        raise location_error("There is a CNAME recordset of that name")
    if draft.type in found.ids:
        raise errors.Duplicate("recordset")
    if found.covered:
        raise location_error("RecordSet belongs in a child zone")
    if found.below_dname:
        raise location_error("A DNAME recordset above the name redirects it")
    if draft.type == "DNAME" and recordsets.has_names_below(tx, zone.id, draft.name):
        raise location_error("There are recordsets below the name, which a DNAME would redirect")


def find_at_name(tx: Transaction, zone: Zone, name: str) -> recordsets.AtName:
    """Return what the zone has at a name, and what is above it."""
    points = zone_rules.delegation_points(name, zone.name)
    above = [*points[1:], zone.name] if points else []
    return recordsets.find_at_name(tx, zone.id, name, points, above)


def check_single(rtype: str, count: int) -> None:
    """Raise BadRequest for more than one record of a type that has one only."""
    if rtype in SINGLE and count > 1:
        raise errors.BadRequest(f"{rtype} recordsets may not have more than 1 record")


def location_error(message: str) -> errors.BadRequest:
    """Return the error for a recordset that cannot be at its name."""
    return errors.BadRequest(message, type="invalid_recordset_location")


def stored_wire(recordset: RecordSet, rdatas: Sequence[bytes]) -> bytes:
    """Return the RRs as stored, with TTL 0 if the recordset inherits the zone's TTL."""
    rtype = rrtypes.numeric_type(recordset.type)
    return rr.rrset(recordset.name, recordset.zone_name, rtype, recordset.ttl, rdatas)


def served_wire(wire: bytes, ttl: int | None, zone: Zone) -> bytes:
    """Return the stored RRs with the TTL that nameservers serve; ttl is the recordset's own."""
    return rr.with_ttl(wire, zone.ttl) if ttl is None else wire
