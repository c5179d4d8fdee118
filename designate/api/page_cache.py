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
MOST_KEPT: Final = 16 * 2**20
LONGEST_KEPT: Final = 2**20
# Of an entry beside its body; its query string is no longer than that.
LEAST_SIZE: Final = 2048


class KeptBodies:
    """Bodies by the request that they answer; those not asked for longest are forgotten first.
    Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Key to tag and body.
        self._kept: LRUCache[Hashable, tuple[str, bytes]] = LRUCache(
            MOST_KEPT, getsizeof=lambda kept: LEAST_SIZE + len(kept[1])
        )

    def get(self, key: Hashable) -> tuple[str | None, bytes]:
        """(tag, body); tag None: there is none."""
        with self._lock:
            found: tuple[str | None, bytes] = self._kept.get(key, (None, b""))
        return found

    def keep(self, key: Hashable, tag: str, body: bytes, asked: str) -> None:
        """asked: the query string."""
        if len(body) <= LONGEST_KEPT and len(asked) <= LEAST_SIZE:
            with self._lock:
                self._kept[key] = (tag, body)
