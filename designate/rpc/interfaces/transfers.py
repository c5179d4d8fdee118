"""Transfers of zones between projects."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.query import Page, Query
from designate.model.transfers import (
    TransferAccept,
    TransferAcceptDraft,
    TransferRequest,
    TransferRequestDraft,
    TransferRequestPatch,
)
from designate.rpc.interfaces.base import Interface


class TransferRequestsApi(Interface, Protocol):
    """Offers of zones to other projects."""

    NAMESPACE: ClassVar[str] = "transfer_requests"
    VERSION: ClassVar[str] = "1.0"

    def create(
        self, context: Context, zone_id: str, draft: TransferRequestDraft
    ) -> TransferRequest:
        """Offer a zone; raise Duplicate while it has another active request."""
        ...

    def get(self, context: Context, request_id: str) -> TransferRequest:
        """Return a request; the key only for those who may see the details."""
        ...

    def find(self, context: Context, query: Query) -> Page[TransferRequest]:
        """Return a page of the requests that the caller's project made or received."""
        ...

    def update(
        self, context: Context, request_id: str, patch: TransferRequestPatch
    ) -> TransferRequest:
        """Change the given members and return the request."""
        ...

    def delete(self, context: Context, request_id: str) -> None:
        """Withdraw a request, also one of a zone that is deleted."""
        ...


class TransferAcceptsApi(Interface, Protocol):
    """Acceptances of zone transfer requests."""

    NAMESPACE: ClassVar[str] = "transfer_accepts"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: TransferAcceptDraft) -> TransferAccept:
        """Make the caller's project the owner of the zone; raise Forbidden for a wrong key."""
        ...

    def get(self, context: Context, accept_id: str) -> TransferAccept:
        """Return an acceptance; raise NotFound when there is none."""
        ...

    def find(self, context: Context, query: Query) -> Page[TransferAccept]:
        """Return a page of the acceptances."""
        ...
