"""Addresses of host names, looked up beside the threads that answer: a resolver may take its time."""

from __future__ import annotations

import ipaddress
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from designate.runtime.bounded_cache import BoundedCache
from designate.wire import resolver

KNOWN_S = 60.0
MOST_KNOWN = 10_000
MOST_WAITING = 200
THREADS = 2


def same_address(left: str, right: str) -> bool:
    """Whether two texts are one address, however it is written; false for what is none."""
    try:
        return ipaddress.ip_address(left) == ipaddress.ip_address(right)
    except ValueError:
        return False


class HostNames:
    """Thread-safe; what it knows is bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: BoundedCache[str, tuple[float, tuple[str, ...]]] = BoundedCache(MOST_KNOWN)
        self._waiting: set[str] = set()
        self._threads = ThreadPoolExecutor(THREADS, "hostnames")

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def addresses(self, host: str) -> tuple[str, ...] | None:
        """Never blocks. None: not known yet; ask again in a moment."""
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            pass
        with self._lock:
            until, found = self._known.get(host) or (0.0, None)
            if until < monotonic() and host not in self._waiting:
                if len(self._waiting) >= MOST_WAITING:
                    return found
                self._waiting.add(host)
                self._threads.submit(self._look_up, host)
            return found

    def _look_up(self, host: str) -> None:
        try:
            found = resolver.addresses(host)
        except (OSError, ValueError):
            found = ()
        with self._lock:
            self._waiting.discard(host)
            self._known.put(host, (monotonic() + KNOWN_S, found))
