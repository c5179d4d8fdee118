"""A thread that does something again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from designate.runtime.backoff import INTERVAL_SPREAD, jittered

LOG = logging.getLogger(__name__)


class Periodic:
    """Runs a step at start() and then every interval_s, give or take a tenth; a step may answer a
    number of seconds for the next turn alone. One that fails is logged and tried again at the next
    turn."""

    def __init__(self, name: str, interval_s: float, step: Callable[[], object]) -> None:
        self._name = name
        self._interval_s = interval_s
        self._step = step
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)

    def hurry(self) -> None:
        """Make the next turn come now."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            wait_s: object = None
            try:
                wait_s = self._step()
            except Exception:
                LOG.exception("%s failed and is tried again", self._name)
            if not self._stopping:
                wait_s = wait_s if isinstance(wait_s, float) else self._interval_s
                self._wake.wait(jittered(wait_s, INTERVAL_SPREAD))
