"""Servers that make and drop their zones by themselves, as the pool's catalog zone says (RFC 9432)."""

from __future__ import annotations

from designate import errors
from designate.backend.base import Backend
from designate.model.zones import ZoneAnnouncement


class CatalogBackend(Backend):
    """A target that is told by NOTIFY alone. In a pool without `catalog_zone` nothing would tell the server
    of its zones, so creating one is an error there."""

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        raise errors.BackendError(
            "the pool has no catalog_zone, by which a target of type catalog learns its zones"
        )

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """A pool that had a catalog zone once: the server has none of its zones any more."""
