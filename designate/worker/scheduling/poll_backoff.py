"""How many zones of each pool are on their way, and how often such a zone is looked at.

What a nameserver has transferred it tells through MiniDNS at once; asking it, and telling it again, is for
what was lost. Where thousands of zones wait for a server that takes a hundred a second, asking after
each of them every moment would cost more than all the rest, for the server too.
"""

from __future__ import annotations

from designate.model.zones import ZoneId


class PollBackoff:
    """polls_per_s: at so many zones of a pool in all. Not thread-safe: its owner has a lock."""

    def __init__(self, polls_per_s: float) -> None:
        self._polls_per_s = polls_per_s
        self._pools: dict[str, set[ZoneId]] = {}

    def enters(self, pool_id: str, zone_id: ZoneId) -> None:
        self._pools.setdefault(pool_id, set()).add(zone_id)

    def leaves(self, pool_id: str, zone_id: ZoneId) -> None:
        zones = self._pools.get(pool_id)
        if zones is not None:
            zones.discard(zone_id)
            if not zones:
                del self._pools[pool_id]

    def pace_s(self, pool_id: str) -> float:
        """The shortest time between two looks at the same zone."""
        return len(self._pools.get(pool_id, ())) / self._polls_per_s
