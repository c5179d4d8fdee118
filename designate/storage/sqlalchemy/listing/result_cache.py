"""Results of searches in zones, cached until the zone changes.

A pattern with a wildcard at its start is compared with all names of a zone, and clients read a list page by
page: each page would search the zone again to count the same recordsets. Every change of a zone, its
recordsets or what its nameservers serve raises the version of the zone's row in the same transaction, so a
result is valid for the version that was read with it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from designate.model.query import Query
from designate.model.zones import Zone
from designate.runtime.bounded_cache import BoundedCache

# Of all results.
MAX_CACHED_BYTES: Final = 32 * 2**20
# Bytes of a result without ids, and of each id that is not ordered.
MIN_ENTRY_BYTES: Final = 4096
ID_BYTES: Final = 90
MAX_FILTER_CHARS: Final = 1000
MAX_ORDERED: Final = 200_000
SLOW_S = 0.02
ID_LENGTH: Final = 36


class OrderedIds:
    """Ids in a list's order, stored compactly."""

    def __init__(self, ids: Sequence[str]) -> None:
        """Store ids; raise ValueError unless all are UUIDs of ID_LENGTH characters."""
        self._text = "".join(ids)
        # No id is longer than its column.
        if len(self._text) != len(ids) * ID_LENGTH:
            raise ValueError("an id is not a UUID")

    def __len__(self) -> int:
        return len(self._text) // ID_LENGTH

    def after(self, marker: str | None, limit: int) -> list[str] | None:
        """Return at most `limit` ids after the marker; None: the marker is not one of the ids."""
        start = 0
        if marker is not None:
            start = self._text.find(marker)
            while start % ID_LENGTH and start >= 0:
                start = self._text.find(marker, start + 1)
            if start < 0 or len(marker) != ID_LENGTH:
                return None
            start += ID_LENGTH
        end = min(start + limit * ID_LENGTH, len(self._text))
        return [self._text[at : at + ID_LENGTH] for at in range(start, end, ID_LENGTH)]


@dataclass(frozen=True, slots=True)
class CachedResult:
    """The result of a search.

    Attributes:
        total: How many recordsets match.
        ids: Their ids without an order, where they are few.
        ordered: All their ids in the query's order.
        slow: Reading a page in this order was slow.
    """

    total: int
    ids: tuple[str, ...] | None = None
    ordered: OrderedIds | None = None
    slow: bool = False

    @property
    def size(self) -> int:
        """The approximate size in bytes."""
        ordered = 0 if self.ordered is None else len(self.ordered) * ID_LENGTH
        return MIN_ENTRY_BYTES + len(self.ids or ()) * ID_BYTES + ordered


class ResultCache:
    """The newest result of each search of each zone; the least recently used ones are evicted first.

    `zone` is always the zone as it was read in the snapshot of the result. Thread-safe.
    """

    def __init__(self, *, max_ordered: int = MAX_ORDERED, slow_s: float | None = None) -> None:
        """Set the limits.

        Args:
            max_ordered: The largest number of recordsets of a zone whose ids are ordered here.
            slow_s: After a page that took longer the ids are ordered for the next one. None: SLOW_S.
        """
        self.max_ordered = max_ordered
        self.slow_s = SLOW_S if slow_s is None else slow_s
        self._cache: BoundedCache[Hashable, tuple[int, CachedResult]] = BoundedCache(
            MAX_CACHED_BYTES, size_of=lambda entry: entry[1].size
        )

    def get(self, zone: Zone, query: Query) -> CachedResult | None:
        """Return the cached result of these filters and this order; None: there is none."""
        version, result = self._cache.get(_key(zone, query)) or (None, None)
        return result if version == zone.version else None

    def store(self, zone: Zone, query: Query, result: CachedResult) -> None:
        """Cache a result, unless it or its filters are too large."""
        fits = result.size <= MAX_CACHED_BYTES // 4
        if fits and sum(map(len, query.filters.values())) <= MAX_FILTER_CHARS:
            self._cache.put(_key(zone, query), (zone.version, result))


def _key(zone: Zone, query: Query) -> Hashable:
    return zone.id, frozenset(query.filters.items()), query.sort_key, query.sort_dir
