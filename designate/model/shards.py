"""Shards: the division of the zones among the producers."""

from __future__ import annotations

from dataclasses import dataclass

SHARDS = 4096


def shard_of(zone_id: str) -> int:
    """Return a zone's shard: the first three hexadecimal digits of its id."""
    return int(zone_id[:3], 16)


PRODUCERS = "producer"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMembership:
    """A member's place in a group.

    generation: grows whenever the members change. position: among the members, starting at 0.
    """

    generation: int
    position: int
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """The zones whose ids begin with first..last (three hexadecimal digits).

    generation: of the membership that assigned them to this producer; None: no generations are
    checked.
    """

    first: int = 0
    last: int = SHARDS - 1
    generation: int | None = None

    @property
    def leads(self) -> bool:
        """Whether the holder of this share also does the work that is not divided."""
        return self.first == 0 and self.last >= 0


def share(position: int, members: int, generation: int | None = None) -> Shards:
    """Return a member's even share of the shards.

    The shares of all positions are disjoint and complete; with more than SHARDS members some are
    empty (last < first).
    """
    return Shards(
        first=SHARDS * position // members,
        last=SHARDS * (position + 1) // members - 1,
        generation=generation,
    )
