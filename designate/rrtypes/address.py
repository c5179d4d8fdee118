"""Record types of addresses: A and AAAA."""

from __future__ import annotations

import re
import socket

from designate.rrtypes.base import RecordField, RRType, WireData, register

OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
IPV4 = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}\Z")
IPV6 = re.compile(r"[0-9A-Fa-f:.]{2,45}\Z")


def is_ipv4(text: str) -> bool:
    """Return whether the text has four decimal octets without leading zeros."""
    return IPV4.match(text) is not None


def is_ipv6(text: str) -> bool:
    """Return whether the text is an address (RFC 4291 section 2.2), without a zone id."""
    if IPV6.match(text) is None:
        return False
    try:
        socket.inet_pton(socket.AF_INET6, text)
    except OSError:
        return False
    return True


@register
class A(RRType):
    """An IPv4 address."""

    type = "A"
    code = 1
    rfc = "RFC 1035 section 3.4.1"
    fields = (RecordField("IPv4 address", is_ipv4),)

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        return is_ipv4(text)

    def to_wire(self, text: str) -> WireData:
        # A fast path, since addresses are the most frequent data.
        wire = socket.inet_pton(socket.AF_INET, text)
        return WireData(wire, wire)


@register
class Aaaa(RRType):
    """An IPv6 address."""

    type = "AAAA"
    code = 28
    rfc = "RFC 3596 section 2"
    fields = (RecordField("IPv6 address", is_ipv6),)

    def grammar(self, text: str, owner: str) -> bool:  # noqa: ARG002 - part of the interface
        return is_ipv6(text)

    def to_wire(self, text: str) -> WireData:
        wire = socket.inet_pton(socket.AF_INET6, text)
        return WireData(wire, wire)
