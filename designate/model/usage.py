"""What the admin API counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """None: was not asked for. zones_delayed_notify: zones that wait for their nameservers."""

    zones: int | None = None
    records: int | None = None
    tenants: int | None = None
    zones_delayed_notify: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectZones:
    """A project that owns zones. names: of its zones, where they were asked for."""

    id: str
    zone_count: int
    names: tuple[str, ...] = ()
