"""A cache with a bound, for every module that remembers something for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import Cache, LRUCache, TTLCache

from designate.runtime.clock import SYSTEM_CLOCK, Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Values by key; the least recently used ones are evicted first. Thread-safe."""

    def __init__(
        self,
        max_size: int,
        *,
        ttl_s: float | None = None,
        size_of: Callable[[V], int] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Make an empty cache.

        Args:
            max_size: bound of the sum of the values' sizes.
            ttl_s: seconds after which a value is gone; None keeps it until it is evicted.
            size_of: size of a value; 1 for each without it, so that max_size is their number.
            clock: measures ttl_s.
        """
        self._lock = threading.Lock()
        self._cache: Cache[K, V] = (
            LRUCache(max_size, getsizeof=size_of)
            if ttl_s is None
            else TTLCache(max_size, ttl_s, timer=clock.monotonic, getsizeof=size_of)
        )

    def __len__(self) -> int:
        with self._lock:
            return len(self._cache)

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None where there is none."""
        with self._lock:
            return self._cache.get(key)

    def put(self, key: K, value: V) -> None:
        """Store a value, evicting others where it needs room; one over max_size is not stored."""
        with self._lock:
            try:
                self._cache[key] = value
            except ValueError:  # larger than the whole cache
                self._cache.pop(key, None)
