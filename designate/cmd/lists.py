"""Whole lists of central, which it returns in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from designate.context import Context, admin_context
from designate.model.query import Page, Query

PAGE_SIZE = 1000

T = TypeVar("T")


def every_item(find: Callable[[Context, Query], Page[T]], **order: Any) -> Iterator[T]:
    """Yield every item of a list as an administrator sees it.

    Args:
        find: The method of central that returns a page; the items have an `id`.
        order: Of Query: sort_key and sort_dir.
    """
    marker = None
    while True:
        items = find(admin_context(), Query(marker=marker, limit=PAGE_SIZE, **order)).items
        yield from items
        if len(items) < PAGE_SIZE:
            return
        last: Any = items[-1]
        marker = last.id
