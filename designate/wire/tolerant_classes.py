"""Classes of types whose dnspython class refuses data that nameservers load; importing registers them.

Such data is legal on the wire, and zones have it: it is taken from files and transfers as bytes
(GenericRdata), after a check of what all nameservers need. What has dnspython's form stays dnspython's.
"""

from __future__ import annotations

from typing import Any

import dns.exception
import dns.immutable
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.AMTRELAY
import dns.rdtypes.ANY.DLV
import dns.rdtypes.ANY.DS
import dns.rdtypes.ANY.GPOS
import dns.rdtypes.ANY.LOC
import dns.rdtypes.ANY.SMIMEA
import dns.rdtypes.ANY.TLSA
import dns.rdtypes.ANY.URI
import dns.rdtypes.ANY.ZONEMD
import dns.rdtypes.IN.HTTPS
import dns.rdtypes.IN.SVCB
import dns.tokenizer
import dns.wire

from designate.wire import types

_MALFORMED = (dns.exception.DNSException, ValueError, IndexError)
_ECH = 5
_MIN_ZONEMD_DIGEST_BYTES = 12
_ZONEMD_DIGEST_BYTES = {1: 48, 2: 64}


class _Tolerant(dns.rdata.Rdata):
    """Makes a class of dnspython return bytes for data that it refuses and nameservers load."""

    __slots__ = ()

    @classmethod
    def is_loadable(cls, data: bytes) -> bool:
        """Return whether nameservers load data that dnspython refuses."""
        raise NotImplementedError

    @classmethod
    def from_wire_parser(cls, rdclass: Any, rdtype: Any, parser: Any, origin: Any = None) -> Any:
        """Parse the wire form."""
        start = parser.current
        try:
            return super().from_wire_parser(rdclass, rdtype, parser, origin)
        except _MALFORMED:
            parser.seek(start)
            data = parser.get_remaining()
            if not cls.is_loadable(data):
                raise
            return dns.rdata.GenericRdata(rdclass, rdtype, data)


class _TolerantHash(_Tolerant):
    """Takes hashes of any length (RFC 6698 has no rule for servers)."""

    __slots__ = ()

    @classmethod
    def is_loadable(cls, data: bytes) -> bool:
        """Return whether there is some data."""
        return len(data) > 3

    @classmethod
    def from_text(cls, rdclass: Any, rdtype: Any, tok: Any, *_: Any, **_names: Any) -> Any:
        """Parse the presentation form."""
        numbers = bytes(tok.get_uint8() for _ in range(3))
        data = numbers + bytes.fromhex(tok.concatenate_remaining_identifiers())
        return dns.rdata.from_wire(rdclass, rdtype, data, 0, len(data))


class _TolerantDigest(_Tolerant):
    """Takes the reserved digest type 0."""

    __slots__ = ()

    @classmethod
    def is_loadable(cls, data: bytes) -> bool:
        """Return whether there is a digest of type 0."""
        return len(data) > 4 and data[3] == 0


class _TolerantBinding(_Tolerant):
    """Takes parameters in AliasMode, which clients ignore (RFC 9460 section 2.4.2), and any ech."""

    __slots__ = ()

    @classmethod
    def is_loadable(cls, data: bytes) -> bool:
        """Return whether it is sound but for these two."""
        try:
            _, used = dns.name.from_wire(data, 2)
            head = 2 + used
            sound = b"\0\1" + data[2:head] + b"".join(_parameters_but_ech(data[head:]))
            parser = dns.wire.Parser(sound)
            number = dns.rdatatype.RdataType.make(types.number_of(cls.__name__))
            super(_Tolerant, cls).from_wire_parser(dns.rdataclass.IN, number, parser)
        except _MALFORMED:
            return False
        return True

    @classmethod
    def from_text(cls, rdclass: Any, rdtype: Any, tok: Any, *args: Any, **names: Any) -> Any:
        """Parse the presentation form."""
        priority = tok.get_uint16()
        # In AliasMode dnspython refuses parameters.
        tok.unget(dns.tokenizer.Token(dns.tokenizer.IDENTIFIER, str(priority or 1)))
        rdata = super().from_text(rdclass, rdtype, tok, *args, **names)
        if priority:
            return rdata
        data = b"\0\0" + (rdata.to_wire() or b"")[2:]
        return dns.rdata.from_wire(rdclass, rdtype, data, 0, len(data))


