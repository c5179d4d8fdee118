"""Until when the one who asks waits, for as long as this thread works on what it was asked.

A call that crosses the bus says in unix seconds when it must be done, so that the time it spent on its
way counts too, in the broker and in a process that was too busy to take it. What is not stored by then
is not stored at all: its caller is being told that it failed. The hosts' clocks must agree for that.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar

# Of the time that a caller waits; the rest is for the way back.
SHARE = 0.8

_until_s: ContextVar[float | None] = ContextVar("until_s", default=None)


def until_unix(wait_s: float) -> float:
    """What is asked for now, by one who waits for wait_s, must be done by this moment: unix seconds."""
    return round(time.time() + wait_s * SHARE, 3)


def remaining_s(unix: float) -> float:
    """Seconds from now; negative: it is over."""
    return unix - time.time()


@contextlib.contextmanager
def until(unix: float | None) -> Iterator[None]:
    """What this thread does inside is done for a caller who waits until then; None: nobody waits."""
    token = _until_s.set(None if unix is None else time.monotonic() + remaining_s(unix))
    try:
        yield
    finally:
        _until_s.reset(token)


def moment_s() -> float:
    """When that is, of time.monotonic(); infinite where nobody waits."""
    until_s = _until_s.get()
    return math.inf if until_s is None else until_s
