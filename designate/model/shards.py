"""How the zones are divided over the producers."""

from __future__ import annotations

from dataclasses import dataclass

SHARDS = 4096


def shard_of(zone_id: str) -> int:
    """The first three hexadecimal digits."""
    return int(zone_id[:3], 16)


PRODUCERS = "producer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One member's place in a group. generation: grows whenever the members change. position: among
    the members, from 0 on."""

    generation: int
    position: int
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """The zones whose ids' first three hex digits are first..last. generation: of the membership by
    which they are this producer's; None: nobody counts generations."""

    first: int = 0
    last: int = SHARDS - 1
    generation: int | None = None

    @property
    def leads(self) -> bool:
        """Whether work that is not divided belongs to the holder of this share."""
        return self.first == 0 and self.last >= 0


def share(position: int, members: int, generation: int | None = None) -> Shards:
    """A member's even share. The shares of all positions are disjoint and complete; with more than
    SHARDS members some are empty (last < first)."""
    return Shards(
        first=SHARDS * position // members,
        last=SHARDS * (position + 1) // members - 1,
        generation=generation,
    )
