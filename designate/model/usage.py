"""Counts for the admin API."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The requested counts; None: not requested. zones_delayed_notify: zones that are pending."""

    zones: int | None = None
    records: int | None = None
    tenants: int | None = None
    zones_delayed_notify: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectZones:
    """A project that owns zones. names: of its zones, where requested."""

    id: str
    zone_count: int
    names: tuple[str, ...] = ()
