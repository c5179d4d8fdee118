"""Bodies of answers, kept for as long as central says that they are what it would answer.

Clients look at the same page again and again, to see what has become of a change. Central is asked each
time, who may see what and whether anything has changed; the page itself is neither sent nor written again.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from designate.runtime.bounded_cache import BoundedCache

# Bytes of all bodies together.
MAX_TOTAL_BYTES: Final = 16 * 2**20
MAX_BODY_BYTES: Final = 2**20
# Of an entry beside its body; its query string is no longer than that.
ENTRY_OVERHEAD_BYTES: Final = 2048


class PageCache:
    """Bodies by the request that they answer; those not asked for longest are forgotten first.
    Thread-safe."""

    def __init__(self) -> None:
        # Key to tag and body.
        self._bodies: BoundedCache[Hashable, tuple[str, bytes]] = BoundedCache(
            MAX_TOTAL_BYTES, size_of=lambda entry: ENTRY_OVERHEAD_BYTES + len(entry[1])
        )

    def get(self, key: Hashable) -> tuple[str | None, bytes]:
        """(tag, body); tag None: there is none."""
        return self._bodies.get(key) or (None, b"")

    def put(self, key: Hashable, tag: str, body: bytes, asked: str) -> None:
        """asked: the query string."""
        if len(body) <= MAX_BODY_BYTES and len(asked) <= ENTRY_OVERHEAD_BYTES:
            self._bodies.put(key, (tag, body))
