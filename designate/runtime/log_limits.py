"""Outages in the log: one line without a traceback, and repetitions of it as a number.

Libraries log the same error at every attempt, in every thread, as long as a broker or a database is down.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 60.0
MAX_KEYS: Final = 256
# What says the same again and again while a broker or database is unavailable.
LOGGERS: Final = (
    "amqp",
    "kombu.connection",
    "oslo.messaging._drivers.impl_rabbit",
    "oslo_messaging._drivers.amqp",
    "oslo_messaging._drivers.amqpdriver",
    "oslo_messaging._drivers.common",
    "oslo_messaging._drivers.impl_rabbit",
    "oslo.messaging._drivers.pool",
    "oslo_messaging._drivers.pool",
    "oslo_messaging.notify.messaging",
    "oslo_messaging.rpc.server",
    "oslo_messaging.server",
    "designate.producer.membership",
    "designate.producer.service",
    "designate.rpc.oslo",
    "designate.storage.sqlalchemy.db.execution",
)


# Logs each error of a database with a traceback, before this service handles it and logs a line of its own.
LOGGED_TWICE: Final = "oslo_db.sqlalchemy.exc_filters"
# Packages whose exceptions an outage raises, besides OSError; by name, since few programs import them.
PACKAGES: Final = frozenset({"amqp", "kombu", "oslo_messaging"})
_VARYING = re.compile(r"[0-9a-f]{8}-?[0-9a-f-]{24,27}|[\d.]+")


class RepeatLimit(logging.Filter):
    """Passes a warning or error once in EVERY_S, then with the number of those left out.

    Records are the same if logger, level and text are, apart from numbers and ids. An exception of an
    outage loses its traceback, and its text is a part of the line. Thread-safe.

    Args:
        every_s: For how long the same record is left out.
        now: Returns monotonic seconds.
    """

    def __init__(self, every_s: float = EVERY_S, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._now = now
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        if record.levelno < logging.WARNING:
            return True
        text = _VARYING.sub("#", record.getMessage())
        key, now_s = (record.name, record.levelno, text), self._now()
        with self._lock:
            until_s, left_out = self._seen.get(key, (0.0, 0))
            if now_s < until_s:
                self._seen[key] = until_s, left_out + 1
                return False
            if len(self._seen) >= MAX_KEYS:
                self._seen.clear()
            self._seen[key] = now_s + self._every_s, 0
        if record.exc_info and record.exc_info[1] and _is_of_outage(record.exc_info[1]):
            error, record.exc_info = record.exc_info[1], None
            _append(record, f": {type(error).__name__}: {str(error).partition(chr(10))[0]}")
        if left_out:
            _append(record, f" ({left_out} more like this since the last one)")
        return True


def _is_of_outage(error: BaseException) -> bool:
    packages = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    return isinstance(error, OSError) or not PACKAGES.isdisjoint(packages)


def _append(record: logging.LogRecord, text: str) -> None:
    message = record.getMessage()
    record.msg, record.args = "%s%s", (message, text)


def install() -> None:
    """Limit the LOGGERS of this process; call it once."""
    logging.getLogger(LOGGED_TWICE).setLevel(logging.CRITICAL)
    limit = RepeatLimit()
    for name in LOGGERS:
        logging.getLogger(name).addFilter(limit)
