"""A thread that repeats a step."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from designate.runtime.backoff import INTERVAL_SPREAD, jittered

LOG = logging.getLogger(__name__)


class Periodic:
    """Runs a step at start() and then every interval_s, with jitter.

    A step may return a number of seconds to wait before the next run alone. A step that fails is
    logged and repeated at the next run.
    """

    def __init__(self, name: str, interval_s: float, step: Callable[[], object]) -> None:
        self._name = name
        self._interval_s = interval_s
        self._step = step
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the step that runs; waits at most 10 s."""
        self._stopping = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)

    def run_soon(self) -> None:
        """Run the step now instead of at the end of the interval."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            wait_s: object = None
            try:
                wait_s = self._step()
            except Exception:
                LOG.exception("%s: failed, will be retried", self._name)
            if not self._stopping:
                wait_s = wait_s if isinstance(wait_s, float) else self._interval_s
                self._wake.wait(jittered(wait_s, INTERVAL_SPREAD))
