"""What a list request asks for, and the page that answers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from designate.model.codec import COLUMNS

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One page of a collection.

    filters: member name to the text that the client gave. A `*` (or `%`) matches any run of
    characters; everything else is equality.
    limit: most items to return, at least 1. None: the configured default.
    marker: id of the last item seen; the page starts after it.
    sort_key: one of the collection's keys. Ties are broken by id, in the same direction; null
    sorts before every value.
    known: the tag of the page that the asker has of the last time.
    """

    filters: dict[str, str] = field(default_factory=dict)
    limit: int | None = None
    marker: str | None = None
    sort_key: str = "created_at"
    sort_dir: str = "asc"
    known: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """items in the order asked for; total_count over all pages, None when it was not counted. tag: pages of
    one query that have the same one are the same; None: nobody can tell. same: nothing else is said,
    for the page is the one that the asker knows."""

    items: tuple[T, ...] = field(metadata=COLUMNS)
    total_count: int | None = None
    tag: str | None = None
    same: bool = False
