"""A clock that stands still until a test advances it."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

START = datetime(2026, 1, 1)


class ManualClock:
    """A `designate.runtime.clock.Clock` whose time passes only in `advance()`. Thread-safe."""

    def __init__(self, now: datetime = START) -> None:
        self._changed = threading.Condition()
        self._now = now
        self._monotonic = 1000.0
        self._waits: dict[object, tuple[threading.Condition, float]] = {}

    def now(self) -> datetime:
        with self._changed:
            return self._now

    def monotonic(self) -> float:
        with self._changed:
            return self._monotonic

    def wait_until(self, condition: threading.Condition, deadline: float) -> bool:
        wait = object()
        with self._changed:
            if deadline <= self._monotonic:
                return False
            self._waits[wait] = condition, deadline
            self._changed.notify_all()
        try:
            condition.wait()
        finally:
            with self._changed:
                del self._waits[wait]
        return self.monotonic() < deadline

    def advance(self, seconds: float = 0.0, **delta: float) -> None:
        """Let time pass and wake the waits whose deadline has come.

        Call it without holding the conditions that others wait for.

        Args:
            seconds: how much time passes.
            delta: more of it, in the units of timedelta, such as `hours=1`.
        """
        step = timedelta(seconds=seconds, **delta)
        with self._changed:
            self._now += step
            self._monotonic += step.total_seconds()
            due = [wait for wait, deadline in self._waits.values() if deadline <= self._monotonic]
        for condition in due:
            with condition:
                condition.notify_all()

    def wait_for_waits(self, count: int = 1, timeout_s: float = 5.0) -> None:
        """Block until so many threads wait for this clock, so that an advance reaches them."""
        ends = time.monotonic() + timeout_s
        with self._changed:
            while len(self._waits) < count:
                if not self._changed.wait(max(0.0, ends - time.monotonic())):
                    raise AssertionError(f"{len(self._waits)} threads wait, not {count}")
