"""Shares of zones with other projects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The right of a project to see a zone and to manage its own recordsets in it.

    project_id: the project that shared the zone. target_project_id: the project that may use it.
    """

    id: str
    zone_id: str
    project_id: str
    target_project_id: str
    created_at: datetime
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareDraft:
    """A share to create."""

    target_project_id: str
