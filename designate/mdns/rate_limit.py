"""Rate limit of UDP queries per network, against reflection with forged sender addresses.

TCP has its own limits (see `mdns.tcp_connections`). A genuine client can always change to TCP, because some
of the queries beyond the rate get a truncated reply.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from functools import lru_cache
from time import monotonic

from oslo_config import cfg

from designate.runtime.bounded_cache import BoundedCache

GROUP = "service:mdns"
OPTS = [
    cfg.IntOpt(
        "rate_limit",
        default=0,
        min=0,
        help="Maximum number of UDP queries per second from one network (/24, or /56 for IPv6) to this "
        "process. Of the queries beyond it every second one gets a truncated reply, which makes a "
        "genuine client use TCP, and the others get no reply. Signed messages count too. 0: no limit.",
    ),
    cfg.ListOpt(
        "rate_limit_exempt",
        default=["127.0.0.0/8", "::1/128"],
        help="Addresses and networks to which rate_limit does not apply, such as nameservers and workers.",
    ),
]

IPV4_PREFIX = 24
IPV6_PREFIX = 56
MAX_NETWORKS = 10_000
# The queries of this time may arrive at once.
BURST_S = 1.0


class RateLimit:
    """Limits the rate of queries per network. Thread-safe.

    It stores the MAX_NETWORKS networks seen last; `len()` is their number.
    """

    def __init__(self, per_second: int, now: Callable[[], float] = monotonic) -> None:
        """Permit this many queries per second; 0: no limit."""
        self.enabled = per_second > 0
        self._gap_s = 1 / per_second if per_second else 0.0
        self._now = now
        self._lock = threading.Lock()
        self._full_until: BoundedCache[str, float] = BoundedCache(MAX_NETWORKS)
        self._exceeded = 0

    def __len__(self) -> int:
        return len(self._full_until)

    def allows(self, peer: str) -> bool | None:
        """Return whether a query is within the rate; None: it exceeds it and gets a truncated reply."""
        if not self.enabled:
            return True
        network = network_of(peer)
        with self._lock:
            now = self._now()
            used = max(self._full_until.get(network) or now, now)
            allowed = used - now <= BURST_S - self._gap_s
            self._full_until.put(network, used + self._gap_s if allowed else used)
            if allowed:
                return True
            self._exceeded += 1
            return None if self._exceeded % 2 else False


@lru_cache(maxsize=MAX_NETWORKS)
def network_of(peer: str) -> str:
    """Return the network to which an address belongs."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))
