"""Imports and exports of zone files: jobs that somebody asked for and reads the state of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class JobStatus(StrEnum):
    PENDING = "PENDING"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneJob:
    """An import or an export. zone_id: None while an import has not made its zone. location: where
    the file of a finished export is."""

    id: str
    project_id: str
    status: JobStatus
    created_at: datetime
    zone_id: str | None = None
    message: str | None = None
    location: str | None = None
    version: int = 1
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDraft:
    """zonefile: the text of a master file (RFC 1035 section 5). attributes: of the zone, for the
    scheduler."""

    zonefile: str
    attributes: dict[str, str] = field(default_factory=dict)
