"""Record types as declarations, and the two sets of rules for their data.

Data that clients send is accepted in the forms of master files and in the forms that Designate's clients
write (`master_form`), unless `check_api` refuses it. Data of zone files and transfers has the form of
master files and only needs what the wire needs. Both end as wire form, after `check_rdata` has refused what
nameservers reject: only wire form is ever transferred, so no stored record can break a zone.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, NamedTuple

import dns.exception
import dns.name
import dns.rdata

from designate.rrtypes.grammar import check_name, is_domain, is_host
from designate.wire import names, presentation, types

# A record must fit into one message, with the header (12 bytes), the question (259), the owner (255),
# type, class, TTL and length (10) and a signature (512, RFC 8945).
MAX_RDATA_BYTES = 65535 - 12 - 259 - 255 - 10 - 512
SURROGATE = re.compile(r"[\ud800-\udfff]")
# A backslash that is neither before three digits up to 255 nor before another character.
WRONG_ESCAPE = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?![01][0-9]{2}|2[0-4][0-9]|25[0-5]|[^0-9])", re.DOTALL
)
# The form that every type has (RFC 3597 section 5).
GENERIC = re.compile(r"\\#[\s(]+(?:0[\s)]*|[0-9]+[\s()]+[0-9A-Fa-f][0-9A-Fa-f\s()]*)")

# What nameservers need of types that dnspython accepts with less.
_MIN_BYTES = {
    "NSAP": 1, "OPENPGPKEY": 1, "DHCID": 1, "DNSKEY": 5, "CDNSKEY": 5, "IPSECKEY": 4, "TLSA": 4,
    "SMIMEA": 4, "RRSIG": 20, "NSEC": 4,
}  # fmt: skip


class FormError(ValueError):
    """Raised for a text that is not in the form of its type; the reason says what the form is."""


class WireData(NamedTuple):
    """A record's data in wire form.

    Attributes:
        wire: without compression.
        identity: with names in lower case (RFC 4034 section 6.2); equal for the same data in DNS.
    """

    wire: bytes
    identity: bytes


class RRType:
    """One record type. Stateless, so one instance serves all threads.

    Attributes:
        type: name of the type.
        permits_outer_space: whether clients may write white space before and after the data.
    """

    type: ClassVar[str] = ""
    permits_outer_space: ClassVar[bool] = False

    @property
    def info(self) -> types.TypeInfo:
        """The type in the list of all types."""
        return types.BY_NAME[self.type]

    @property
    def name(self) -> str:
        """The name of the type."""
        return self.info.name

    @property
    def code(self) -> int:
        """The number of the type."""
        return self.info.number

    @property
    def rfc(self) -> str:
        """Where the type is defined."""
        return self.info.reference

    @property
    def is_structured(self) -> bool:
        """Whether data of the type is more than bytes."""
        return self.info.form != types.UNNAMED_FORM

    # -- what a type may declare -------------------------------------------------------------------

    def check_owner(self, name: str) -> None:
        """Raise InvalidObject (or BadRequest) unless a recordset of this type may have the name."""
        check_name(name, is_host, "Host")

    def fast(self, text: str) -> WireData | None:  # noqa: ARG002 - part of the interface
        """Return the wire form of a frequent text that needs no further check; None for others."""
        return None

    def master_form(self, text: str) -> str:
        """Return a client's text in the form of master files (RFC 1035 section 5.1).

        Raises:
            ValueError: It has neither that form nor one that clients may write; FormError for the form.
        """
        return text

    def parse(self, text: str) -> dns.rdata.Rdata:
        """Parse the master-file form; raises ValueError or dnspython's exceptions."""
        return presentation.parse_text(self.code, text)

    def check_api(self, rdata: Any, owner: str) -> None:
        """Raise ValueError for data that the wire permits and clients may not send."""

    def check_rdata(self, rdata: Any) -> None:
        """Raise ValueError for data that nameservers reject although dnspython accepts it."""

    def check_wire(self, wire: bytes) -> None:
        """Raise ValueError for data in wire form that nameservers reject; it can be parsed."""
        self._check_size(wire)
        # Parsing again takes most of the time of an import, and few types need it.
        if type(self).check_rdata is not RRType.check_rdata:
            self._check(presentation.parse_wire(self.code, wire), wire)

    def reason_for_bytes(self, wire: bytes) -> str:  # noqa: ARG002 - part of the interface
        """Return why a client may not send data that only the wire permits."""
        return f"the form is: {self.info.form}"

    # -- what the rest of the project uses ---------------------------------------------------------

    def from_client(self, text: str, owner: str) -> WireData:
        """Return the wire form of a client's text; raises ValueError with the reason."""
        found = self.fast(text)
        if found is None:
            rdata, wire = self._parse_client(text)
            if isinstance(rdata, dns.rdata.GenericRdata) and self.is_structured:
                raise FormError(self.reason_for_bytes(wire))
            self.check_api(rdata, owner)
            found = self._checked(rdata, wire)
        return found

    def from_master(self, text: str) -> WireData:
        """Return the wire form of a text in master-file form; raises ValueError with the reason."""
        return self.fast(text) or self._checked(*self._to_wire(text))

    def _parse_client(self, text: str) -> tuple[dns.rdata.Rdata, bytes]:
        if text != text.strip() and not self.permits_outer_space:
            raise FormError(f"remove the white space at its ends; the form is: {self.info.form}")
        if GENERIC.fullmatch(text):
            # A known type's text, or the text itself if the type has no other.
            return self._to_wire(text)
        return self._to_wire(self.master_form(text))

    def _to_wire(self, text: str) -> tuple[dns.rdata.Rdata, bytes]:
        try:
            rdata = self.parse(text)
            wire = rdata.to_wire() or b""
            reparsed = presentation.parse_wire(self.code, wire).to_wire()
        except FormError:
            raise
        except dns.exception.SyntaxError as error:
            reason = _explain(error, text)
            raise ValueError(f"{reason}; the form is: {self.info.form}") from None
        except presentation.MALFORMED as error:
            raise ValueError(_explain(error, text)) from None
        if reparsed != wire:
            raise ValueError("it reads back differently")
        return rdata, wire

    def _checked(self, rdata: dns.rdata.Rdata, wire: bytes) -> WireData:
        self._check(rdata, wire)
        return WireData(wire, presentation.identity_of(rdata))

    def _check_size(self, wire: bytes) -> None:
        if len(wire) > MAX_RDATA_BYTES:
            raise ValueError(f"its {len(wire)} bytes do not fit into a DNS message")
        if len(wire) < _MIN_BYTES.get(self.name, 0):
            raise ValueError(f"it is not complete; the form is: {self.info.form}")

    def _check(self, rdata: dns.rdata.Rdata, wire: bytes) -> None:
        self._check_size(wire)
        # Bytes were checked where they were taken as such.
        if not (self.is_structured and isinstance(rdata, dns.rdata.GenericRdata)):
            self.check_rdata(rdata)


