"""Imports of zone files."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.jobs import ImportDraft, ZoneJob
from designate.model.query import Page, Query
from designate.rpc.interfaces.base import Interface


class ImportsApi(Interface, Protocol):
    """Imports: zone files that become zones. Central runs the job after `create` returns."""

    NAMESPACE: ClassVar[str] = "imports"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: ImportDraft) -> ZoneJob:
        """Store an import and return it as PENDING."""
        ...

    def get(self, context: Context, import_id: str) -> ZoneJob:
        """Return an import of the caller's project; raise NotFound when there is none."""
        ...

    def find(self, context: Context, query: Query) -> Page[ZoneJob]:
        """Return a page of the imports of the caller's project."""
        ...

    def delete(self, context: Context, import_id: str) -> None:
        """Delete the record of an import."""
        ...
