"""The same news of many things as one line: the first at once, the others as a count with samples."""

from __future__ import annotations

import logging
import re
import threading
from typing import Final

WINDOW_S: Final = 10.0
MAX_SAMPLES: Final = 3
MAX_KEYS: Final = 256
_NUMBERS = re.compile(r"\d+")


class MassLog:
    """Logs news of named things, of which hundreds may have the same. Thread-safe.

    News are the same if level and text are, apart from numbers. After the first one, those of the next
    WINDOW_S are one line. What is no warning is logged at once.

    Args:
        log: Logs the lines.
        kind: What has the news, as "zone".
    """

    def __init__(self, log: logging.Logger, kind: str) -> None:
        self._log = log
        self._kind = kind
        self._lock = threading.Lock()
        self._others: dict[tuple[int, str], list[str]] = {}

    def add(self, level: int, name: str, text: str) -> None:
        """Log the news of the thing with this name, or count it."""
        if level < logging.WARNING or not self._log.isEnabledFor(level):
            self._log.log(level, "%s %s: %s", self._kind, name, text)
            return
        key = (level, _NUMBERS.sub("#", text))
        with self._lock:
            others = self._others.get(key)
            if others is not None:
                others.append(name)
                return
            if len(self._others) < MAX_KEYS:
                self._others[key] = []
                timer = threading.Timer(WINDOW_S, self._flush, (key, text))
                timer.daemon = True
                timer.start()
        self._log.log(level, "%s %s: %s", self._kind, name, text)

    def _flush(self, key: tuple[int, str], text: str) -> None:
        with self._lock:
            names = self._others.pop(key)
        if names:
            self._log.log(
                key[0],
                "%d more %ss within %.0f s, such as %s: %s",
                len(names),
                self._kind,
                WINDOW_S,
                ", ".join(names[:MAX_SAMPLES]),
                text,
            )
