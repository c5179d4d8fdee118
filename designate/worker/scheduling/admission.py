"""The limit on the zones of a pool that recovery converges at the same time.

After a restart the recovery task hands out every PENDING zone. Servers take a limited number of new zones
or transfers per second: with all of them at once each zone times out, is retried, and the retries keep the
servers busy from then on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from designate.model.zones import ZoneId
from designate.runtime.clock import SYSTEM_CLOCK, Clock

MAX_ADMITTED = 200
# A zone that takes longer waits for an unreachable or broken server and must not delay the others.
MAX_ADMISSION_S = 5.0

T = TypeVar("T")


@dataclass(slots=True)
class _Pool(Generic[T]):
    """The zones of one pool.

    Attributes:
        admitted: when each zone was admitted, in that order.
        queued: the items that wait, in the order of their arrival.
    """

    admitted: OrderedDict[ZoneId, float] = field(default_factory=OrderedDict)
    queued: OrderedDict[ZoneId, T] = field(default_factory=OrderedDict)


class AdmissionLimit(Generic[T]):
    """Limits how many zones of each pool are admitted at once and queues the others.

    Not thread-safe: the owner holds a lock. The owner also bounds the queue.
    """

    def __init__(
        self,
        begin: Callable[[T], object],
        max_admitted: int = MAX_ADMITTED,
        max_admission_s: float = MAX_ADMISSION_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Create the limit.

        Args:
            begin: called with a queued item when its zone is admitted.
            max_admitted: zones of one pool that are admitted at once.
            max_admission_s: after this time a zone loses its place to the next one.
            clock: measures the time.
        """
        self._begin = begin
        self._max_admitted = max_admitted
        self._max_admission_s = max_admission_s
        self._clock = clock
        self._pools: dict[str, _Pool[T]] = {}
        self._pool_of: dict[ZoneId, str] = {}

    def __len__(self) -> int:
        """Return the number of queued items."""
        return sum(len(pool.queued) for pool in self._pools.values())

    def queued(self, zone_id: ZoneId) -> T | None:
        """Return the zone's queued item."""
        pool = self._pools.get(self._pool_of.get(zone_id, ""))
        return pool.queued.get(zone_id) if pool is not None else None

    def admit(self, pool_id: str, zone_id: ZoneId, item: T) -> bool:
        """Admit the zone until it is released, or queue its item.

        An item that replaces a queued one keeps its position.

        Returns:
            False when the item was queued.
        """
        if self._pool_of.get(zone_id, pool_id) != pool_id:
            self.release(zone_id)
        pool = self._pools.setdefault(pool_id, _Pool())
        self._pool_of[zone_id] = pool_id
        if zone_id in pool.admitted:
            return True
        if len(pool.admitted) < self._max_admitted and not pool.queued:
            pool.admitted[zone_id] = self._clock.monotonic()
            return True
        pool.queued[zone_id] = item
        return False

    def release(self, zone_id: ZoneId) -> None:
        """Remove the zone, admitted or queued, and admit the next one."""
        pool_id = self._pool_of.pop(zone_id, None)
        if pool_id is None:
            return
        pool = self._pools[pool_id]
        pool.admitted.pop(zone_id, None)
        pool.queued.pop(zone_id, None)
        self._admit_next(pool_id, pool)

    def expire(self) -> None:
        """Release the zones that were admitted too long ago; call it about once per second."""
        latest = self._clock.monotonic() - self._max_admission_s
        for pool in list(self._pools.values()):
            for zone_id in [zone_id for zone_id, since in pool.admitted.items() if since <= latest]:
                self.release(zone_id)

    def _admit_next(self, pool_id: str, pool: _Pool[T]) -> None:
        while pool.queued and len(pool.admitted) < self._max_admitted:
            zone_id, item = pool.queued.popitem(last=False)
            pool.admitted[zone_id] = self._clock.monotonic()
            self._begin(item)
        if not (pool.admitted or pool.queued):
            del self._pools[pool_id]
