"""Top-level domains."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.query import Page, Query
from designate.model.tlds import Tld, TldDraft, TldPatch
from designate.rpc.interfaces.base import Interface


class TldsApi(Interface, Protocol):
    """Top-level domains below which zones may be created."""

    NAMESPACE: ClassVar[str] = "tlds"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: TldDraft) -> Tld:
        """Create a top-level domain; raise Duplicate or InvalidObject."""
        ...

    def get(self, context: Context, tld_id: str) -> Tld:
        """Return a top-level domain; raise NotFound when there is none."""
        ...

    def find(self, context: Context, query: Query) -> Page[Tld]:
        """Return a page of the top-level domains."""
        ...

    def update(self, context: Context, tld_id: str, patch: TldPatch) -> Tld:
        """Change the given members and return the top-level domain."""
        ...

    def delete(self, context: Context, tld_id: str) -> None:
        """Delete a top-level domain; raise NotFound when there is none."""
        ...
