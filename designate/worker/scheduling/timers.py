"""One thread that runs small steps when they are due."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from time import monotonic

LOG = logging.getLogger(__name__)


class Timers:
    """Thread-safe. Steps must be short: they share the thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def at(self, due: float, step: Callable[[], object]) -> None:
        """Run the step at a moment of time.monotonic(), or soon when that is past."""
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._heap, (due, next(self._numbers), step))
            if self._heap[0][2] is step:
                self._changed.notify()

    def _run(self) -> None:
        while (step := self._next()) is not None:
            try:
                step()
            except Exception:
                LOG.exception("a timed step failed; the zone's deadline covers it")

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._closed:
                if not self._heap:
                    self._changed.wait()
                    continue
                left_s = self._heap[0][0] - monotonic()
                if left_s <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(left_s)
            return None
