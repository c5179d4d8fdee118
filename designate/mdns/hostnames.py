"""Host name look-ups in threads of their own, so that a slow resolver does not delay replies."""

from __future__ import annotations

import ipaddress
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from designate.runtime.bounded_cache import BoundedCache
from designate.wire import resolver

CACHE_S = 60.0
MAX_CACHED = 10_000
MAX_PENDING = 200
THREADS = 2


def same_address(first: str, second: str) -> bool:
    """Return whether two texts are the same address; False if one is not an address."""
    try:
        return ipaddress.ip_address(first) == ipaddress.ip_address(second)
    except ValueError:
        return False


class HostNames:
    """A bounded cache of look-ups. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cache: BoundedCache[str, tuple[float, tuple[str, ...]]] = BoundedCache(MAX_CACHED)
        self._pending: set[str] = set()
        self._threads = ThreadPoolExecutor(THREADS, "hostnames")

    def stop(self) -> None:
        """Cancel the pending look-ups."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def addresses(self, host: str) -> tuple[str, ...] | None:
        """Return the addresses of a host without blocking; None while the first look-up is pending."""
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            pass
        with self._lock:
            until, found = self._cache.get(host) or (0.0, None)
            if until < monotonic() and host not in self._pending:
                if len(self._pending) >= MAX_PENDING:
                    return found
                self._pending.add(host)
                self._threads.submit(self._look_up, host)
            return found

    def _look_up(self, host: str) -> None:
        try:
            found = resolver.addresses(host)
        except (OSError, ValueError):
            found = ()
        with self._lock:
            self._pending.discard(host)
            self._cache.put(host, (monotonic() + CACHE_S, found))
