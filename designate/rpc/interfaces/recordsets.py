"""Recordsets."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.query import Page, Query
from designate.model.recordsets import RecordSet, RecordSetDraft, RecordSetPatch
from designate.rpc.interfaces.base import Interface


class RecordSetsApi(Interface, Protocol):
    """Recordsets of one zone, or (zone_id None) of all zones of the caller's project."""

    NAMESPACE: ClassVar[str] = "recordsets"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, zone_id: str, draft: RecordSetDraft) -> RecordSet:
        """Create a recordset in the zone; raise Duplicate, OverQuota or BadRequest."""
        ...

    def get(self, context: Context, zone_id: str | None, recordset_id: str) -> RecordSet:
        """Return a visible recordset; raise NotFound when there is none."""
        ...

    def find(self, context: Context, zone_id: str | None, query: Query) -> Page[RecordSet]:
        """Return a page of the visible recordsets."""
        ...

    def update(
        self, context: Context, zone_id: str, recordset_id: str, patch: RecordSetPatch
    ) -> RecordSet:
        """Change the given members and return the recordset."""
        ...

    def check_update(self, context: Context, zone_id: str, recordset_id: str) -> RecordSet:
        """Return the recordset if the caller may update it at all, before a body is read.

        Refuses recordsets that are missing, managed, the SOA or the apex NS.
        """
        ...

    def delete(self, context: Context, zone_id: str, recordset_id: str) -> RecordSet:
        """Delete the recordset and return it as it is being deleted."""
        ...