def _explain(error: Exception, text: str) -> str:
    if SURROGATE.search(text):
        return "it is not sound Unicode text"
    if WRONG_ESCAPE.search(text):
        return "a backslash is followed by three digits up to 255 or by one other character"
    if isinstance(error, dns.exception.UnexpectedEnd):
        return "a quoted string has no end"
    if isinstance(error, dns.name.NeedAbsoluteNameOrOrigin):
        return "end the name with a dot"
    return " ".join(str(error).split()) or type(error).__name__


class NameType(RRType):
    """A type whose data is one domain name."""

    def fast(self, text: str) -> WireData | None:
        if not is_domain(text):
            return None
        # Label lengths are below 64, so lower() changes only letters.
        wire = names.to_wire(text)
        return WireData(wire, wire.lower())


class TargetType(NameType):
    """A type whose name must be that of something: the root is refused."""

    def check_api(self, rdata: Any, owner: str) -> None:  # noqa: ARG002 - part of the interface
        if rdata.target == dns.name.root:
            raise ValueError("the root cannot be its target")


class Opaque(RRType):
    """A type without a name, whose data are bytes (RFC 3597)."""

    def __init__(self, number: int) -> None:
        self._info = types.TypeInfo(
            number, types.name_of(number), types.Kind.DATA, "RFC 3597", types.UNNAMED_FORM
        )

    @property
    def info(self) -> types.TypeInfo:
        """The type, as others are in the list of all types."""
        return self._info

    def check_rdata(self, rdata: Any) -> None:
        # Nameservers may know a type that has no name here, and then refuse what is not in its form.
        minimum = _MIN_OPAQUE_BYTES.get(self.code, 0)
        if len(rdata.data) < minimum:
            raise ValueError(f"nameservers that know the type need at least {minimum} bytes")
        try:
            dns.rdata.from_wire(rdata.rdclass, rdata.rdtype, rdata.data, 0, len(rdata.data))
        except presentation.MALFORMED:
            raise ValueError("it is not in the form of the type with this number") from None


# The smallest data of types that dnspython does not know and BIND does.
_MIN_OPAQUE_BYTES = {
    31: 1,
    32: 1,
    34: 2,
    40: 3,
    57: 5,
    66: 5,
    67: 1,
    68: 1,
    259: 11,
    261: 1,
    262: 1,
}

REGISTRY: dict[str, RRType] = {}


def register(cls: type[RRType]) -> type[RRType]:
    """Add a record type to the registry; a class decorator."""
    if cls.type in REGISTRY:
        raise ValueError(f"{cls.type} is registered by {type(REGISTRY[cls.type])} and {cls}")
    REGISTRY[cls.type] = cls()
    return cls


def handler_of(name: str) -> RRType | None:
    """Return the rules of a type that zones may have, by its name; None for other types."""
    number = types.find_number(name)
    if number is None or types.kind_of(number) is types.Kind.META:
        return None
    return REGISTRY.get(types.name_of(number)) or Opaque(number)
