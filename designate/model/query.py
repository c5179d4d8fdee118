"""Queries of collections, and the pages that they return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from designate.model.codec import COLUMNS

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One page of a collection.

    filters: member names and the texts that the client gave. `*` (or `%`) matches any characters;
    everything else must be equal. limit: how many items to return, at least 1; None: the configured
    default. marker: id of the last item of the previous page. sort_key: one of the collection's
    keys; ties are broken by id in the same direction, null comes before every value. known: tag of
    the page that the caller has cached.
    """

    filters: dict[str, str] = field(default_factory=dict)
    limit: int | None = None
    marker: str | None = None
    sort_key: str = "created_at"
    sort_dir: str = "asc"
    known: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A page of a collection, its items in the requested order.

    total_count: over all pages; None: not counted. tag: two pages of one query with the same tag
    are equal; None: unknown. same: the page is the one that the caller knows, so its items are left
    out.
    """

    items: tuple[T, ...] = field(metadata=COLUMNS)
    total_count: int | None = None
    tag: str | None = None
    same: bool = False
