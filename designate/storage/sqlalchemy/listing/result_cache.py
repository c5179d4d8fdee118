"""What filters found in zones, kept until the zone changes.

A pattern that is open at its beginning is looked for in all of a zone, and clients ask for a list page by
page: each page would walk the zone again to count the same recordsets. Every change of a zone, of what its
nameservers serve or of what it holds raises the version of the zone's row in the same transaction, so an
answer holds as long as the version that was read with it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from designate.model.query import Query
from designate.model.zones import Zone
from designate.runtime.bounded_cache import BoundedCache

# Bytes of all answers together.
MAX_CACHED_BYTES: Final = 32 * 2**20
# Of an answer without ids; of each id that is not in order.
MIN_ENTRY_BYTES: Final = 4096
ID_SIZE: Final = 90
MAX_FILTER_CHARS: Final = 1000
MAX_ORDERED: Final = 200_000
LONG_S: Final = 0.02
ID_LENGTH: Final = 36


class Ordered:
    """Ids in a list's order, a few bytes for each. ids: UUIDs, of ID_LENGTH letters each. Raises
    ValueError for others."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._text = "".join(ids)
        # No id is longer: the column has no more room.
        if len(self._text) != len(ids) * ID_LENGTH:
            raise ValueError("an id is no UUID")

    def __len__(self) -> int:
        return len(self._text) // ID_LENGTH

    def after(self, marker: str | None, limit: int) -> list[str] | None:
        """At most `limit` of them, from the one behind the marker; None: the marker is not one of them."""
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
    """total: how many recordsets the filters leave. ids: which, in no order, where they are few. ordered:
    all of them in the query's order. slow: finding a page in this order took long."""

    total: int
    ids: tuple[str, ...] | None = None
    ordered: Ordered | None = None
    slow: bool = False

    @property
    def size(self) -> int:
        """Bytes, more or less."""
        ordered = 0 if self.ordered is None else len(self.ordered) * ID_LENGTH
        return MIN_ENTRY_BYTES + len(self.ids or ()) * ID_SIZE + ordered


class ResultCache:
    """The newest answer to each query of each zone; those not asked for longest are forgotten first. `zone`
    is the zone as the connection has just read it, in the snapshot that the answer is of. Thread-safe."""

    def __init__(self, *, most_ordered: int = MAX_ORDERED, long_s: float = LONG_S) -> None:
        """most_ordered: of so many recordsets a zone's order is put together in this process. long_s: a
        page that took longer is the next time cut from ids that were put in order."""
        self.most_ordered = most_ordered
        self.long_s = long_s
        self._cache: BoundedCache[Hashable, tuple[int, CachedResult]] = BoundedCache(
            MAX_CACHED_BYTES, size_of=lambda entry: entry[1].size
        )

    def get(self, zone: Zone, query: Query) -> CachedResult | None:
        """What was kept for these filters and this order."""
        version, answer = self._cache.get(_key(zone, query)) or (None, None)
        return answer if version == zone.version else None

    def keep(self, zone: Zone, query: Query, answer: CachedResult) -> None:
        fits = answer.size <= MAX_CACHED_BYTES // 4
        if fits and sum(map(len, query.filters.values())) <= MAX_FILTER_CHARS:
            self._cache.put(_key(zone, query), (zone.version, answer))


def _key(zone: Zone, query: Query) -> Hashable:
    return zone.id, frozenset(query.filters.items()), query.sort_key, query.sort_dir
