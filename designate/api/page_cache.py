"""Bodies of answers, kept for as long as central says that they are what it would answer.

Clients look at the same page again and again, to see what has become of a change. Central is asked each
time, who may see what and whether anything has changed; the page itself is neither sent nor written again.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Final

from cachetools import LRUCache

# Bytes of all bodies together.
MAX_TOTAL_BYTES: Final = 16 * 2**20
MAX_BODY_BYTES: Final = 2**20
# Of an entry beside its body; its query string is no longer than that.
ENTRY_OVERHEAD_BYTES: Final = 2048


class PageCache:
    """Bodies by the request that they answer; those not asked for longest are forgotten first.
    Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Key to tag and body.
        self._bodies: LRUCache[Hashable, tuple[str, bytes]] = LRUCache(
            MAX_TOTAL_BYTES, getsizeof=lambda kept: ENTRY_OVERHEAD_BYTES + len(kept[1])
        )

    def get(self, key: Hashable) -> tuple[str | None, bytes]:
        """(tag, body); tag None: there is none."""
        with self._lock:
            found: tuple[str | None, bytes] = self._bodies.get(key, (None, b""))
        return found

    def put(self, key: Hashable, tag: str, body: bytes, asked: str) -> None:
        """asked: the query string."""
        if len(body) <= MAX_BODY_BYTES and len(asked) <= ENTRY_OVERHEAD_BYTES:
            with self._lock:
                self._bodies[key] = (tag, body)
