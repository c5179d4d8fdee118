"""Quotas of a project, and its limits as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Quotas of a project; a negative number means unlimited."""

    zones: int = 10
    zone_recordsets: int = 500
    zone_records: int = 500
    recordset_records: int = 20
    api_export_size: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLimits:
    """The limits of a project (GET /v2/limits).

    Lengths are in characters with the trailing dot, min_ttl is in seconds.
    """

    max_zones: int
    max_zone_recordsets: int
    max_zone_records: int
    max_recordset_records: int
    min_ttl: int
    max_zone_name_length: int
    max_recordset_name_length: int
    max_page_limit: int
