"""The queue of changed zones: one entry per zone, the newest revision wins."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict

from designate.model.zones import ZoneAnnouncement, ZoneId, newest
from designate.runtime.clock import SYSTEM_CLOCK, Clock
from designate.worker.scheduling.priority import FairOrder, Priority

LOG = logging.getLogger(__name__)

MAX_ZONES = 10_000


class ZoneQueue:
    """A bounded, thread-safe queue of changes.

    While a zone is being published its newest change waits in its entry. Changes pass recoveries, which
    have a queue of their own and half of the room.

    Attributes:
        dropped: changes refused because the queue was full; periodic recovery sends them again.
    """

    def __init__(self, max_zones: int = MAX_ZONES, clock: Clock = SYSTEM_CLOCK) -> None:
        """Create a queue for at most so many zones."""
        self._max_zones = max_zones
        self._clock = clock
        self._changes: OrderedDict[ZoneId, ZoneAnnouncement] = OrderedDict()
        self._recoveries: OrderedDict[ZoneId, ZoneAnnouncement] = OrderedDict()
        self._order = FairOrder()
        # Changes of zones that are being published.
        self._deferred: dict[ZoneId, ZoneAnnouncement] = {}
        # The revisions that are being published.
        self._published: dict[ZoneId, int] = {}
        # How many revisions each entry stands for, where it is more than one.
        self._merged: dict[ZoneId, int] = {}
        self._ready = threading.Condition()
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._changes) + len(self._recoveries) + len(self._deferred)

    def put(self, change: ZoneAnnouncement) -> bool:
        """Queue a change or merge it into its zone's entry; never blocks.

        Returns:
            False when it was refused: the queue is full or closed.
        """
        with self._ready:
            if self._closed:
                return False
            old = self._entries(change.zone_id).get(change.zone_id)
            if old is not None:
                self._merge(old, change)
                return True
            if len(self) >= Priority.of(change).room(self._max_zones):
                self._drop()
                return False
            if change.zone_id in self._published:
                self._deferred[change.zone_id] = change
            else:
                self._append(change)
            return True

    def _entries(self, zone_id: ZoneId) -> dict[ZoneId, ZoneAnnouncement]:
        """Return the entries among which one of the zone would be."""
        if zone_id in self._published:
            return self._deferred
        return self._recoveries if zone_id in self._recoveries else self._changes

    def _merge(self, old: ZoneAnnouncement, change: ZoneAnnouncement) -> None:
        merged = newest(old, change)
        count = self._merged.get(change.zone_id, 1)
        self._merged[change.zone_id] = count + merged.revision - old.revision
        entries = self._entries(change.zone_id)
        if entries is self._recoveries and Priority.of(merged) is Priority.CHANGE:
            del self._recoveries[change.zone_id]
            self._append(merged)
        else:
            entries[change.zone_id] = merged

    def _append(self, change: ZoneAnnouncement) -> None:
        self._queue(Priority.of(change))[change.zone_id] = change
        self._ready.notify()

    def _queue(self, priority: Priority) -> OrderedDict[ZoneId, ZoneAnnouncement]:
        return self._recoveries if priority is Priority.RECOVERY else self._changes

    def _drop(self) -> None:
        self.dropped += 1
        if self.dropped == 1 or self.dropped % 1000 == 0:
            LOG.warning(
                "zone queue full; %d changes deferred to periodic recovery so far", self.dropped
            )

    def take(self, timeout_s: float) -> tuple[ZoneAnnouncement, int] | None:
        """Remove the next change; the caller calls done() for its zone.

        Returns:
            The change and the number of revisions it stands for; None after timeout_s or once closed.
        """
        deadline = self._clock.monotonic() + timeout_s
        with self._ready:
            while not (self._changes or self._recoveries):
                if self._closed or self._clock.monotonic() >= deadline:
                    return None
                self._clock.wait_until(self._ready, deadline)
            priority = self._order.next(self._changes, self._recoveries)
            zone_id, change = self._queue(priority).popitem(last=False)
            self._published[zone_id] = change.revision
            return change, self._merged.pop(zone_id, 1)

    def done(self, zone_id: ZoneId) -> None:
        """End the publishing of the zone; a change that arrived meanwhile can be taken."""
        with self._ready:
            revision = self._published.pop(zone_id, 0)
            deferred = self._deferred.pop(zone_id, None)
            if deferred is not None:
                self._merged[zone_id] = max(1, deferred.revision - revision)
                self._append(deferred)

    def close(self) -> None:
        """Refuse new changes, drop the queued ones and wake the publishers."""
        with self._ready:
            self._closed = True
            self._changes.clear()
            self._recoveries.clear()
            self._deferred.clear()
            self._merged.clear()
            self._ready.notify_all()
