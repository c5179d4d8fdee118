"""How many zones of a pool are on their way at once of those that nobody waits for.

After a restart the recovery sweep hands out all that is PENDING. Servers take so many new zones or
transfers a second and no more; told of all at once they answer none in time, each zone is told again,
and that is what they are busy with from then on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from designate.model.zones import ZoneId

WIDTH = 200
# What takes longer waits for a server that is away or broken, and must not hold up the others.
MAX_ADMISSION_S = 5.0

T = TypeVar("T")


@dataclass(slots=True)
class _Pool(Generic[T]):
    """inside: when each zone entered, the first first. outside: what waits, the first to come first."""

    inside: OrderedDict[ZoneId, float] = field(default_factory=OrderedDict)
    outside: OrderedDict[ZoneId, T] = field(default_factory=OrderedDict)


class AdmissionLimit(Generic[T]):
    """begin: called for what waited, when it is its turn. Not thread-safe: its owner has a lock. What
    may wait at most is its owner's to bound."""

    def __init__(
        self,
        begin: Callable[[T], object],
        width: int = WIDTH,
        max_admission_s: float = MAX_ADMISSION_S,
    ) -> None:
        self._begin = begin
        self._width = width
        self._max_admission_s = max_admission_s
        self._pools: dict[str, _Pool[T]] = {}
        self._pool_of: dict[ZoneId, str] = {}

    def __len__(self) -> int:
        """How many wait outside."""
        return sum(len(pool.outside) for pool in self._pools.values())

    def waiting(self, zone_id: ZoneId) -> T | None:
        """What waits for the zone outside."""
        pool = self._pools.get(self._pool_of.get(zone_id, ""))
        return pool.outside.get(zone_id) if pool is not None else None

    def enters(self, pool_id: str, zone_id: ZoneId, item: T) -> bool:
        """Whether there is a place; the zone has it until it leaves. False: it waits. What waits
        already keeps its turn."""
        if self._pool_of.get(zone_id, pool_id) != pool_id:
            self.leaves(zone_id)
        pool = self._pools.setdefault(pool_id, _Pool())
        self._pool_of[zone_id] = pool_id
        if zone_id in pool.inside:
            return True
        if len(pool.inside) < self._width and not pool.outside:
            pool.inside[zone_id] = monotonic()
            return True
        pool.outside[zone_id] = item
        return False

    def leaves(self, zone_id: ZoneId) -> None:
        """The zone neither has a place nor waits for one; the next one's turn has come."""
        pool_id = self._pool_of.pop(zone_id, None)
        if pool_id is None:
            return
        pool = self._pools[pool_id]
        pool.inside.pop(zone_id, None)
        pool.outside.pop(zone_id, None)
        self._admit(pool_id, pool)

    def look(self) -> None:
        """To be called every second or so: who has had a place for long gives it up."""
        late = monotonic() - self._max_admission_s
        for pool in list(self._pools.values()):
            for zone_id in [zone_id for zone_id, since in pool.inside.items() if since <= late]:
                self.leaves(zone_id)

    def _admit(self, pool_id: str, pool: _Pool[T]) -> None:
        while pool.outside and len(pool.inside) < self._width:
            zone_id, item = pool.outside.popitem(last=False)
            pool.inside[zone_id] = monotonic()
            self._begin(item)
        if not (pool.inside or pool.outside):
            del self._pools[pool_id]
