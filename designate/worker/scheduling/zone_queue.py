"""Where changes wait for a publisher: one slot per zone, the newest revision wins."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict

from designate.model.zones import ZoneAnnouncement, ZoneId, newest

LOG = logging.getLogger(__name__)

MAX_ZONES = 10_000
# So many new changes are taken before one that the recovery sweep repeats, where both wait.
TURN = 8


class ZoneQueue:
    """Bounded and thread-safe. While a zone is being published its newest change waits in its slot.

    New changes go first: what the recovery sweep hands out waits in a queue of its own, gets every
    ninth turn at least and half of the room at most. dropped: changes refused because the mailbox was
    full; the recovery sweep sends them again.
    """

    def __init__(self, max_zones: int = MAX_ZONES) -> None:
        self._max_zones = max_zones
        self._waiting: OrderedDict[ZoneId, ZoneAnnouncement] = OrderedDict()
        self._again: OrderedDict[ZoneId, ZoneAnnouncement] = OrderedDict()
        self._in_a_row = 0
        self._held: dict[ZoneId, ZoneAnnouncement] = {}
        self._taken: dict[ZoneId, int] = {}  # the revision that is being published
        self._merged: dict[ZoneId, int] = {}
        self._ready = threading.Condition()
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._again) + len(self._held)

    def put(self, change: ZoneAnnouncement) -> bool:
        """Never blocks. False: there was no room, or the mailbox is closed."""
        with self._ready:
            if self._closed:
                return False
            old = self._slot(change.zone_id).get(change.zone_id)
            if old is not None:
                self._merge(old, change)
                return True
            if len(self) >= (self._max_zones // 2 if change.again else self._max_zones):
                self._drop()
                return False
            if change.zone_id in self._taken:
                self._held[change.zone_id] = change
            else:
                self._wait(change)
            return True

    def _slot(self, zone_id: ZoneId) -> dict[ZoneId, ZoneAnnouncement]:
        """Where a change of the zone is, if there is one."""
        if zone_id in self._taken:
            return self._held
        return self._again if zone_id in self._again else self._waiting

    def _merge(self, old: ZoneAnnouncement, change: ZoneAnnouncement) -> None:
        wanted = newest(old, change)
        merged = self._merged.get(change.zone_id, 1)
        self._merged[change.zone_id] = merged + wanted.revision - old.revision
        slots = self._slot(change.zone_id)
        if slots is self._again and not wanted.again:
            del self._again[change.zone_id]
            self._wait(wanted)
        else:
            slots[change.zone_id] = wanted

    def _wait(self, change: ZoneAnnouncement) -> None:
        (self._again if change.again else self._waiting)[change.zone_id] = change
        self._ready.notify()

    def _drop(self) -> None:
        self.dropped += 1
        if self.dropped == 1 or self.dropped % 1000 == 0:
            LOG.warning("mailbox full; %d changes left to the sweep so far", self.dropped)

    def take(self, timeout_s: float) -> tuple[ZoneAnnouncement, int] | None:
        """The change that waits longest and how many revisions it stands for; None after timeout_s or once
        closed. The caller calls done() for its zone."""
        deadline = time.monotonic() + timeout_s
        with self._ready:
            while not (self._waiting or self._again):
                left_s = deadline - time.monotonic()
                if self._closed or left_s <= 0:
                    return None
                self._ready.wait(left_s)
            zone_id, change = self._first()
            self._taken[zone_id] = change.revision
            return change, self._merged.pop(zone_id, 1)

    def _first(self) -> tuple[ZoneId, ZoneAnnouncement]:
        again = self._again and (not self._waiting or self._in_a_row >= TURN)
        self._in_a_row = 0 if again else self._in_a_row + 1
        return (self._again if again else self._waiting).popitem(last=False)

    def done(self, zone_id: ZoneId) -> None:
        """The zone's publisher is free; what arrived meanwhile may be taken."""
        with self._ready:
            published = self._taken.pop(zone_id, 0)
            held = self._held.pop(zone_id, None)
            if held is not None:
                self._merged[zone_id] = max(1, held.revision - published)
                self._wait(held)

    def close(self) -> None:
        """Refuse what comes and wake the publishers; what waits is left to the sweep."""
        with self._ready:
            self._closed = True
            self._waiting.clear()
            self._again.clear()
            self._held.clear()
            self._merged.clear()
            self._ready.notify_all()
