"""TSIG keys."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.query import Page, Query
from designate.model.tsigkeys import TsigKey, TsigKeyDraft, TsigKeyPatch
from designate.rpc.interfaces.base import Interface


class TsigKeysApi(Interface, Protocol):
    """TSIG keys that sign zone transfers and NOTIFY messages (RFC 8945)."""

    NAMESPACE: ClassVar[str] = "tsigkeys"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: TsigKeyDraft) -> TsigKey:
        """Create a TSIG key; raise Duplicate or InvalidObject."""
        ...

    def get(self, context: Context, tsigkey_id: str) -> TsigKey:
        """Return a TSIG key; raise NotFound when there is none."""
        ...

    def find(self, context: Context, query: Query) -> Page[TsigKey]:
        """Return a page of the TSIG keys."""
        ...

    def update(self, context: Context, tsigkey_id: str, patch: TsigKeyPatch) -> TsigKey:
        """Change the given members and return the TSIG key."""
        ...

    def delete(self, context: Context, tsigkey_id: str) -> None:
        """Delete a TSIG key; raise NotFound when there is none."""
        ...
