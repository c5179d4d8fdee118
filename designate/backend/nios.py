"""Names of zones in Infoblox NIOS: reverse zones by their network (WAPI, object zone_auth)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from designate import errors

_RANGE = re.compile(r"(\d{1,3})([/-])(\d{1,3})")
IPV4, IPV6 = ".in-addr.arpa", ".ip6.arpa"


@dataclass(frozen=True, slots=True, kw_only=True)
class NiosZoneAddress:
    """The members by which NIOS addresses a zone.

    Attributes:
        fqdn: a name without its trailing dot, or address/bits.
        format: FORWARD, IPV4 or IPV6.
        prefix: the first label of a zone for part of a /24 (RFC 2317).
    """

    fqdn: str
    format: str
    prefix: str | None = None


def zone_address(name: str) -> NiosZoneAddress:
    """Return the address of a zone. Raises BackendError for a reverse zone without a network."""
    bare = name.rstrip(".")
    lower = bare.lower()
    try:
        if lower.endswith(IPV4):
            return _ipv4(lower.removesuffix(IPV4).split(".")[::-1])
        if lower.endswith(IPV6):
            return _ipv6(lower.removesuffix(IPV6).split(".")[::-1])
    except ValueError:
        raise errors.BackendError(f"Infoblox: {name} is a reverse zone without a network") from None
    return NiosZoneAddress(fqdn=bare, format="FORWARD")


def has_address(name: str) -> bool:
    """Return whether NIOS can have a zone of that name."""
    try:
        zone_address(name)
    except errors.BackendError:
        return False
    return True


def _ipv4(labels: list[str]) -> NiosZoneAddress:
    bits, prefix = 8 * len(labels), None
    part = _RANGE.fullmatch(labels[-1])
    if part and len(labels) == 4:
        first, mark, second = int(part[1]), part[2], int(part[3])
        # 0/25 has the number of bits, 0-63 the last address.
        bits = second if mark == "/" else 33 - (second - first + 1).bit_length()
        labels, prefix = [*labels[:3], part[1]], labels[3]
        if mark == "-" and 1 << (32 - bits) != second - first + 1:
            raise ValueError(prefix)
    address = ".".join(labels + ["0"] * (4 - len(labels)))
    return NiosZoneAddress(
        fqdn=str(ipaddress.IPv4Network(f"{address}/{bits}")), format="IPV4", prefix=prefix
    )


def _ipv6(labels: list[str]) -> NiosZoneAddress:
    if any(len(label) != 1 for label in labels):
        raise ValueError(labels)
    digits = "".join(labels).ljust(32, "0")
    address = ipaddress.IPv6Address(int(digits, 16))
    return NiosZoneAddress(
        fqdn=str(ipaddress.IPv6Network((address, 4 * len(labels)))), format="IPV6"
    )
