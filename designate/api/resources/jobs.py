"""Filters and members that the imports and exports of zone files share."""

from __future__ import annotations

from designate.api.shape import (
    CREATED_AT,
    INTEGER,
    STRING,
    UPDATED_AT,
    UUID,
    Member,
    enum_of,
    member,
    nullable,
)
from designate.model.jobs import JobStatus, ZoneJob

FILTERS = ("status", "message", "zone_id")
MEMBERS: dict[str, Member] = {
    "id": member(UUID),
    "status": member(enum_of(JobStatus)),
    "message": member(nullable(STRING), "The outcome, for people."),
    "zone_id": member(nullable(UUID), "null: the import has not created a zone yet."),
    "project_id": member(STRING),
    "created_at": CREATED_AT,
    "updated_at": UPDATED_AT,
    "version": member(INTEGER, "Incremented by each stored change."),
}


def zone_path(job: ZoneJob) -> str | None:
    """Return the path of the job's zone; None before the import has created it."""
    return f"/zones/{job.zone_id}" if job.zone_id else None
