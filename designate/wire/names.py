"""Absolute domain names as text and as wire labels, and serial number arithmetic (RFC 1982).

Names are text with a trailing dot, in the form of `designate.domain_names` and in the case that the client
gave; comparisons use `key()`.
Owner names of stored records are relative to their zone: the labels below the apex followed by a
compression pointer to offset 12, where every message has the zone's name as its question (RFC 1035
section 4.1.4). Such bytes can be copied into any message unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import reduce

import dns.exception
import dns.name

from designate import domain_names

SERIAL_MODULUS = 2**32
APEX_POINTER = b"\xc0\x0c"


class _IdnaCodec(dns.name.IDNACodec):
    """Reads labels beyond ASCII as everywhere else in the service; dnspython's own rules are older."""

    def __init__(self) -> None:
        """Do nothing; dnspython's own has no types."""

    def encode(self, label: str) -> bytes:
        """Return the label's octets; raises ValueError, which names an invalid one."""
        return domain_names.a_label(label).encode("ascii")


IDNA: dns.name.IDNACodec = _IdnaCodec()


def key(name: str) -> str:
    """Return the name in the form used for comparison: ASCII lower case (RFC 4343)."""
    return _stored(name).lower()


def _stored(name: str) -> str:
    """Return the name so that each of its dots ends a label; those from tables are so already."""
    if "\\" in name:
        with suppress(ValueError):
            return domain_names.canonical(name)
    return name


def suffixes(name: str) -> Iterator[str]:
    """Yield the name and its ancestors below the root, longest first."""
    while name and name != ".":
        yield name
        name = name.partition(".")[2]


def is_below(name: str, zone: str) -> bool:
    """Return whether the name is the zone's own name or below it, ignoring case."""
    name, zone = key(name), key(zone)
    return name == zone or name.endswith("." + zone)


def to_wire(name: str) -> bytes:
    """Return the uncompressed wire form of an absolute name; raises ValueError if it has none."""
    try:
        return dns.name.from_text(name, origin=None, idna_codec=IDNA).to_wire() or b""
    except (dns.exception.DNSException, UnicodeError, AttributeError) as error:
        raise ValueError(f"{name!r} is not a domain name") from error


def relative_owner(name: str, zone: str) -> bytes:
    """Return the owner's labels below the zone's apex, followed by a pointer to offset 12."""
    if not is_below(name, zone):
        raise ValueError(f"{name!r} is not in {zone!r}")
    name, zone = _stored(name), _stored(zone)
    labels = name[: len(name) - len(zone)]
    return to_wire(labels)[:-1] + APEX_POINTER if labels else APEX_POINTER


def serial_gt(first: int, second: int) -> bool:
    """Return whether the first serial is newer (RFC 1982 section 3.2).

    At the distance that the RFC leaves undefined it counts as not newer.
    """
    return 0 < ((first - second) % SERIAL_MODULUS) < SERIAL_MODULUS // 2


def serial_ge(first: int, second: int) -> bool:
    """Return whether the first serial is newer than the second or equal to it (RFC 1982)."""
    return first == second or serial_gt(first, second)


def oldest_serial(serials: Iterable[int]) -> int:
    """Return the oldest of some serials, which must not be empty (RFC 1982)."""
    return reduce(lambda oldest, other: oldest if serial_gt(other, oldest) else other, serials)


def newest_serial(serials: Iterable[int]) -> int:
    """Return the newest of some serials, which must not be empty (RFC 1982)."""
    return reduce(lambda newest, other: other if serial_gt(other, newest) else newest, serials)


def next_serial(serial: int, now_s: float | None = None) -> int:
    """Return the next serial: the Unix time if that is newer, else one more; never 0."""
    now = int(time.time() if now_s is None else now_s) % SERIAL_MODULUS or 1
    following = now if serial_gt(now, serial) else (serial + 1) % SERIAL_MODULUS
    return following or 1
