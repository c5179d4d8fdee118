"""How many UDP queries the addresses of one network may send: a bound on what a forged sender can have
MiniDNS throw at somebody else.

TCP has its own limits (see `mdns.tcp`), and a sender that is real can always change to it, for some of
what goes beyond the rate is answered with truncation.
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
        help="UDP queries per second that one network (/24, /56 of IPv6) may send to this process; of "
        "those beyond it every second one is answered with truncation, which sends an honest client "
        "to TCP, and the others not at all. Signed messages count too. 0: no limit.",
    ),
    cfg.ListOpt(
        "rate_limit_exempt",
        default=["127.0.0.0/8", "::1/128"],
        help="Addresses and networks that rate_limit does not count: nameservers and workers.",
    ),
]

IPV4_PREFIX = 24
IPV6_PREFIX = 56
NETWORKS_REMEMBERED = 10_000
# A second's worth may come at once.
BURST_S = 1.0


class RateLimit:
    """Thread-safe. per_second: 0 for no limit. Holds at most NETWORKS_REMEMBERED networks, those heard of
    last."""

    def __init__(self, per_second: int, now: Callable[[], float] = monotonic) -> None:
        self.is_on = per_second > 0
        self._gap_s = 1 / per_second if per_second else 0.0
        self._now = now
        self._lock = threading.Lock()
        self._full_until: BoundedCache[str, float] = BoundedCache(NETWORKS_REMEMBERED)
        self._beyond = 0

    def __len__(self) -> int:
        return len(self._full_until)

    def allows(self, peer: str) -> bool | None:
        """Whether a query of this address is within the rate; None: beyond it, and to be answered
        with truncation."""
        if not self.is_on:
            return True
        network = network_of(peer)
        with self._lock:
            now = self._now()
            used = max(self._full_until.get(network) or now, now)
            allowed = used - now <= BURST_S - self._gap_s
            self._full_until.put(network, used + self._gap_s if allowed else used)
            if allowed:
                return True
            self._beyond += 1
            return None if self._beyond % 2 else False


@lru_cache(maxsize=NETWORKS_REMEMBERED)
def network_of(peer: str) -> str:
    """The network that an address counts for."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))
