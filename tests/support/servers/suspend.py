"""Processes that hang: stopped by SIGSTOP, with their connections open."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.support.deadlines import until

ENDED = {"Z", "X"}
STOPPED = {"T", "t", *ENDED}


def suspend(process_id: int) -> None:
    """Stop a process, and return when none of its threads runs any more.

    The signal alone takes effect some time later: until then a thread may still serve a request.
    """
    os.kill(process_id, signal.SIGSTOP)
    until(lambda: _threads(process_id) <= STOPPED, 10, f"the stop of process {process_id}")


def resume(process_id: int) -> None:
    """Let a suspended process go on."""
    os.kill(process_id, signal.SIGCONT)


def ended(process_id: int) -> bool:
    """Return whether no thread of a process is left, except a zombie that its parent has yet to collect."""
    return _threads(process_id) <= ENDED


def _threads(process_id: int) -> set[str]:
    """Return the states of the threads that exist (proc(5), field 3 of stat)."""
    states = set()
    for thread in Path(f"/proc/{process_id}/task").glob("*/stat"):
        try:
            # The name before the state may itself hold parentheses.
            states.add(thread.read_text().rpartition(")")[2].split()[0])
        except OSError:
            continue  # that thread has ended
    return states
