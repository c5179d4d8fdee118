"""Convergence of zones."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.zones import ZoneReport
from designate.rpc.interfaces.base import Interface


class StatusApi(Interface, Protocol):
    """Reports of the workers about zones, and the recovery of zones that are still pending."""

    NAMESPACE: ClassVar[str] = "status"
    VERSION: ClassVar[str] = "1.0"
    PROMPT: ClassVar[frozenset[str]] = frozenset({"recover"})
    CASTS: ClassVar[frozenset[str]] = frozenset({"report"})

    def report(self, context: Context, report: ZoneReport) -> None:
        """Store what a worker found out about a zone. Idempotent."""
        ...

    def recover(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        generation: int | None = None,
    ) -> int:
        """Announce pending zones to the workers once more and return how many. Idempotent.

        The zones that were announced longest ago come first.

        Args:
            context: Of the request.
            first_shard: First shard of the caller.
            last_shard: Last shard of the caller.
            limit: Zones to announce at most.
            generation: See SweepsApi.
        """
        ...
