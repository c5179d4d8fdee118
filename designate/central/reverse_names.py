"""Reverse names of IP addresses (RFC 1035 section 3.5, RFC 3596 section 2.5)."""

from __future__ import annotations

import ipaddress

# Labels of a reverse name below the zone that is created for it, by IP version.
HOST_LABELS = {4: 1, 6: 16}


def canonical(address: str) -> str:
    """Return the canonical text of the address, or raise ValueError."""
    return str(ipaddress.ip_address(address))


def reverse_name(address: str) -> str:
    """Return the name of the address's PTR recordset."""
    return ipaddress.ip_address(address).reverse_pointer + "."


def zone_name(address: str) -> str:
    """Return the name of the zone to create for the address."""
    labels = HOST_LABELS[ipaddress.ip_address(address).version]
    return reverse_name(address).split(".", labels)[labels]
