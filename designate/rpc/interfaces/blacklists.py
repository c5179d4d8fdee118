"""Blacklists."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.blacklists import Blacklist, BlacklistDraft, BlacklistPatch
from designate.model.query import Page, Query
from designate.rpc.interfaces.base import Interface


class BlacklistsApi(Interface, Protocol):
    """Patterns of zone names that are refused."""

    NAMESPACE: ClassVar[str] = "blacklists"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: BlacklistDraft) -> Blacklist:
        """Create a blacklist; raise Duplicate or InvalidObject."""
        ...

    def get(self, context: Context, blacklist_id: str) -> Blacklist:
        """Return a blacklist; raise NotFound when there is none."""
        ...

    def find(self, context: Context, query: Query) -> Page[Blacklist]:
        """Return a page of the blacklists."""
        ...

    def update(self, context: Context, blacklist_id: str, patch: BlacklistPatch) -> Blacklist:
        """Change the given members and return the blacklist."""
        ...

    def delete(self, context: Context, blacklist_id: str) -> None:
        """Delete a blacklist; raise NotFound when there is none."""
        ...
