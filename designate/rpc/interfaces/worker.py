"""Workers."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.zones import NameserverAnswer, ZoneAnnouncement
from designate.rpc.interfaces.base import Interface


class WorkerApi(Interface, Protocol):
    """Workers, which make nameservers agree with the database.

    Methods that change something are casts; the periodic recovery repairs lost ones.
    """

    NAMESPACE: ClassVar[str] = "worker"
    VERSION: ClassVar[str] = "1.0"
    CASTS: ClassVar[frozenset[str]] = frozenset({"zone_changed", "refresh_zone", "check_zones"})
    FANOUTS: ClassVar[frozenset[str]] = frozenset({"zone_served"})

    def zone_changed(self, context: Context, change: ZoneAnnouncement) -> None:
        """Bring a zone's new revision to its nameservers and report the outcome to central."""
        ...

    def refresh_zone(self, context: Context, zone_id: str, source: str | None = None) -> None:
        """Check a secondary zone's primaries for a newer version.

        Args:
            context: Of the request.
            zone_id: The zone.
            source: Address of the primary that sent a NOTIFY, which is queried first; None: no
            NOTIFY came.
        """
        ...

    def check_zones(self, context: Context, changes: tuple[ZoneAnnouncement, ...]) -> None:
        """Check that the nameservers still serve these zones and repair what they do not serve."""
        ...

    def look(self, context: Context, change: ZoneAnnouncement) -> tuple[NameserverAnswer, ...]:
        """Query the zone's nameservers now and return their answers, within some seconds."""
        ...

    def zone_served(self, context: Context, zone_id: str, serial: int, peer: str) -> None:
        """Hint that the nameserver at the address `peer` has just transferred this serial."""
        ...
