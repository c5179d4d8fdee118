"""The two priorities of a zone's work, and how much of the queues and of the turns each gets."""

from __future__ import annotations

import enum
from collections.abc import Sized

from designate.model.zones import ZoneAnnouncement

# Changes that may pass a recovery that waits.
MAX_CHANGES_IN_A_ROW = 8


class Priority(enum.Enum):
    """CHANGE: a user's change. RECOVERY: what a periodic task of the producer hands out again."""

    CHANGE = "CHANGE"
    RECOVERY = "RECOVERY"

    @classmethod
    def of(cls, change: ZoneAnnouncement) -> Priority:
        """Return the priority of a zone's change."""
        return cls.RECOVERY if change.again else cls.CHANGE

    def room(self, size: int) -> int:
        """Return how much of a queue of this size the priority may fill: recoveries half of it."""
        return size // 2 if self is Priority.RECOVERY else size


class FairOrder:
    """Chooses which priority is next: changes first, but at least every ninth turn is a recovery's.

    Not thread-safe: the owner holds a lock.
    """

    __slots__ = ("_in_a_row",)

    def __init__(self) -> None:
        self._in_a_row = 0

    def next(self, changes: Sized, recoveries: Sized) -> Priority:
        """Return the priority to serve; one of the two must not be empty."""
        if recoveries and (not changes or self._in_a_row >= MAX_CHANGES_IN_A_ROW):
            self._in_a_row = 0
            return Priority.RECOVERY
        self._in_a_row += 1
        return Priority.CHANGE
