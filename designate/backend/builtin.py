"""The nameserver is this service's own MiniDNS, which answers from the database: nothing to tell it."""

from __future__ import annotations

from typing import ClassVar

from designate.backend.base import Backend
from designate.model.zones import ZoneChange


class BuiltinBackend(Backend):
    """For pools whose nameservers are MiniDNS processes."""

    NOTIFY: ClassVar[bool] = False

    def create_zone(self, zone: ZoneChange) -> None:
        """A stored zone is a served zone."""

    def delete_zone(self, zone: ZoneChange, *, hard_delete: bool) -> None:
        """A deleted zone is no longer served."""
