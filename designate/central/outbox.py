"""What central tells the workers, merged: of many changes of one zone only the newest is worth a
message, for a worker brings nameservers to the newest revision anyway."""

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

# The first change of a zone goes at once; those that follow it so soon go together.
GAP_S = 0.02
MOST_ZONES = 20_000


class Outbox:
    """The workers' client with zone_changed merged by zone; everything else passes as it is.

    put never blocks. Over MOST_ZONES waiting zones are dropped: the sweep finds them. Thread-safe.
    """

    def __init__(self, worker: WorkerApi, gap_s: float = GAP_S) -> None:
        self._worker = worker
        self._gap_s = gap_s
        self._lock = threading.Condition()
        self._ready: dict[str, ZoneAnnouncement] = {}
        # Zones that were sent a moment ago, with what came for them since; the longest ago first.
        self._held: dict[str, ZoneAnnouncement | None] = {}
        self._due: deque[tuple[float, str]] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._worker, name)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send what waits and end."""
        with self._lock:
            self._stopping = True
            self._lock.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)

    def zone_changed(self, context: Context, change: ZoneAnnouncement) -> None:
        with self._lock:
            zone_id = change.zone_id
            if zone_id in self._held:
                held = self._held[zone_id]
                self._held[zone_id] = change if held is None else newest(held, change)
            elif zone_id in self._ready or len(self._ready) < MOST_ZONES:
                ready = self._ready.get(zone_id)
                self._ready[zone_id] = change if ready is None else newest(ready, change)
                self._lock.notify()
            else:
                LOG.warning("zone %s is left to the sweep: too many wait", zone_id)

    def _run(self) -> None:
        while (change := self._next()) is not None:
            self._worker.zone_changed(admin_context(), change)

    def _next(self) -> ZoneAnnouncement | None:
        """The next change to send, waited for; None at the end."""
        with self._lock:
            while True:
                now_s = time.monotonic()
                self._release(now_s)
                if self._ready:
                    zone_id = next(iter(self._ready))
                    change = self._ready.pop(zone_id)
                    self._held[zone_id] = None
                    self._due.append((now_s + self._gap_s, zone_id))
                    return change
                if self._stopping:
                    return None
                self._lock.wait(self._due[0][0] - now_s if self._due else None)

    def _release(self, now_s: float) -> None:
        """Zones that were held long enough may be sent again."""
        while self._due and (self._due[0][0] <= now_s or self._stopping):
            _, zone_id = self._due.popleft()
            waiting = self._held.pop(zone_id)
            if waiting is not None:
                self._ready[zone_id] = waiting
