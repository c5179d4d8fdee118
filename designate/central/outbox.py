"""Messages of central to the workers, merged by zone.

Of several changes of one zone only the newest is sent: a worker brings nameservers to the newest
revision anyway.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any

from designate.context import Context, admin_context
from designate.model.zones import ZoneAnnouncement, newest
from designate.rpc.interfaces import WorkerApi

LOG = logging.getLogger(__name__)

# The first change of a zone is sent at once; those that follow within this time are merged.
GAP_S = 0.02
MAX_ZONES = 20_000


class Outbox:
    """A client of the workers that merges zone_changed by zone; all other calls pass unchanged.

    zone_changed never blocks. Beyond MAX_ZONES queued zones, changes are dropped: the recovery sweep finds
    those zones pending. Thread-safe.
    """

    def __init__(self, worker: WorkerApi, gap_s: float = GAP_S) -> None:
        self._worker = worker
        self._gap_s = gap_s
        self._lock = threading.Condition()
        self._ready: dict[str, ZoneAnnouncement] = {}
        # Zones sent less than a gap ago, with the changes merged since; oldest first.
        self._recent: dict[str, ZoneAnnouncement | None] = {}
        self._due: deque[tuple[float, str]] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def __getattr__(self, name: str) -> Any:
        """Pass all other calls to the workers' client."""
        return getattr(self._worker, name)

    def start(self) -> None:
        """Start the sending thread."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is queued, and end the thread."""
        with self._lock:
            self._stopping = True
            self._lock.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)

    def zone_changed(self, context: Context, change: ZoneAnnouncement) -> None:
        """Queue a change; it is sent as administrator."""
        with self._lock:
            zone_id = change.zone_id
            if zone_id in self._recent:
                merged = self._recent[zone_id]
                self._recent[zone_id] = change if merged is None else newest(merged, change)
            elif zone_id in self._ready or len(self._ready) < MAX_ZONES:
                ready = self._ready.get(zone_id)
                self._ready[zone_id] = change if ready is None else newest(ready, change)
                self._lock.notify()
            else:
                LOG.warning("zone %s: outbox full, deferred to the recovery sweep", zone_id)

    def _run(self) -> None:
        while (change := self._next()) is not None:
            self._worker.zone_changed(admin_context(), change)

    def _next(self) -> ZoneAnnouncement | None:
        """Wait for the next change to send; return None when the outbox has stopped and is empty."""
        with self._lock:
            while True:
                now_s = time.monotonic()
                self._release(now_s)
                if self._ready:
                    zone_id = next(iter(self._ready))
                    change = self._ready.pop(zone_id)
                    self._recent[zone_id] = None
                    self._due.append((now_s + self._gap_s, zone_id))
                    return change
                if self._stopping:
                    return None
                self._lock.wait(self._due[0][0] - now_s if self._due else None)

    def _release(self, now_s: float) -> None:
        """Make merged changes ready whose gap is over."""
        while self._due and (self._due[0][0] <= now_s or self._stopping):
            _, zone_id = self._due.popleft()
            merged = self._recent.pop(zone_id)
            if merged is not None:
                self._ready[zone_id] = merged
