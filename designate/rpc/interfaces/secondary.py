"""Secondary zones and their transfers in."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.secondary import TransferInContent, TransferInOutcome, TransferInPlan
from designate.rpc.interfaces.base import Interface


class SecondaryApi(Interface, Protocol):
    """Secondary zones: for workers, which query the primaries, and for the producer (refresh)."""

    NAMESPACE: ClassVar[str] = "inbound"
    VERSION: ClassVar[str] = "1.0"
    CASTS: ClassVar[frozenset[str]] = frozenset({"discard", "checked", "failed"})

    def plan(self, context: Context, zone_id: str) -> TransferInPlan:
        """Return the primaries and serials of a secondary zone; raise NotFound for others."""
        ...

    def stage(
        self, context: Context, zone_id: str, transfer_id: str, position: int, part: bytes
    ) -> None:
        """Store a part of a transfer until replace_content. Idempotent.

        Transfers that are too large for one message come in parts.

        Args:
            context: Of the request.
            zone_id: The zone.
            transfer_id: Chosen by the worker.
            position: Of the part, starting at 0.
            part: RRs in the form of `designate.wire.rr`.
        """
        ...

    def discard(self, context: Context, transfer_id: str) -> None:
        """Delete the staged parts of a transfer."""
        ...

    def replace_content(self, context: Context, content: TransferInContent) -> TransferInOutcome:
        """Make the transfer the zone's content in one transaction.

        Raises:
            BadRequest: The content cannot be stored or served.
        """
        ...

    def checked(self, context: Context, zone_id: str, serial: int) -> None:
        """Record that a primary confirmed this serial, whose content the zone has."""
        ...

    def failed(self, context: Context, zone_id: str, reason: str, refused: bool = False) -> None:
        """Record that no primary delivered or confirmed the zone.

        Args:
            context: Of the request.
            zone_id: The zone.
            reason: What each primary did, for the zone's owner.
            refused: The operator's rules permit none of the primaries.
        """
        ...

    def refresh(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        generation: int | None = None,
    ) -> int:
        """Send zones that are due to workers and withdraw expired ones. Idempotent.

        Args:
            context: Of the request.
            first_shard: First shard of the caller.
            last_shard: Last shard of the caller.
            limit: Zones of each sort to process at most.
            generation: See SweepsApi.

        Returns:
            How many zones were processed.
        """
        ...
