"""The backend of MiniDNS, which answers from the database and needs no control channel."""

from __future__ import annotations

from typing import ClassVar

from designate.backend.base import Backend
from designate.model.zones import ZoneAnnouncement


class BuiltinBackend(Backend):
    """The backend of pools whose nameservers are MiniDNS processes."""

    NOTIFY: ClassVar[bool] = False

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        """Do nothing: a stored zone is served."""

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """Do nothing: a deleted zone is no longer served."""
