"""Record types as declarations, and their two stages of validation.

The first stage is the input grammar: the texts that clients may write, declared per type. The second is
wire validation: dnspython parses the text, converts it to wire form and back, and the type checks what
nameservers reject beyond that. Only data that passes both has a wire form, and only wire form is ever
transferred, so no stored record can break a zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from designate.rrtypes.grammar import check_name, is_domain, is_host, printable
from designate.wire import names

# A record must fit into one message, with the header (12 bytes), the question (259), the owner (255),
# type, class, TTL and length (10) and a signature (512, RFC 8945).
MAX_RDATA_BYTES = 65535 - 12 - 259 - 255 - 10 - 512
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")
# A backslash that is neither before three digits up to 255 nor before another character.
WRONG_ESCAPE = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?![01][0-9]{2}|2[0-4][0-9]|25[0-5]|[^0-9])", re.DOTALL
)


class RecordField(NamedTuple):
    """One field of a record's text; `accepts` is its input grammar."""

    name: str
    accepts: Callable[[str], bool]


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
        code: number of the type.
        rfc: where the type is defined.
        fields: the fields, separated by single spaces; types with another grammar override `grammar`.
    """

    type: ClassVar[str]
    code: ClassVar[int]
    rfc: ClassVar[str]
    fields: ClassVar[tuple[RecordField, ...]] = ()

    def check_owner(self, name: str) -> None:
        """Raise InvalidObject (or BadRequest) unless a recordset of this type may have the name."""
        check_name(name, is_host, "Host")

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        """Return whether the input grammar accepts a client's text."""
        parts = text.split(" ")
        return len(parts) == len(self.fields) and all(
            field.accepts(part) for field, part in zip(self.fields, parts, strict=True)
        )

    def hint(self, text: str) -> str:
        """Return what to change in a text that `grammar` refuses; "" where that is not known."""
        parts = text.split(" ")
        if len(parts) != len(self.fields):
            return (
                f"the form is: {' '.join(f'<{f.name}>' for f in self.fields)}"
                if self.fields
                else ""
            )
        for field, part in zip(self.fields, parts, strict=True):
            if not field.accepts(part):
                if field.accepts(part + "."):
                    return f"end the {field.name} with a dot"
                return f"'{printable(part)}' is not a valid {field.name}"
        return ""

    def zonefile_grammar(self, text: str, owner: str) -> bool:
        """Return whether the input grammar accepts a zone file's text, in dnspython's spelling."""
        return self.grammar(text, owner)

    def presentation(self, text: str) -> str:
        """Return the text in master-file form (RFC 1035 section 5.1); raises ValueError."""
        return text

    def parse(self, text: str) -> dns.rdata.Rdata:
        """Parse the master-file form; raises ValueError or dnspython's exceptions."""
        return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.RdataType(self.code), text)

    def check_rdata(self, rdata: Any) -> None:
        """Raise ValueError for data that nameservers reject although dnspython accepts it."""

    def check_wire(self, wire: bytes) -> None:
        """Raise ValueError for data in wire form that nameservers reject."""
        if len(wire) > MAX_RDATA_BYTES:
            raise ValueError(f"its {len(wire)} bytes do not fit into a DNS message")
        if type(self).check_rdata is not RRType.check_rdata:
            rtype = dns.rdatatype.RdataType(self.code)
            self.check_rdata(dns.rdata.from_wire(dns.rdataclass.IN, rtype, wire, 0, len(wire)))

    def to_wire(self, text: str) -> WireData:
        """Validate the text by its wire form and return that; raises ValueError with the reason."""
        text = self.presentation(text)
        if CONTROL.search(text):
            raise ValueError("it holds a control character; write it as \\DDD, its decimal number")
        try:
            rdata = self.parse(text)
            wire = rdata.to_wire() or b""
            reparsed = dns.rdata.from_wire(rdata.rdclass, rdata.rdtype, wire, 0, len(wire))
            # Bytes, because comparing rdata objects makes the canonical form of each.
            same = reparsed.to_wire() == wire == self.parse(reparsed.to_text()).to_wire()
        except (dns.exception.DNSException, ValueError) as error:
            raise ValueError(_explain(error, text)) from None
        if not same:
            raise ValueError("it reads back differently")
        if len(wire) > MAX_RDATA_BYTES:
            raise ValueError(f"its {len(wire)} bytes do not fit into a DNS message")
        self.check_rdata(rdata)
        return WireData(wire, rdata.to_digestable())


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

    fields = (RecordField("target", is_domain),)

    def to_wire(self, text: str) -> WireData:
        """Convert the name directly: the input grammar permits no escapes in it."""
        # Label lengths are below 64, so lower() changes only letters.
        wire = names.to_wire(text)
        return WireData(wire, wire.lower())


REGISTRY: dict[str, RRType] = {}


def register(cls: type[RRType]) -> type[RRType]:
    """Add a record type to the registry; a class decorator."""
    if cls.type in REGISTRY:
        raise ValueError(f"{cls.type} is registered by {type(REGISTRY[cls.type])} and {cls}")
    REGISTRY[cls.type] = cls()
    return cls
