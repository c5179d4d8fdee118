"""The addresses that a target's server transfers from."""

from __future__ import annotations

import ipaddress
import socket
import zlib

from designate import errors
from designate.model.pools import Target
from designate.model.zones import ZoneId

Address = tuple[str, int]


def addresses(target: Target, zone_id: ZoneId) -> tuple[Address, ...]:
    """All masters of the target, never none. Rotated by the zone's id: zones spread over the masters,
    each zone always the same way. Raises BackendError: none, or a name without an address."""
    found: list[Address] = []
    for master in target.masters:
        found += [(host, master.port) for host in _literals(master.host)]
    if not found:
        raise errors.BackendError(f"target type {target.type}: no master with a known address")
    turn = zlib.crc32(zone_id.encode()) % len(found)
    return tuple(found[turn:] + found[:turn])


def text(address: Address) -> str:
    """`192.0.2.1:53`, `[2001:db8::1]:53`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _literals(host: str) -> list[str]:
    """Nameservers take addresses only, so names are looked up here."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host.rstrip("."), None, type=socket.SOCK_STREAM)
    except OSError:
        raise errors.BackendError(f"the master's name {host} has no address") from None
    return sorted({str(address[0]) for *_, address in found})
