"""Quotas of a project and the limits document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Hard limits; negative: none."""

    zones: int = 10
    zone_recordsets: int = 500
    zone_records: int = 500
    recordset_records: int = 20
    api_export_size: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLimits:
    """The answer of GET /v2/limits. Lengths in characters with the trailing dot; min_ttl seconds."""

    max_zones: int
    max_zone_recordsets: int
    max_zone_records: int
    max_recordset_records: int
    min_ttl: int
    max_zone_name_length: int
    max_recordset_name_length: int
    max_page_limit: int
