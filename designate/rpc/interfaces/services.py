"""Service statuses."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.query import Page, Query
from designate.model.services import Heartbeat, ServiceStatus
from designate.rpc.interfaces.base import Interface


class ServicesApi(Interface, Protocol):
    """Heartbeats of the services, and their statuses for administrators."""

    NAMESPACE: ClassVar[str] = "services"
    VERSION: ClassVar[str] = "1.0"
    CASTS: ClassVar[frozenset[str]] = frozenset({"heartbeat"})

    def heartbeat(self, context: Context, heartbeat: Heartbeat) -> None:
        """Store a heartbeat. Idempotent; the newest one counts."""
        ...

    def get(self, context: Context, service_id: str) -> ServiceStatus:
        """Return the status of a service; raise NotFound when there is none."""
        ...

    def find(self, context: Context, query: Query) -> Page[ServiceStatus]:
        """Return a page of the services' statuses."""
        ...

    def mark_down(self, context: Context, silent_s: float, limit: int) -> int:
        """Store DOWN for services without a heartbeat for silent_s and return how many changed.

        Reads show such services as DOWN already.
        """
        ...

    def clean_up(self, context: Context, down_s: float | None, limit: int) -> int:
        """Delete services that stopped or are overdue and return how many rows were deleted.

        Args:
            context: Of the request.
            down_s: Delete also services that are DOWN and sent no heartbeat for so long; None: keep
            them.
            limit: Rows to delete at most.
        """
        ...
