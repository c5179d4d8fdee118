"""Counts for the admin API."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.usage import Counts, ProjectZones
from designate.rpc.interfaces.base import Interface


class UsageApi(Interface, Protocol):
    """Counts of zones, records and projects, for the admin API's reports."""

    NAMESPACE: ClassVar[str] = "reports"
    VERSION: ClassVar[str] = "1.0"

    def counts(self, context: Context, names: tuple[str, ...]) -> Counts:
        """Return the named counts only: zones, records, tenants, zones_delayed_notify."""
        ...

    def projects(self, context: Context) -> tuple[ProjectZones, ...]:
        """Return the projects that own zones, with the number of their zones."""
        ...

    def project(self, context: Context, project_id: str) -> ProjectZones:
        """Return a project with the names of its zones."""
        ...
