"""How long tests wait. A deadline is given for an idle machine and grows with the load of this one.

Deadlines end tests that fail; no test that passes waits for one. Every deadline of a condition, of a reply
and of a thread's or program's end goes through `scaled`, so that no outcome depends on the machine's speed.
Timeouts that are options of the product under test do not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

# A fixed factor, where the load average does not tell how slow the machine is.
VARIABLE: Final = "DESIGNATE_TEST_DEADLINE_FACTOR"
_CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def factor() -> float:
    """Return by how much deadlines grow now, at least 1.

    The load average is read each time: other work may begin in the middle of a run. It lags by a minute, so
    the other test processes of this run count from its start.
    """
    fixed = os.environ.get(VARIABLE)
    if fixed:
        return max(1.0, float(fixed))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return max(1.0, processes / _CORES, os.getloadavg()[0] / _CORES)


def scaled(timeout_s: float) -> float:
    """Return a deadline, given in seconds of an idle machine, in seconds of this one."""
    return timeout_s * factor()


def until(
    condition: Callable[[], object],
    timeout_s: float = 10.0,
    what: str = "it",
    pause_s: float = 0.005,
) -> object:
    """Return the condition's first true value.

    Args:
        condition: Is called every pause_s.
        timeout_s: Is scaled.
        what: Names the condition in the error.
        pause_s: Is not scaled.

    Raises:
        AssertionError: The condition stayed false until the deadline.
    """
    began_s = time.monotonic()
    while time.monotonic() - began_s < scaled(timeout_s):
        value = condition()
        if value:
            return value
        time.sleep(pause_s)
    raise AssertionError(f"{what} did not come true within {scaled(timeout_s):.1f} s")
