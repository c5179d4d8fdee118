"""Cached bodies of list responses, returned as long as central confirms that they are current.

Clients poll the same page to follow a change. Central is asked each time, and checks the caller's rights
and whether anything has changed; an unchanged page is neither sent by central nor rendered again.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from designate.runtime.bounded_cache import BoundedCache

# Of all entries together.
MAX_TOTAL_BYTES: Final = 16 * 2**20
MAX_BODY_BYTES: Final = 2**20
# Counted for each entry in addition to its body; also the longest query string that is cached.
ENTRY_OVERHEAD_BYTES: Final = 2048


class PageCache:
    """A thread-safe cache of bodies by request, which evicts the least recently used ones."""

    def __init__(self) -> None:
        # Key to tag and body.
        self._pages: BoundedCache[Hashable, tuple[str, bytes]] = BoundedCache(
            MAX_TOTAL_BYTES, size_of=lambda page: ENTRY_OVERHEAD_BYTES + len(page[1])
        )

    def get(self, key: Hashable) -> tuple[str | None, bytes]:
        """Return the tag and the body; the tag is None if the page is not cached."""
        return self._pages.get(key) or (None, b"")

    def put(self, key: Hashable, tag: str, body: bytes, query_string: str) -> None:
        """Cache a body, unless it or the query string is too large."""
        if len(body) <= MAX_BODY_BYTES and len(query_string) <= ENTRY_OVERHEAD_BYTES:
            self._pages.put(key, (tag, body))
