"""Counts the requests of projects; see `designate.api.rate_limit`, which imports it only if needed."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from limits import RateLimitItemPerMinute
from limits import errors as limits_errors
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from designate import errors
from designate.api.rate_limit import GROUP
from designate.runtime.bounded_cache import BoundedCache
from designate.runtime.clock import SYSTEM_CLOCK, Clock

LOG = logging.getLogger(__name__)

# One that is forgotten sent nothing while this number of other projects did.
MAX_PROJECTS = 10_000
STORAGE_TIMEOUT_S = 0.5
# How long a storage that failed is not asked.
STORAGE_PAUSE_S = 10.0
STORAGE_OPTIONS: dict[str, dict[str, Any]] = {
    "memcached": {"connect_timeout": STORAGE_TIMEOUT_S, "timeout": STORAGE_TIMEOUT_S},
    "redis": {
        "socket_connect_timeout": STORAGE_TIMEOUT_S,
        "socket_timeout": STORAGE_TIMEOUT_S,
    },
}
STORAGE_OPTIONS["rediss"] = STORAGE_OPTIONS["redis"]


class BoundedStorage(Storage):
    """Counters in this process' memory; the least recently used ones are forgotten. Thread-safe.

    The library's own has no bound, and starts a thread that walks all counters at almost every request.
    """

    STORAGE_SCHEME = None

    def __init__(
        self, max_counters: int = MAX_PROJECTS, now: Callable[[], float] = time.time
    ) -> None:
        """Make an empty storage; now: returns the unix time."""
        super().__init__()
        self._now = now
        self._max_counters = max_counters
        self._lock = threading.Lock()
        self._counters: BoundedCache[str, tuple[int, float]] = BoundedCache(max_counters)

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return what the storage raises: nothing."""
        return ConnectionError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, and return the counter; it ends `expiry` seconds after it began."""
        with self._lock:
            count, end = self._counters.get(key) or (0, 0.0)
            now = self._now()
            if end <= now:
                count, end = 0, now + expiry
            self._counters.put(key, (count + amount, end))
            return count + amount

    def get(self, key: str) -> int:
        """Return the counter."""
        count, end = self._counters.get(key) or (0, 0.0)
        return count if end > self._now() else 0

    def get_expiry(self, key: str) -> float:
        """Return the end of the counter in unix time."""
        _, end = self._counters.get(key) or (0, 0.0)
        return max(end, self._now())

    def check(self) -> bool:
        """Return whether the storage works."""
        return True

    def reset(self) -> int | None:
        """Forget all counters."""
        with self._lock:
            found = len(self._counters)
            self._counters = BoundedCache(self._max_counters)
        return found

    def clear(self, key: str) -> None:
        """Forget a counter."""
        with self._lock:
            self._counters.put(key, (0, 0.0))


class ProjectRateLimit:
    """Counts the requests of each project. Thread-safe."""

    def __init__(
        self,
        per_minute: int,
        storage: Storage,
        exempt: frozenset[str] = frozenset(),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Set up the limit; nothing is connected yet."""
        self._item = RateLimitItemPerMinute(per_minute, namespace="designate-api")
        self._limiter = FixedWindowRateLimiter(storage)
        self._exempt = exempt
        self._clock = clock
        self._paused_until = -math.inf

    def check(self, project_id: str | None, user_id: str | None) -> None:
        """Count a request; a token without a project counts for its user.

        Raises:
            TooManyRequests: There were too many in this minute.
        """
        if project_id in self._exempt or self._clock.monotonic() < self._paused_until:
            return
        key = project_id or f"user:{user_id}"
        try:
            if self._limiter.hit(self._item, key):
                return
            end = self._limiter.get_window_stats(self._item, key).reset_time
        except (limits_errors.StorageError, OSError) as error:
            LOG.warning(
                "[%s] rate_limit_storage unavailable, no limit for %d s: %s",
                GROUP, STORAGE_PAUSE_S, errors.first_line(error),
            )  # fmt: skip
            self._paused_until = self._clock.monotonic() + STORAGE_PAUSE_S
            return
        raise errors.TooManyRequests(
            f"The project may send {self._item.amount} requests per minute",
            retry_after_s=max(1, math.ceil(end - time.time())),
        )


def storage_of(url: str | None) -> Storage:
    """Return the storage at the URL; None: this process' memory.

    Raises:
        ConfigurationError: It cannot be used.
    """
    if not url:
        return BoundedStorage()
    scheme = url.partition(":")[0]
    if scheme not in STORAGE_OPTIONS:
        raise errors.ConfigurationError(
            f"[{GROUP}] rate_limit_storage begins with redis:// or memcached://"
        )
    try:
        storage: Any = storage_from_string(url, wrap_exceptions=True, **STORAGE_OPTIONS[scheme])
    except (limits_errors.ConfigurationError, ValueError):
        extra = "memcached" if scheme == "memcached" else "redis"
        raise errors.ConfigurationError(
            f"[{GROUP}] rate_limit_storage: not an address {extra}://host:port, or the client library "
            f"is not installed (pip install designate[{extra}])"
        ) from None
    found: Storage = storage
    return found
