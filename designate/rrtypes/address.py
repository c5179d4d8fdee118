"""Addresses: A and AAAA."""

from __future__ import annotations

import re
import socket

from designate.rrtypes.base import RRType, register

OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
IPV4 = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}\Z")


def is_ipv4(text: str) -> bool:
    return IPV4.match(text) is not None


def is_ipv6(text: str) -> bool:
    if not text.isascii() or "%" in text or "\x00" in text:
        return False
    try:
        socket.inet_pton(socket.AF_INET6, text)
    except OSError:
        return False
    return True


@register
class A(RRType):
    type = "A"
    code = 1
    rfc = "RFC 1035 section 3.4.1"

    def grammar(self, text: str, owner: str) -> bool:
        return is_ipv4(text)

    def wire(self, text: str) -> bytes:
        # The address is its own wire form: no need to go through the parser.
        return socket.inet_pton(socket.AF_INET, text)


@register
class Aaaa(RRType):
    type = "AAAA"
    code = 28
    rfc = "RFC 3596 section 2"

    def grammar(self, text: str, owner: str) -> bool:
        return is_ipv6(text)

    def wire(self, text: str) -> bytes:
        return socket.inet_pton(socket.AF_INET6, text)
