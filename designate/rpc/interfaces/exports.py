"""Exports of zone files."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.jobs import ZoneJob
from designate.model.query import Page, Query
from designate.rpc.interfaces.base import Interface


class ExportsApi(Interface, Protocol):
    """Exports: zones that become zone files. Central runs the job after `create` returns."""

    NAMESPACE: ClassVar[str] = "exports"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, zone_id: str) -> ZoneJob:
        """Store an export and return it as PENDING; raise OverQuota for too large a zone."""
        ...

    def get(self, context: Context, export_id: str) -> ZoneJob:
        """Return an export of the caller's project; raise NotFound when there is none."""
        ...

    def find(self, context: Context, query: Query) -> Page[ZoneJob]:
        """Return a page of the exports of the caller's project."""
        ...

    def delete(self, context: Context, export_id: str) -> None:
        """Delete the record of an export."""
        ...

    def file(self, context: Context, export_id: str) -> str:
        """Return the zone file as it was when the job ran."""
        ...

    def render(self, context: Context, zone_id: str) -> str:
        """Return the zone file of a zone as it is now (the admin API's export)."""
        ...
