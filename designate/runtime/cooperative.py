"""Long computations take turns with the other threads.

The system's threads are interrupted wherever they are. Green ones run on until they wait, and SQLite's
statements and all that is only computed do not: a hundred thousand recordsets would hold up everything
else in the process for seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from time import sleep
from typing import TypeVar

T = TypeVar("T")

TURN = 1000


def in_turns(items: Iterable[T]) -> Iterator[T]:
    """The items; before each TURN of them the others are let on."""
    left = iter(items)
    while turn := list(islice(left, TURN)):
        let_others_on()
        yield from turn


def let_others_on() -> None:
    """Nearly free where they are the system's threads."""
    sleep(0)
