"""What a worker knows about a nameserver while a zone converges."""

from __future__ import annotations

from dataclasses import dataclass

from designate.model.pools import Nameserver
from designate.model.zones import ZoneAnnouncement
from designate.wire.client import SoaAnswer, SoaState
from designate.worker.proof import DataProof


@dataclass(slots=True)
class ServerState:
    """What is known about one nameserver.

    Attributes:
        nameserver: the server.
        delay_s: the wait before the next poll.
        answer: the last one.
        data: the last comparison with a change's sample.
        querying: a query is queued or being sent.
        repoll: poll again right after it, for something happened meanwhile.
        due: when the next poll is scheduled, in monotonic time.
    """

    nameserver: Nameserver
    delay_s: float
    answer: SoaAnswer | None = None
    data: DataProof | None = None
    querying: bool = False
    repoll: bool = False
    due: float | None = None

    @property
    def serial(self) -> int:
        """The serial of the last answer; 0 if that had none."""
        return self.answer.serial if self.answer is not None else 0

    @property
    def absent(self) -> bool:
        """Whether the last answer proves that the server does not have the zone."""
        return self.answer is not None and self.answer.state is SoaState.ABSENT

    def data_of(self, change: ZoneAnnouncement) -> DataProof | None:
        """Return the comparison with the change's sample, if it was made."""
        return self.data if self.data and self.data.revision == change.revision else None
