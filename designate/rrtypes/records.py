"""Operations on record types and data by the name of the type, for central."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NoReturn

import dns.exception

from designate import errors
from designate.errors import Reason
from designate.rrtypes.base import REGISTRY, RRType, WireData
from designate.rrtypes.grammar import printable

# An RRset must fit into one message (RFC 2181 section 9), and nameservers reject a zone with a larger
# one. Owners are pointers to the question's name there.
MAX_RRSET_BYTES = 65535 - 12 - 259 - 512
RR_BYTES = 2 + 10


def numeric_type(rtype: str) -> int:
    """Return the number of a registered type (IANA, DNS resource record types)."""
    return _registered(rtype).code


def check_type(rtype: object, enabled: Collection[str]) -> None:
    """Raise InvalidObject unless the type is registered and enabled."""
    if not isinstance(rtype, str) or rtype not in REGISTRY:
        upper = isinstance(rtype, str) and rtype.upper() in REGISTRY
        _refuse_type(rtype, "valid", "; write types in upper case" if upper else "")
    if rtype not in enabled:
        _refuse_type(rtype, "supported")


def check_owner(rtype: str, name: str) -> None:
    """Raise InvalidObject with a message (TLSA: BadRequest) unless the type permits the name."""
    _registered(rtype).check_owner(name)


def master_form(rtype: str, texts: Sequence[str]) -> list[str]:
    """Return accepted texts in master-file form (RFC 1035 section 5.1).

    Clients may omit quotes and backslashes that master files need. A text that has the same meaning in a
    master file is not changed.
    """
    handler = _registered(rtype)
    return [_master_form(handler, text) for text in texts]


def _master_form(handler: RRType, text: str) -> str:
    formed = handler.presentation(text)
    if formed == text:
        return text
    try:
        same = bool(handler.parse(text) == handler.parse(formed))
    except (dns.exception.DNSException, ValueError):
        return formed
    return text if same else formed


def rdata_from_zonefile(rtype: str, owner: str, records: Sequence[str]) -> tuple[bytes, ...]:
    """Return the wire form of records of a zone file, whose grammar permits more; else as rdata()."""
    handler = _registered(rtype)
    return _rdata(handler, owner, records, handler.zonefile_grammar)


def check_rdatas(rtype: str, rdatas: Sequence[bytes]) -> None:
    """Check data in wire form, of whatever presentation, for what nameservers reject.

    Raises:
        InvalidObject: As rdata().
    """
    handler = _registered(rtype)
    reasons: list[Reason] = []
    for index, wire in enumerate(rdatas):
        try:
            handler.check_wire(wire)
        except ValueError as error:
            problem = f"the {rtype} record is not valid: {error}"
            reasons.append(Reason(("records", index), problem, "format", [rtype]))
    _check_size(rdatas, reasons)


def rdata(rtype: str, owner: str, records: Sequence[str]) -> tuple[bytes, ...]:
    """Return the uncompressed wire form of each record, in order.

    Two texts of the same data are rejected, since an RRset has no duplicates (RFC 2181 section 5).

    Raises:
        InvalidObject: with a reason per invalid record, path ("records", index), or with one reason,
            path ("records",), when the records are too large in total.
    """
    handler = _registered(rtype)
    return _rdata(handler, owner, records, handler.grammar)


def _rdata(
    handler: RRType, owner: str, records: Sequence[str], accepts: Callable[[str, str], bool]
) -> tuple[bytes, ...]:
    wires: list[bytes] = []
    seen: dict[bytes, int] = {}
    reasons: list[Reason] = []
    for index, text in enumerate(records):
        try:
            wire, identity = _validate(handler, text, owner, accepts)
            first = seen.setdefault(identity, index)
            if first != index:
                raise ValueError(f": it is the same data as record {first}")
            wires.append(wire)
        except ValueError as error:
            problem = f"'{printable(text)}' is not a '{handler.type}' Record{printable(error)}"
            reasons.append(Reason(("records", index), problem, "format", [handler.type]))
    _check_size(wires, reasons)
    return tuple(wires)


def _check_size(wires: Sequence[bytes], reasons: list[Reason]) -> None:
    """Raise InvalidObject for reasons found before, or else for records that are too large together."""
    size_bytes = sum(RR_BYTES + len(wire) for wire in wires)
    if not reasons and size_bytes > MAX_RRSET_BYTES:
        problem = (
            f"the records are {size_bytes} bytes together; {MAX_RRSET_BYTES} fit into a DNS message"
        )
        reasons.append(Reason(("records",), problem, "maxLength", MAX_RRSET_BYTES))
    if reasons:
        raise errors.InvalidObject(reasons=tuple(reasons))


def _validate(
    handler: RRType, text: object, owner: str, accepts: Callable[[str, str], bool]
) -> WireData:
    """Apply both stages; raises ValueError with the end of the sentence that names the record."""
    if not isinstance(text, str):
        raise ValueError
    if not accepts(text, owner):
        hint = handler.hint(text)
        raise ValueError(f"; {hint}" if hint else "")
    try:
        return handler.to_wire(text)
    except ValueError as error:
        raise ValueError(f": {error}" if error.args else "") from None


def _registered(rtype: str) -> RRType:
    try:
        return REGISTRY[rtype]
    except KeyError:
        _refuse_type(rtype, "valid")


def _refuse_type(rtype: object, quality: str, advice: str = "") -> NoReturn:
    problem = f"'{printable(rtype)}' is not a {quality} record type{advice}"
    raise errors.InvalidObject(reasons=(Reason(("recordset", "type"), problem, "value", [rtype]),))
