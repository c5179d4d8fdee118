"""Carry the caller's RPC deadline into the thread that serves the call.

A call crosses the bus with its deadline in unix seconds, so that the time it spent in the broker or in
the queue of a busy process counts too. What is not stored by then is not stored at all, because the
caller has reported a failure. This requires that the clocks of the hosts agree.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar

# The share of the caller's wait that the call may use; the rest is for the way of the reply.
SHARE = 0.8

_deadline_s: ContextVar[float | None] = ContextVar("deadline_s", default=None)


def unix_deadline(wait_s: float) -> float:
    """Return the deadline, in unix seconds, of a call whose caller waits wait_s from now."""
    return round(time.time() + wait_s * SHARE, 3)


def remaining_s(unix: float) -> float:
    """Return the seconds until a moment of unix time; negative when it has passed."""
    return unix - time.time()


@contextlib.contextmanager
def until(unix: float | None) -> Iterator[None]:
    """Give the work of this thread inside the block a deadline in unix seconds; None for no deadline."""
    token = _deadline_s.set(None if unix is None else time.monotonic() + remaining_s(unix))
    try:
        yield
    finally:
        _deadline_s.reset(token)


def monotonic_deadline() -> float:
    """Return this thread's deadline as a moment of time.monotonic(); infinite without one."""
    deadline_s = _deadline_s.get()
    return math.inf if deadline_s is None else deadline_s
