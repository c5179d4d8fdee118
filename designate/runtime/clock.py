"""The clock of a process, as a value that tests can replace.

Code that waits or measures takes a `Clock`, so a unit test advances the time instead of sleeping.
"""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime
from typing import Protocol


def utcnow() -> datetime:
    """Return the current time as it is stored: naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


class Clock(Protocol):
    """Tells the time and waits for it to pass."""

    def now(self) -> datetime:
        """Return the wall clock's time, naive UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary origin."""

    def wait_until(self, condition: threading.Condition, deadline: float) -> bool:
        """Wait until the condition is notified or the deadline has passed.

        May wake early for no reason, as a condition does: call it in a loop that checks the state.

        Args:
            condition: held by the caller; released during the wait.
            deadline: a moment of `monotonic()`; infinite means to wait for a notification alone.

        Returns:
            False when the deadline has passed.
        """


class SystemClock:
    """The clock of the operating system."""

    def now(self) -> datetime:
        """Return the wall clock's time, naive UTC."""
        return utcnow()

    def monotonic(self) -> float:
        """Return the seconds of time.monotonic()."""
        return time.monotonic()

    def wait_until(self, condition: threading.Condition, deadline: float) -> bool:
        """Wait until the condition is notified or the deadline has passed."""
        if math.isinf(deadline):
            return condition.wait()
        return condition.wait(max(0.0, deadline - time.monotonic()))


SYSTEM_CLOCK: Clock = SystemClock()
