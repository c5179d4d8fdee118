"""The nameserver is this service's own MiniDNS, which answers from the database: nothing to tell it."""

from __future__ import annotations

from typing import ClassVar

from designate.backend.base import Backend
from designate.model.zones import ZoneAnnouncement


class BuiltinBackend(Backend):
    """For pools whose nameservers are MiniDNS processes."""

    NOTIFY: ClassVar[bool] = False

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        """A stored zone is a served zone."""

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """A deleted zone is no longer served."""
