"""Servers that create and delete zones themselves, from the pool's catalog zone (RFC 9432)."""

from __future__ import annotations

from designate import errors
from designate.backend.base import Backend
from designate.model.zones import ZoneAnnouncement


class CatalogBackend(Backend):
    """A target that only receives NOTIFY.

    In a pool without `catalog_zone` the server would never learn of its zones, so creating one fails.
    """

    def create_zone(self, zone: ZoneAnnouncement) -> None:  # noqa: ARG002 - part of the interface
        raise errors.BackendError(
            "the pool has no catalog_zone, from which a target of type catalog learns its zones"
        )

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """Do nothing: a server without the catalog zone has none of its zones."""
