"""Where in a zone a recordset may stand, and what is stored and served of it."""

from __future__ import annotations

from collections.abc import Sequence

from designate import errors, rrtypes
from designate.central import zone_rules
from designate.central.base import Core
from designate.model.recordsets import RecordSet, RecordSetDraft
from designate.model.zones import Zone
from designate.storage.sqlalchemy import recordsets
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.wire import names, rr


def check_name(core: Core, name: str, zone: Zone) -> None:
    longest = core.conf["service:central"].max_recordset_name_len
    if len(name) > longest:
        raise errors.BadRequest("Name too long", type="invalid_recordset_name")
    if not names.is_below(name, zone.name):
        raise errors.BadRequest(
            "RecordSet is not contained within its zone", type="invalid_recordset_location"
        )


def check_place(tx: Transaction, zone: Zone, draft: RecordSetDraft) -> None:
    """CNAME stands alone (RFC 1034 section 3.6.2), and what a child zone holds is its own. Raises
    Duplicate when the recordset is there."""
    if draft.type == "CNAME" and names.key(draft.name) == names.key(zone.name):
        raise misplaced("CNAME recordsets may not be created at the zone apex")
    cuts = zone_rules.between(draft.name, zone.name)
    there, covered = recordsets.at_name(tx, zone.id, draft.name, cuts)
    if draft.type == "CNAME" and there:
        raise misplaced("A CNAME recordset may not share its name with other recordsets")
    if "CNAME" in there:
        raise misplaced("There is a CNAME recordset of that name")
    if draft.type in there:
        raise errors.Duplicate("recordset")
    if covered:
        raise misplaced("RecordSet belongs in a child zone")


def check_cname(rtype: str, count: int) -> None:
    if rtype == "CNAME" and count > 1:
        raise errors.BadRequest("CNAME recordsets may not have more than 1 record")


def misplaced(message: str) -> errors.BadRequest:
    return errors.BadRequest(message, type="invalid_recordset_location")


def stored(recordset: RecordSet, rdatas: Sequence[bytes]) -> bytes:
    """What is stored: whole RRs, the TTL zero where the zone's is inherited."""
    rtype = rrtypes.numeric_type(recordset.type)
    return rr.rrset(recordset.name, recordset.zone_name, rtype, recordset.ttl, rdatas)


def served(wire: bytes, ttl: int | None, zone: Zone) -> bytes:
    """What is stored, with the TTL that nameservers see."""
    return rr.with_ttl(wire, zone.ttl) if ttl is None else wire
