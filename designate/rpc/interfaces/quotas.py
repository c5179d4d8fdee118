"""Quotas."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.quotas import ProjectLimits, Quotas
from designate.rpc.interfaces.base import Interface


class QuotasApi(Interface, Protocol):
    """Quotas of projects."""

    NAMESPACE: ClassVar[str] = "quotas"
    VERSION: ClassVar[str] = "1.0"

    def limits(self, context: Context) -> ProjectLimits:
        """Return the limits of the caller's project."""
        ...

    def get(self, context: Context, project_id: str) -> Quotas:
        """Return the quotas of a project."""
        ...

    def set(self, context: Context, project_id: str, quotas: dict[str, int]) -> Quotas:
        """Change these quotas of the project, all or none, and return all of its quotas."""
        ...

    def reset(self, context: Context, project_id: str) -> None:
        """Return the project to the configured quotas."""
        ...
