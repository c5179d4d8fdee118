"""Shared zones."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.query import Page, Query
from designate.model.shares import Share, ShareDraft
from designate.rpc.interfaces.base import Interface


class SharesApi(Interface, Protocol):
    """Shares of a zone with other projects."""

    NAMESPACE: ClassVar[str] = "shares"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, zone_id: str, draft: ShareDraft) -> Share:
        """Share the zone with a project; raise Duplicate when it is shared with it already."""
        ...

    def get(self, context: Context, zone_id: str, share_id: str) -> Share:
        """Return a share that the caller made or benefits from."""
        ...

    def find(self, context: Context, zone_id: str, query: Query) -> Page[Share]:
        """Return a page of the zone's shares that the caller made or benefits from."""
        ...

    def delete(self, context: Context, zone_id: str, share_id: str) -> None:
        """End a share; refused while the project has recordsets in the zone or zones below it."""
        ...
