"""Record types of addresses: A and AAAA."""

from __future__ import annotations

import re
import socket
from typing import ClassVar

from designate.rrtypes.base import FormError, RRType, WireData, register
from designate.rrtypes.grammar import printable

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


class _Address(RRType):
    """An address, whose text is one word."""

    version: ClassVar[socket.AddressFamily]

    @classmethod
    def accepts(cls, text: str) -> bool:
        """Return whether the text is an address of this kind."""
        raise NotImplementedError

    def fast(self, text: str) -> WireData | None:
        # Addresses are the most frequent data.
        if not self.accepts(text):
            return None
        wire = socket.inet_pton(self.version, text)
        return WireData(wire, wire)

    def master_form(self, text: str) -> str:
        raise FormError(f"'{printable(text)}' is not a valid {self.info.form.strip('<>')}")


@register
class A(_Address):
    """An IPv4 address."""

    type = "A"
    version = socket.AF_INET

    @classmethod
    def accepts(cls, text: str) -> bool:
        return is_ipv4(text)


@register
class Aaaa(_Address):
    """An IPv6 address."""

    type = "AAAA"
    version = socket.AF_INET6

    @classmethod
    def accepts(cls, text: str) -> bool:
        return is_ipv6(text)
