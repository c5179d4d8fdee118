"""Periodic work on zones."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.zones import Zone
from designate.rpc.interfaces.base import Interface


class SweepsApi(Interface, Protocol):
    """Periodic work on the zones of some shards, in bounded batches; every method is idempotent.

    first_shard, last_shard: the caller's shards, both included (see `designate.model.shards`).
    limit: how many zones or rows one call processes at most. generation: of the lease by which the
    caller holds the shards; the methods raise LeaseLost when the group has another generation.
    None: not checked.
    """

    NAMESPACE: ClassVar[str] = "sweeps"
    VERSION: ClassVar[str] = "1.0"

    def purge(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        kept_s: float,
        generation: int | None = None,
    ) -> int:
        """Remove zones deleted over kept_s ago and outdated journal steps; return the row count."""
        ...

    def follow_pools(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        generation: int | None = None,
    ) -> int:
        """Update zones whose apex NS is older than their pool's NS records; return how many."""
        ...

    def audit(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        after: str,
        until: datetime,
        generation: int | None = None,
    ) -> tuple[Zone, ...]:
        """Claim the next zones for the existence notifications of an audit period.

        Each zone is returned once per period.

        Args:
            context: Of the request.
            first_shard: First shard of the caller.
            last_shard: Last shard of the caller.
            limit: Zones to return at most.
            after: Id of the last zone of the previous call; empty at first.
            until: End of the audit period, naive UTC.
            generation: See the class.
        """
        ...

    def reconcile(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        after: str,
        generation: int | None = None,
    ) -> str:
        """Have a worker check that the next zones recorded as served are really served.

        Args:
            context: Of the request.
            first_shard: First shard of the caller.
            last_shard: Last shard of the caller.
            limit: Zones to check at most.
            after: Id of the last zone of the previous call; empty at first.
            generation: See the class.

        Returns:
            The id of the last zone; empty when there are no more.
        """
        ...
