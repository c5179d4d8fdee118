"""The interval between polls of a zone, which grows with the number of converging zones of its pool.

A nameserver's transfer is reported by MiniDNS at once; polling and repeated NOTIFYs only make up for lost
messages. With thousands of zones behind a server that transfers a hundred per second, polling each of them
at a fixed interval would cost more than the rest of the work, also for the server.
"""

from __future__ import annotations

from designate.model.zones import ZoneId


class PollBackoff:
    """Counts the converging zones of each pool.

    Not thread-safe: the owner holds a lock.
    """

    def __init__(self, polls_per_s: float) -> None:
        """Create a backoff that allows so many polls per second for all zones of a pool."""
        self._polls_per_s = polls_per_s
        self._pools: dict[str, set[ZoneId]] = {}

    def add(self, pool_id: str, zone_id: ZoneId) -> None:
        """Count the zone; adding it twice counts once."""
        self._pools.setdefault(pool_id, set()).add(zone_id)

    def discard(self, pool_id: str, zone_id: ZoneId) -> None:
        """Count the zone no longer."""
        zones = self._pools.get(pool_id)
        if zones is not None:
            zones.discard(zone_id)
            if not zones:
                del self._pools[pool_id]

    def min_interval_s(self, pool_id: str) -> float:
        """Return the shortest time between two polls of the same zone."""
        return len(self._pools.get(pool_id, ())) / self._polls_per_s
