"""The addresses of the primaries that a target's server transfers from."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import zlib

from designate import errors
from designate.model.pools import Target
from designate.model.zones import PrimaryAddress, ZoneId

_HOST_PORT = re.compile(
    r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:\[\]]+))(?::(?P<port>\d{1,5}))?"
)
Address = tuple[str, int]


def parse(text: str) -> tuple[PrimaryAddress, ...]:
    """Return the addresses of a text such as `192.0.2.1:5354, [2001:db8::1]:5354`; port 53 may be left out.

    Raises:
        ValueError: the text is something else.
    """
    found = []
    for item in filter(None, (item.strip() for item in text.split(","))):
        match = _HOST_PORT.fullmatch(item)
        if match is None or not 0 < int(match["port"] or 53) < 65536:
            raise ValueError(item)
        host = match["bracketed"] or match["host"]
        found.append(PrimaryAddress(host=host, port=int(match["port"] or 53)))
    return tuple(found)


def known(target: Target, former: tuple[PrimaryAddress, ...]) -> set[Address]:
    """Return the addresses of the target's masters and of its former ones, as far as names have any."""
    found: set[Address] = set()
    for master in (*target.masters, *former):
        with contextlib.suppress(errors.BackendError):
            found |= {(host, master.port) for host in _literals(master.host)}
    return found


def addresses(target: Target, zone_id: ZoneId) -> tuple[Address, ...]:
    """Return the addresses of the target's masters, rotated by the zone's id to spread the load.

    The order for a zone is always the same.

    Raises:
        BackendError: there is no master, or the name of one has no address.
    """
    found: list[Address] = []
    for master in target.masters:
        found += [(host, master.port) for host in _literals(master.host)]
    if not found:
        raise errors.BackendError(f"target type {target.type}: no master with a known address")
    start = zlib.crc32(zone_id.encode()) % len(found)
    return tuple(found[start:] + found[:start])


def text(address: Address) -> str:
    """Return an address as text, such as `192.0.2.1:53` or `[2001:db8::1]:53`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _literals(host: str) -> list[str]:
    """Return the addresses of a host; names are resolved here, as nameservers take addresses."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host.rstrip("."), None, type=socket.SOCK_STREAM)
    except OSError:
        raise errors.BackendError(f"the master's name {host} has no address") from None
    return sorted({str(address[0]) for *_, address in found})
