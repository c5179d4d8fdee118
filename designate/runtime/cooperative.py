"""Cooperative yields of long computations to the other threads of the process.

The system's threads are preempted anywhere. Green threads run until they wait, and neither SQLite's
statements nor pure computation wait: a hundred thousand recordsets would stop everything else in
the process for seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from time import sleep
from typing import TypeVar

T = TypeVar("T")

YIELD_EVERY = 1000


def yielding(items: Iterable[T]) -> Iterator[T]:
    """Return the items, with a yield to the other threads before every YIELD_EVERY of them."""
    remaining = iter(items)
    while batch := list(islice(remaining, YIELD_EVERY)):
        yield_to_others()
        yield from batch


def yield_to_others() -> None:
    """Let the other threads run; nearly free with system threads."""
    sleep(0)
