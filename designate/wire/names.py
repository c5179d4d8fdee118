"""Absolute domain names as text and as wire labels, and serial number arithmetic (RFC 1982).

Names in this house are text with a trailing dot, in the spelling that the owner gave; comparisons
use `key()`. Owner names of stored records are kept relative to their zone: the labels below the
apex followed by a compression pointer to offset 12, where every message repeats the zone's name as
its question (RFC 1035 section 4.1.4). Such bytes can be copied into any message unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import dns.exception
import dns.name

SERIAL_MODULUS = 2**32
APEX_POINTER = b"\xc0\x0c"


def key(name: str) -> str:
    """The name as it is compared: ASCII lower case (RFC 4343)."""
    return name.lower()


def suffixes(name: str) -> Iterator[str]:
    """The name itself and its ancestors below the root, longest first."""
    while name and name != ".":
        yield name
        name = name.partition(".")[2]


def is_below(name: str, zone: str) -> bool:
    """True for the zone's own name and everything under it, ignoring case."""
    name, zone = key(name), key(zone)
    return name == zone or name.endswith("." + zone)


def to_wire(name: str) -> bytes:
    """An absolute name's uncompressed wire form. Raises ValueError when it has none."""
    try:
        return dns.name.from_text(name, origin=None).to_wire() or b""
    except (dns.exception.DNSException, UnicodeError, AttributeError) as error:
        raise ValueError(f"{name!r} is not a domain name") from error


def relative_owner(name: str, zone: str) -> bytes:
    """The owner's labels below the zone's apex, closed by a pointer to offset 12."""
    if not is_below(name, zone):
        raise ValueError(f"{name!r} is not in {zone!r}")
    labels = name[: len(name) - len(zone)].rstrip(".")
    if not labels:
        return APEX_POINTER
    return to_wire(labels + ".")[:-1] + APEX_POINTER


def serial_gt(left: int, right: int) -> bool:
    """left is newer than right (RFC 1982 section 3.2; the undefined distance counts as not newer)."""
    return 0 < ((left - right) % SERIAL_MODULUS) < SERIAL_MODULUS // 2


def serial_ge(left: int, right: int) -> bool:
    return left == right or serial_gt(left, right)


def next_serial(serial: int, now_s: float | None = None) -> int:
    """The serial after `serial`: the Unix time if that is newer, else one more; never 0."""
    now = int(time.time() if now_s is None else now_s) % SERIAL_MODULUS or 1
    following = now if serial_gt(now, serial) else (serial + 1) % SERIAL_MODULUS
    return following or 1
