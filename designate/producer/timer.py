"""A thread that does something again and again."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

LOG = logging.getLogger(__name__)


class Periodic:
    """Runs a step at start() and then every interval_s, give or take a tenth. A step that fails is
    logged and tried again at the next turn."""

    def __init__(self, name: str, interval_s: float, step: Callable[[], object]) -> None:
        self._name = name
        self._interval_s = interval_s
        self._step = step
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except Exception:
                LOG.exception("%s failed and is tried again", self._name)
            self._stopping.wait(self._interval_s * random.uniform(0.9, 1.1))  # noqa: S311 - jitter
