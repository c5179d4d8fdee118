"""Imports and exports of zone files, which run as jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class JobStatus(StrEnum):
    """State of an import or export."""

    PENDING = "PENDING"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFault:
    """A fault in one line of a zone file."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneJob:
    """An import or an export of a zone file.

    zone_id: None until an import has created its zone. location: of the file of a finished export.
    faults: of an import's file, the first ones; of a finished import the records that were skipped.
    skipped_count: how many records of an import's file are outside the zone.
    """

    id: str
    project_id: str
    status: JobStatus
    created_at: datetime
    zone_id: str | None = None
    message: str | None = None
    location: str | None = None
    version: int = 1
    updated_at: datetime | None = None
    faults: tuple[JobFault, ...] = ()
    skipped_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDraft:
    """An import to start.

    zonefile: the text of a master file (RFC 1035 section 5). attributes: of the zone, for the
    scheduler.
    """

    zonefile: str
    attributes: dict[str, str] = field(default_factory=dict)
