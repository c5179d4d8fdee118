"""The registry of record types and the two gates that record data passes.

Gate 1 is the grammar that clients know, declared per type. Gate 2 is dnspython, from text to rdata
to wire and back, and what nameservers refuse beyond that. Only what passes both has a wire form,
and only wire is ever transferred, so no stored record can spoil a zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar, NamedTuple, NoReturn

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from designate import errors
from designate.errors import Reason
from designate.wire import names

MAX_NAME_CHARS = (
    254  # characters with the trailing dot, which is 255 bytes of wire (RFC 1035 2.3.4)
)
LONGEST_EMAIL = 255
# A record travels in one message: beside it stand the header (12 bytes), the question (259), the
# owner (255), type, class, TTL and length (10) and a signature (RFC 8945), for which 512 are kept.
LONGEST_RDATA = 65535 - 12 - 259 - 255 - 10 - 512
# An RRset is answered whole or not at all (RFC 2181 section 9), and nameservers refuse a zone with
# one that no message could hold. Here owners are pointers to the question's name.
LONGEST_RRSET = 65535 - 12 - 259 - 512
RR_BYTES = 2 + 10
LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
DOMAIN = re.compile(rf"(?:{LABEL}\.)+\Z")
HOST = re.compile(rf"(?:\*|{LABEL})\.(?:{LABEL}\.)*\Z")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")
# A backslash that is neither before three digits up to 255 nor before another character.
WRONG_ESCAPE = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?![01][0-9]{2}|2[0-4][0-9]|25[0-5]|[^0-9])", re.DOTALL
)


# -- names ------------------------------------------------------------------------------------------


def is_domain(name: str) -> bool:
    """Labels of letters, digits, `_` and inner `-`, each followed by a dot; at most 254 characters."""
    return len(name) <= MAX_NAME_CHARS and DOMAIN.match(name) is not None


def is_host(name: str) -> bool:
    """As a domain, but the first label may be exactly `*`."""
    return len(name) <= MAX_NAME_CHARS and HOST.match(name) is not None


def is_email(text: str) -> bool:
    """Exactly one `@`, in whose place a dot gives a domain (RFC 1035 section 8: RNAME)."""
    return (
        len(text) <= LONGEST_EMAIL
        and text.count("@") == 1
        and is_domain(text.replace("@", ".") + ".")
    )


def check_domain(name: str) -> None:
    """Raises InvalidObject, message shape, that says what is wrong with the name."""
    _check_name(name, is_domain, "Domain")


def _check_name(name: str, fits: Callable[[str], bool], kind: str) -> None:
    if fits(name):
        return
    shown = printable(name)
    if not name.endswith("."):
        raise errors.InvalidObject(f"{kind} '{shown}' does not end with a dot")
    if len(name) > MAX_NAME_CHARS:
        raise errors.InvalidObject(
            f"{kind} '{shown}' is too long: {len(name)} characters, at most {MAX_NAME_CHARS}"
        )
    raise errors.InvalidObject(f"{kind} '{shown}' is not a valid name")


def number(text: str, highest: int, *, canonical: bool = False) -> bool:
    """Decimal digits up to a value; canonical: no leading zeros."""
    if not (text.isascii() and text.isdigit()):
        return False
    digits = text.lstrip("0") or "0"
    if canonical and digits != text:
        return False
    return len(digits) <= len(str(highest)) and int(digits) <= highest


def printable(value: object) -> str:
    """A value as part of a message, which is always sound Unicode."""
    return str(value).encode("utf-8", "backslashreplace").decode()


# -- types ------------------------------------------------------------------------------------------


class Field(NamedTuple):
    """One field of a record's text and gate 1 for it."""

    name: str
    fits: Callable[[str], bool]


class Data(NamedTuple):
    """A record's data. wire: uncompressed. identity: equal for records that are the same to DNS,
    that is, with names in lower case (RFC 4034 section 6.2)."""

    wire: bytes
    identity: bytes


class RRType:
    """One record type. Stateless, so one instance serves all threads.

    type, code: its name and number. rfc: where it is defined. fields: gate 1 for each field, parted
    by single spaces; types with another grammar override `grammar`.
    """

    type: ClassVar[str]
    code: ClassVar[int]
    rfc: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()

    def check_owner(self, name: str) -> None:
        """Raises InvalidObject (or BadRequest) unless a recordset of this type may have the name."""
        _check_name(name, is_host, "Host")

    def grammar(self, text: str, owner: str) -> bool:
        """Gate 1: whether clients may write this."""
        parts = text.split(" ")
        return len(parts) == len(self.fields) and all(
            field.fits(part) for field, part in zip(self.fields, parts, strict=True)
        )

    def written(self, text: str, owner: str) -> bool:
        """Gate 1 for what a zone file holds, in dnspython's spelling."""
        return self.grammar(text, owner)

    def presentation(self, text: str) -> str:
        """The text in master-file form (RFC 1035 section 5.1). Raises ValueError."""
        return text

    def parse(self, text: str) -> dns.rdata.Rdata:
        """Master-file form to rdata. Raises ValueError, or what dnspython raises."""
        return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.RdataType(self.code), text)

    def examine(self, rdata: Any) -> None:
        """Raises ValueError over what nameservers refuse though dnspython reads it."""

    def data(self, text: str) -> Data:
        """Gate 2. Raises ValueError with the reason."""
        text = self.presentation(text)
        if CONTROL.search(text):
            raise ValueError("it holds a control character; write it as \\DDD, its decimal number")
        try:
            rdata = self.parse(text)
            wire = rdata.to_wire() or b""
            again = dns.rdata.from_wire(rdata.rdclass, rdata.rdtype, wire, 0, len(wire))
            # Their bytes, for to compare rdatas is to make the canonical form of each.
            same = again.to_wire() == wire == self.parse(again.to_text()).to_wire()
        except (dns.exception.DNSException, ValueError) as error:
            raise ValueError(_explain(error, text)) from None
        if not same:
            raise ValueError("it reads back differently")
        if len(wire) > LONGEST_RDATA:
            raise ValueError(f"its {len(wire)} bytes do not fit into a DNS message")
        self.examine(rdata)
        return Data(wire, rdata.to_digestable())


