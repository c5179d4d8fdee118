"""Zones."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.pools import NsRecord
from designate.model.query import Page, Query
from designate.model.zones import NameserverStatus, Zone, ZoneDraft, ZonePatch
from designate.rpc.interfaces.base import Interface


class ZonesApi(Interface, Protocol):
    """Zones of the caller's project, of those shared with it, or of all (context.all_projects)."""

    NAMESPACE: ClassVar[str] = "zones"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: ZoneDraft) -> Zone:
        """Create a zone in the pool that the scheduler chooses."""
        ...

    def get(self, context: Context, zone_id: str) -> Zone:
        """Return a visible zone; raise NotFound when there is none."""
        ...

    def find(self, context: Context, query: Query) -> Page[Zone]:
        """Return a page of the visible zones."""
        ...

    def update(self, context: Context, zone_id: str, patch: ZonePatch) -> Zone:
        """Change the given members and return the zone."""
        ...

    def delete(self, context: Context, zone_id: str) -> Zone:
        """Start the deletion; the zone is removed once its nameservers have stopped serving it."""
        ...

    def nameservers(self, context: Context, zone_id: str) -> tuple[NsRecord, ...]:
        """Return the NS records of the zone's pool."""
        ...

    def nameserver_status(self, context: Context, zone_id: str) -> tuple[NameserverStatus, ...]:
        """Query each nameserver of the zone now; raise Unavailable when no worker replies."""
        ...

    def abandon(self, context: Context, zone_id: str) -> None:
        """Delete the zone from the database only; its nameservers keep serving what they have."""
        ...

    def transfer_in(self, context: Context, zone_id: str) -> None:
        """Check a secondary zone's primaries for a newer version now."""
        ...

    def pool_move(self, context: Context, zone_id: str, pool_id: str | None) -> None:
        """Move the zone to another pool; None: to the one that the scheduler chooses."""
        ...
