"""Classes of the types whose data dnspython has only as bytes; importing the module registers them.

With them the text of such types can be read and written everywhere, what nameservers could not load is
refused, and compression pointers in their data are expanded: a pointer is a position in the message in
which it arrives, and nameservers reject it in another one (RFC 3597 section 4).
"""

from __future__ import annotations

import sys
from typing import Any, Self

import dns.immutable
import dns.ipv6
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.RP
import dns.rdtypes.dnskeybase
import dns.rdtypes.dsbase
import dns.rdtypes.nsbase

from designate.wire import types


@dns.immutable.immutable
class MD(dns.rdtypes.nsbase.NSBase):
    """A mail destination (RFC 1035 section 3.3.4)."""


@dns.immutable.immutable
class MF(dns.rdtypes.nsbase.NSBase):
    """A mail forwarder (RFC 1035 section 3.3.5)."""


@dns.immutable.immutable
class MB(dns.rdtypes.nsbase.NSBase):
    """A mailbox (RFC 1035 section 3.3.3)."""


@dns.immutable.immutable
class MG(dns.rdtypes.nsbase.NSBase):
    """A member of a mail group (RFC 1035 section 3.3.6)."""


@dns.immutable.immutable
class MR(dns.rdtypes.nsbase.NSBase):
    """The new name of a mailbox (RFC 1035 section 3.3.8)."""


@dns.immutable.immutable
class MINFO(dns.rdtypes.ANY.RP.RP):
    """The mailboxes of a list (RFC 1035 section 3.3.7), two names as in an RP."""


@dns.immutable.immutable
class KEY(dns.rdtypes.dnskeybase.DNSKEYBase):
    """A public key (RFC 2535 section 3.1)."""


@dns.immutable.immutable
class TA(dns.rdtypes.dsbase.DSBase):
    """A trust anchor, in the form of a DS."""


@dns.immutable.immutable
class SIG(dns.rdata.GenericRdata):
    """A signature (RFC 2535 section 4.1), read as far as its signer's name reaches."""

    _BEFORE_NAME_BYTES = 18

    @classmethod
    def from_wire_parser(cls, rdclass: Any, rdtype: Any, parser: Any, _origin: Any = None) -> Self:
        """Parse the wire form; a compressed name is expanded (RFC 3597 section 4)."""
        before = parser.get_bytes(cls._BEFORE_NAME_BYTES)
        name = _expanded_name(parser).to_wire() or b""
        return cls(rdclass, rdtype, before + name + parser.get_remaining())


class _Own(dns.rdata.Rdata):
    """Base of the classes with a text of their own, which has one style only."""

    def to_text(self, *_args: Any, **_options: Any) -> str:
        raise NotImplementedError

    def to_styled_text(self, _style: Any) -> str:
        return self.to_text()