def _parameters_but_ech(data: bytes) -> list[bytes]:
    found = []
    while data:
        end = 4 + int.from_bytes(data[2:4])
        if len(data) < end:
            raise ValueError("a parameter has no end")
        if int.from_bytes(data[:2]) != _ECH:
            found.append(data[:end])
        data = data[end:]
    return found


@dns.immutable.immutable
class TLSA(_TolerantHash, dns.rdtypes.ANY.TLSA.TLSA):
    """The certificate of a TLS server."""


@dns.immutable.immutable
class SMIMEA(_TolerantHash, dns.rdtypes.ANY.SMIMEA.SMIMEA):
    """The certificate of a person's mail."""


@dns.immutable.immutable
class DS(_TolerantDigest, dns.rdtypes.ANY.DS.DS):
    """A digest of a child's key."""


@dns.immutable.immutable
class DLV(_TolerantDigest, dns.rdtypes.ANY.DLV.DLV):
    """A digest of a key for lookaside validation."""


@dns.immutable.immutable
class SVCB(_TolerantBinding, dns.rdtypes.IN.SVCB.SVCB):
    """The endpoint of a service."""


@dns.immutable.immutable
class HTTPS(_TolerantBinding, dns.rdtypes.IN.HTTPS.HTTPS):
    """The endpoint of an HTTPS service."""


@dns.immutable.immutable
class ZONEMD(_Tolerant, dns.rdtypes.ANY.ZONEMD.ZONEMD):
    """A digest of a zone."""

    @classmethod
    def is_loadable(cls, data: bytes) -> bool:
        """Return whether there is a digest, whatever the scheme."""
        size = len(data) - 6
        return size >= _MIN_ZONEMD_DIGEST_BYTES and size == _ZONEMD_DIGEST_BYTES.get(data[5], size)


@dns.immutable.immutable
class URI(_Tolerant, dns.rdtypes.ANY.URI.URI):
    """A URI."""

    @classmethod
    def is_loadable(cls, data: bytes) -> bool:
        """Return whether the target may be missing."""
        return len(data) > 3


@dns.immutable.immutable
class LOC(_Tolerant, dns.rdtypes.ANY.LOC.LOC):
    """A location."""

    @classmethod
    def is_loadable(cls, data: bytes) -> bool:
        """Return whether the version is another one (RFC 1876 section 2)."""
        return data[:1] not in (b"", b"\0")


@dns.immutable.immutable
class AMTRELAY(_Tolerant, dns.rdtypes.ANY.AMTRELAY.AMTRELAY):
    """A multicast relay."""

    @classmethod
    def is_loadable(cls, data: bytes) -> bool:
        """Return whether the type of the relay is one without a meaning yet (RFC 8777 section 4.2.3)."""
        return len(data) > 1 and data[1] & 0x7F > 3


@dns.immutable.immutable
class GPOS(_Tolerant, dns.rdtypes.ANY.GPOS.GPOS):
    """A position."""

    @classmethod
    def is_loadable(cls, data: bytes) -> bool:
        """Return whether these are three strings."""
        position = 0
        for _ in range(3):
            position += 1 + (data[position] if position < len(data) else len(data))
        return position == len(data)


def _register() -> None:
    # Types that dnspython has a class for cannot be registered; its table of classes can be filled.
    classes: dict[Any, Any] = dns.rdata._rdata_classes
    for known in (TLSA, SMIMEA, DS, DLV, SVCB, HTTPS, ZONEMD, URI, LOC, AMTRELAY, GPOS):
        number = dns.rdatatype.RdataType.make(types.number_of(known.__name__))
        classes[dns.rdataclass.IN, number] = known


_register()
