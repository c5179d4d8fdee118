"""Addresses of nameservers named by host name, from the system's resolver.

Calls block for as long as the resolver takes; results are cached for CACHE_S.
"""

from __future__ import annotations

import socket
import time
from functools import lru_cache

CACHE_S = 60.0

# Address family (socket.AF_INET or AF_INET6) and address.
SocketAddress = tuple[int, str]


def addresses(host: str) -> tuple[str, ...]:
    """Return the addresses of a host as texts.

    A literal address is returned as it is. Names are looked up at most once in CACHE_S; a failed
    look-up gives an empty tuple.
    """
    return tuple(address for _, address in socket_addresses(host))


def socket_addresses(host: str) -> tuple[SocketAddress, ...]:
    """Return each address of a host once, in the system's order of preference; empty: no such host."""
    if ":" in host:
        return ((socket.AF_INET6, host),)
    if host.replace(".", "").isdigit():
        return ((socket.AF_INET, host),)
    try:
        return _look_up(host.rstrip("."), int(time.monotonic() / CACHE_S))
    except OSError:
        return ()  # Errors are not cached, so the next call tries again.


@lru_cache(maxsize=256)
def _look_up(host: str, period: int) -> tuple[SocketAddress, ...]:
    del period  # Part of the cache key, so that entries expire.
    found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    return tuple(dict.fromkeys((version, str(address[0])) for version, _, _, _, address in found))