@dns.immutable.immutable
class A6(_Own):
    """The end of an IPv6 address, and the name that has its beginning (RFC 2874 section 3.1)."""

    __slots__ = ("address", "length", "prefix")

    def __init__(
        self, rdclass: Any, rdtype: Any, length: int, address: bytes, prefix: dns.name.Name | None
    ) -> None:
        super().__init__(rdclass, rdtype)
        if not 0 <= length <= 128:
            raise ValueError("the prefix length is above 128")
        if int.from_bytes(address) >> (128 - length):
            raise ValueError("the address has bits within its prefix")
        if (prefix is None) != (length == 0):
            raise ValueError("there is a prefix name if the prefix length is above 0")
        self.length = length
        self.address = address
        self.prefix = prefix

    def to_text(self, *_args: Any, **_options: Any) -> str:
        """Return the presentation form."""
        parts = [str(self.length)]
        if self.length < 128:
            parts.append(dns.ipv6.inet_ntoa(self.address))
        return " ".join(parts if self.prefix is None else [*parts, self.prefix.to_text()])

    @classmethod
    def from_text(
        cls, rdclass: Any, rdtype: Any, tok: Any, origin: Any = None, relativize: Any = True,
        relativize_to: Any = None,
    ) -> Self:  # fmt: skip
        """Parse the presentation form."""
        length = tok.get_uint8()
        address = bytes(16) if length == 128 else dns.ipv6.inet_aton(tok.get_identifier())
        prefix = tok.get_name(origin, relativize, relativize_to) if length else None
        return cls(rdclass, rdtype, length, address, prefix)

    def _to_wire(
        self, file: Any, _compress: Any = None, origin: Any = None, canonicalize: bool = False
    ) -> None:
        file.write(bytes((self.length,)) + self.address[self.length // 8 :])
        if self.prefix is not None:
            self.prefix.to_wire(file, None, origin, canonicalize)

    @classmethod
    def from_wire_parser(cls, rdclass: Any, rdtype: Any, parser: Any, origin: Any = None) -> Self:
        """Parse the wire form."""
        length = parser.get_uint8()
        if length > 128:
            raise ValueError("the prefix length is above 128")
        address = parser.get_bytes(16 - length // 8).rjust(16, b"\0")
        return cls(rdclass, rdtype, length, address, parser.get_name(origin) if length else None)


@dns.immutable.immutable
class NXT(_Own):
    """The next name of a zone, and the types at this one (RFC 2535 section 5.2)."""

    __slots__ = ("bitmap", "next")

    def __init__(self, rdclass: Any, rdtype: Any, next_name: dns.name.Name, bitmap: bytes) -> None:
        super().__init__(rdclass, rdtype)
        if not 1 <= len(bitmap) <= 16 or bitmap[0] & 0x80 or not bitmap[-1]:
            raise ValueError("its types are not those of numbers 1 to 127")
        self.next = next_name
        self.bitmap = bitmap

    def to_text(self, *_args: Any, **_options: Any) -> str:
        """Return the presentation form."""
        return " ".join((self.next.to_text(), *bitmap_names(0, self.bitmap)))

    @classmethod
    def from_text(
        cls, rdclass: Any, rdtype: Any, tok: Any, origin: Any = None, relativize: Any = True,
        relativize_to: Any = None,
    ) -> Self:  # fmt: skip
        """Parse the presentation form."""
        next_name = tok.get_name(origin, relativize, relativize_to)
        bits = bytearray(16)
        for token in tok.get_remaining():
            number = types.number_of(token.value.upper())
            if number > 127:
                raise ValueError("its types are not those of numbers 1 to 127")
            bits[number // 8] |= 0x80 >> number % 8
        return cls(rdclass, rdtype, next_name, bytes(bits).rstrip(b"\0"))

    def _to_wire(
        self, file: Any, _compress: Any = None, origin: Any = None, canonicalize: bool = False
    ) -> None:
        self.next.to_wire(file, None, origin, canonicalize)
        file.write(self.bitmap)

    @classmethod
    def from_wire_parser(cls, rdclass: Any, rdtype: Any, parser: Any, _origin: Any = None) -> Self:
        """Parse the wire form."""
        return cls(rdclass, rdtype, _expanded_name(parser), parser.get_remaining())


def _expanded_name(parser: Any) -> dns.name.Name:
    """Return the name at the parser's position, which may be compressed."""
    number = dns.rdatatype.RdataType.make(types.number_of("MB"))
    return MB.from_wire_parser(dns.rdataclass.IN, number, parser).target


def bitmap_names(block: int, bitmap: bytes) -> list[str]:
    """Return the names of the types in one window block of a bitmap (RFC 4034 section 4.1.2)."""
    return [
        types.name_of(block * 256 + at * 8 + bit)
        for at, octet in enumerate(bitmap)
        for bit in range(8)
        if octet & 0x80 >> bit
    ]


def _register() -> None:
    get_class: Any = dns.rdata.get_rdata_class
    for name in ("MD", "MF", "MB", "MG", "MR", "MINFO", "SIG", "KEY", "A6", "NXT", "TA"):
        number = dns.rdatatype.RdataType.make(types.number_of(name))
        known = get_class(dns.rdataclass.IN, number)
        if known is dns.rdata.GenericRdata:
            dns.rdata.register_type(sys.modules[__name__], number, name)


_register()