def _explain(error: Exception, text: str) -> str:
    if SURROGATE.search(text):
        return "it is not sound Unicode text"
    if WRONG_ESCAPE.search(text):
        return "a backslash is followed by three digits up to 255 or by one other character"
    if isinstance(error, dns.exception.UnexpectedEnd):
        return "a quoted string has no end"
    if isinstance(error, dns.name.NeedAbsoluteNameOrOrigin):
        return "a name does not end with a dot"
    return " ".join(str(error).split()) or type(error).__name__


class NameType(RRType):
    """A type whose data is one domain name."""

    fields = (Field("target", is_domain),)

    def data(self, text: str) -> Data:
        # Gate 1 has left nothing to interpret in a domain; lengths stay below 64, so lower() hits
        # letters only.
        wire = names.to_wire(text)
        return Data(wire, wire.lower())


REGISTRY: dict[str, RRType] = {}


def register(cls: type[RRType]) -> type[RRType]:
    if cls.type in REGISTRY:
        raise ValueError(f"{cls.type} is registered by {type(REGISTRY[cls.type])} and {cls}")
    REGISTRY[cls.type] = cls()
    return cls


# -- what callers ask -------------------------------------------------------------------------------


def numeric_type(rtype: str) -> int:
    """The number of a registered type (IANA, DNS resource record types)."""
    return _registered(rtype).code


def check_type(rtype: object, enabled: Collection[str]) -> None:
    """Raises InvalidObject unless this is a type that recordsets may have here."""
    if not isinstance(rtype, str) or rtype not in REGISTRY:
        _refuse_type(rtype, "valid")
    if rtype not in enabled:
        _refuse_type(rtype, "supported")


def check_owner(rtype: str, name: str) -> None:
    """Raises InvalidObject, message shape (TLSA: BadRequest), unless the name suits the type."""
    _registered(rtype).check_owner(name)


def master_form(rtype: str, texts: Sequence[str]) -> list[str]:
    """Accepted texts as a master file has them (RFC 1035 section 5.1): clients may leave out quotes and
    backslashes that its readers need. What they can read as it was written stays so."""
    handler = _registered(rtype)
    return [_written(handler, text) for text in texts]


def _written(handler: RRType, text: str) -> str:
    formed = handler.presentation(text)
    if formed == text:
        return text
    try:
        same = bool(handler.parse(text) == handler.parse(formed))
    except (dns.exception.DNSException, ValueError):
        return formed
    return text if same else formed


def rdata_from_zonefile(rtype: str, owner: str, records: Sequence[str]) -> tuple[bytes, ...]:
    """As rdata, for records of a zone file, which may be written in more ways."""
    handler = _registered(rtype)
    return _rdata(handler, owner, records, handler.written)


def rdata(rtype: str, owner: str, records: Sequence[str]) -> tuple[bytes, ...]:
    """The uncompressed wire form of each record, in order.

    Raises InvalidObject with a reason per bad record, path ("records", index); or with one, path
    ("records",), when they are too much together. Two texts of the same data are refused: an RRset
    holds no duplicates (RFC 2181 section 5).
    """
    handler = _registered(rtype)
    return _rdata(handler, owner, records, handler.grammar)


def _rdata(
    handler: RRType, owner: str, records: Sequence[str], gate: Callable[[str, str], bool]
) -> tuple[bytes, ...]:
    wires: list[bytes] = []
    seen: dict[bytes, int] = {}
    reasons: list[Reason] = []
    for index, text in enumerate(records):
        try:
            wire, identity = _read(handler, text, owner, gate)
            first = seen.setdefault(identity, index)
            if first != index:
                raise ValueError(f"it is the same data as record {first}")
            wires.append(wire)
        except ValueError as error:
            problem = f"'{printable(text)}' is not a '{handler.type}' Record"
            why = f": {printable(error)}" if error.args else ""
            reasons.append(Reason(("records", index), problem + why, "format", [handler.type]))
    size_bytes = sum(RR_BYTES + len(wire) for wire in wires)
    if not reasons and size_bytes > LONGEST_RRSET:
        problem = (
            f"the records are {size_bytes} bytes together; {LONGEST_RRSET} fit into a DNS message"
        )
        reasons.append(Reason(("records",), problem, "maxLength", LONGEST_RRSET))
    if reasons:
        raise errors.InvalidObject(reasons=tuple(reasons))
    return tuple(wires)


def _read(handler: RRType, text: object, owner: str, gate: Callable[[str, str], bool]) -> Data:
    """Raises ValueError: without arguments at gate 1, with the reason at gate 2."""
    if not isinstance(text, str) or not gate(text, owner):
        raise ValueError
    return handler.data(text)


def _registered(rtype: str) -> RRType:
    try:
        return REGISTRY[rtype]
    except KeyError:
        _refuse_type(rtype, "valid")


def _refuse_type(rtype: object, quality: str) -> NoReturn:
    problem = f"'{printable(rtype)}' is not a {quality} record type"
    raise errors.InvalidObject(reasons=(Reason(("recordset", "type"), problem, "value", [rtype]),))
