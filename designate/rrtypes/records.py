"""Operations on record types and data by the name of the type, for central."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import NoReturn

from designate import errors
from designate.errors import Reason
from designate.rrtypes.base import FormError, RRType, WireData, handler_of
from designate.rrtypes.grammar import printable
from designate.wire import types

# An RRset must fit into one message (RFC 2181 section 9), and nameservers reject a zone with a larger
# one. Owners are pointers to the question's name there.
MAX_RRSET_BYTES = 65535 - 12 - 259 - 512
RR_BYTES = 2 + 10
OPTION = "supported_record_type"


def numeric_type(rtype: str) -> int:
    """Return the number of a type that zones may have."""
    return _handler(rtype).code


def check_type(rtype: object, enabled: Collection[str], *, imported: bool = False) -> str:
    """Return the canonical name of a type that clients may use, such as A for TYPE1.

    Args:
        rtype: what the client wrote.
        enabled: names of the enabled types; TYPEn stands for all types without a name.
        imported: whether the records come from a file, which may have what signing made.

    Raises:
        InvalidObject: It is no type of records in zones, or made by signing, or not enabled.
    """
    name = types.canonical_name(rtype) if isinstance(rtype, str) else None
    if name is None or not isinstance(rtype, str):
        upper = isinstance(rtype, str) and types.canonical_name(rtype.upper()) is not None
        _refuse_type(rtype, "valid", "; write types in upper case" if upper else "")
    kind = types.kind_of(types.number_of(name))
    if kind is types.Kind.META:
        _refuse_type(rtype, "valid", ": it is for queries and messages, not for zones")
    if kind is types.Kind.SIGNING and imported:
        return name
    if kind is types.Kind.SIGNING:
        _refuse_type(rtype, "valid", ": signing makes such records, they can only be read")
    listed = name if name in types.BY_NAME else types.UNNAMED
    if not {name, listed} & _canonical_names(tuple(enabled)):
        _refuse_type(
            rtype, "supported", f"; {listed} is not in the option {OPTION} of this service"
        )
    return name


@lru_cache(maxsize=8)
def _canonical_names(names: tuple[str, ...]) -> frozenset[str]:
    upper = [name.strip().upper() for name in names]
    found = {types.canonical_name(name) or name for name in upper}
    return frozenset(types.UNNAMED if name == types.UNNAMED.upper() else name for name in found)


def check_owner(rtype: str, name: str) -> None:
    """Raise InvalidObject with a message (TLSA: BadRequest) unless the type permits the name."""
    _handler(rtype).check_owner(name)


def check_rdatas(rtype: str, rdatas: Sequence[bytes]) -> None:
    """Check data in wire form, of whatever presentation, for what nameservers reject.

    Raises:
        InvalidObject: As rdata().
    """
    handler = _handler(rtype)
    reasons: list[Reason] = []
    for index, wire in enumerate(rdatas):
        try:
            handler.check_wire(wire)
        except ValueError as error:
            problem = f"the {rtype} record is not valid: {error}"
            reasons.append(Reason(("records", index), problem, "format", [rtype]))
    _check_size(rdatas, reasons)


def rdata(
    rtype: str, owner: str, records: Sequence[str], known: Collection[str] = ()
) -> tuple[bytes, ...]:
    """Return the uncompressed wire form of each record of a client, in order.

    Two texts of the same data are rejected, since an RRset has no duplicates (RFC 2181 section 5).

    Args:
        rtype: the canonical name of the type.
        owner: the recordset's name.
        records: the texts.
        known: texts that the recordset has already. They may stay, also those that came from a zone file
            or a transfer and that clients may not send otherwise.

    Raises:
        InvalidObject: with a reason per invalid record, path ("records", index), or with one reason,
            path ("records",), when the records are too large in total.
    """
    handler = _handler(rtype)

    def read(text: str) -> WireData:
        try:
            return handler.from_client(text, owner)
        except (ValueError, errors.InvalidObject):
            if text not in known:
                raise
            return handler.from_master(text)

    return _rdata(handler, records, read)


def _rdata(
    handler: RRType, records: Sequence[str], read: Callable[[str], WireData]
) -> tuple[bytes, ...]:
    wires: list[bytes] = []
    seen: dict[bytes, int] = {}
    reasons: list[Reason] = []
    for index, text in enumerate(records):
        try:
            wire, identity = _read(text, read)
            first = seen.setdefault(identity, index)
            if first != index:
                raise ValueError(f": it is the same data as record {first}")
            wires.append(wire)
        except ValueError as error:
            problem = f"'{printable(text)}' is not a '{handler.name}' Record{printable(error)}"
            reasons.append(Reason(("records", index), problem, "format", [handler.name]))
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


def _read(text: object, read: Callable[[str], WireData]) -> WireData:
    """Return the wire form; raises ValueError with the end of the sentence that names the record."""
    if not isinstance(text, str):
        raise ValueError
    try:
        return read(text)
    except FormError as error:
        raise ValueError(f"; {error}") from None
    except ValueError as error:
        raise ValueError(f": {error}" if error.args else "") from None


def _handler(rtype: str) -> RRType:
    found = handler_of(rtype)
    if found is None:
        _refuse_type(rtype, "valid")
    return found


def _refuse_type(rtype: object, quality: str, reason: str = "") -> NoReturn:
    problem = f"'{printable(rtype)}' is not a {quality} record type{reason}"
    raise errors.InvalidObject(reasons=(Reason(("recordset", "type"), problem, "value", [rtype]),))
