"""The queue of secondary zones to refresh."""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass

from designate.runtime.clock import SYSTEM_CLOCK, Clock

LOG = logging.getLogger(__name__)

MAX_ZONES = 10_000
# NOTIFYs make a zone's primaries be queried at most once in this time.
GAP_S = 0.5


@dataclass(slots=True)
class _Request:
    """A zone to refresh.

    Attributes:
        source: the address that sent a NOTIFY.
        after: not before this moment of the clock's monotonic time.
    """

    source: str | None
    after: float


class RefreshQueue:
    """A bounded, thread-safe queue with one entry per zone.

    Attributes:
        dropped: requests refused because the queue was full; the zones' refresh timers send them again.
    """

    def __init__(
        self, max_zones: int = MAX_ZONES, gap_s: float = GAP_S, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Create a queue for at most so many zones, each of which is refreshed once per gap_s."""
        self._max_zones = max_zones
        self._gap_s = gap_s
        self._clock = clock
        self._waiting: OrderedDict[str, _Request] = OrderedDict()
        self._busy: dict[str, _Request | None] = {}
        # When zones that were just refreshed may be refreshed again, in that order.
        self._resting: OrderedDict[str, float] = OrderedDict()
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._closing = threading.Condition(lock)
        self._closed = False
        self.dropped = 0

    def put(self, zone_id: str, source: str | None) -> bool:
        """Queue a request or merge it into the zone's entry; never blocks.

        Returns:
            False when it was refused: the queue is full or closed.
        """
        with self._changed:
            if self._closed:
                return False
            now = self._clock.monotonic()
            if zone_id in self._busy:
                self._busy[zone_id] = _Request(source, now)
                return True
            waiting = self._waiting.get(zone_id)
            if waiting is not None:
                waiting.source = source or waiting.source
                return True
            if len(self._waiting) >= self._max_zones:
                self._drop()
                return False
            after = max(now, self._resting.get(zone_id, now))
            self._waiting[zone_id] = _Request(source, after)
            self._changed.notify()
            return True

    def _drop(self) -> None:
        self.dropped += 1
        if self.dropped == 1 or self.dropped % 1000 == 0:
            LOG.warning(
                "refresh queue full; %d refreshes deferred to the zones' timers so far",
                self.dropped,
            )

    def take(self) -> tuple[str, str | None] | None:
        """Wait for the next request and remove it; the caller calls done() for the zone.

        Returns:
            The zone that waits longest among those that are due, and the source; None once closed.
        """
        with self._changed:
            while not self._closed:
                now = self._clock.monotonic()
                first = math.inf
                for zone_id, request in self._waiting.items():
                    if request.after <= now:
                        del self._waiting[zone_id]
                        self._busy[zone_id] = None
                        return zone_id, request.source
                    first = min(first, request.after)
                self._clock.wait_until(self._changed, first)
            return None

    def done(self, zone_id: str) -> None:
        """End the refresh of the zone; a request that arrived meanwhile is due after the gap."""
        with self._changed:
            now = self._clock.monotonic()
            while self._resting and next(iter(self._resting.values())) <= now:
                self._resting.popitem(last=False)
            self._resting[zone_id] = now + self._gap_s
            request = self._busy.pop(zone_id, None)
            if request is not None and not self._closed:
                request.after = now + self._gap_s
                self._waiting[zone_id] = request
                self._changed.notify()

    def wait_closed(self, timeout_s: float) -> bool:
        """Wait until the queue is closed, at most timeout_s, and return whether it is."""
        deadline = self._clock.monotonic() + timeout_s
        with self._closing:
            while not self._closed and self._clock.monotonic() < deadline:
                self._clock.wait_until(self._closing, deadline)
            return self._closed

    def close(self) -> None:
        """Refuse new requests, drop the queued ones and wake the threads."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
            self._closing.notify_all()
