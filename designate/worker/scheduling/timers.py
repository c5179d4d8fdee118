"""One thread that runs short steps when they are due."""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
from collections.abc import Callable

from designate.runtime.clock import SYSTEM_CLOCK, Clock

LOG = logging.getLogger(__name__)

Step = Callable[[], object]


class Timers:
    """Thread-safe. Steps must be short because they share the thread."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Create the timers; `start` starts their thread."""
        self._clock = clock
        self._heap: list[tuple[float, int, Step]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> None:
        """Start the thread that runs the steps."""
        self._thread.start()

    def stop(self) -> None:
        """Drop all steps and end the thread."""
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def at(self, due: float, step: Step) -> None:
        """Run the step at a moment of the clock's monotonic time, or soon if that has passed."""
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._heap, (due, next(self._numbers), step))
            if self._heap[0][2] is step:
                self._changed.notify()

    def after(self, delay_s: float, step: Step) -> None:
        """Run the step after a delay."""
        self.at(self._clock.monotonic() + delay_s, step)

    def next_due(self) -> float:
        """Return the moment of the first step; infinity without one."""
        with self._changed:
            return self._heap[0][0] if self._heap else math.inf

    def run_due(self) -> int:
        """Run the steps that are due now on the calling thread and return their number."""
        count = 0
        while (step := self._pop_due()) is not None:
            _run_step(step)
            count += 1
        return count

    def _pop_due(self) -> Step | None:
        with self._changed:
            if self._heap and self._heap[0][0] <= self._clock.monotonic():
                return heapq.heappop(self._heap)[2]
            return None

    def _run(self) -> None:
        while not self._closed:
            if self.run_due():
                continue
            with self._changed:
                due = self._heap[0][0] if self._heap else math.inf
                if not self._closed and due > self._clock.monotonic():
                    self._clock.wait_until(self._changed, due)


def _run_step(step: Step) -> None:
    try:
        step()
    except Exception:
        LOG.exception("a timed step failed; the zone's deadline covers it")
