"""Services and their heartbeats."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ServiceState(StrEnum):
    """State of a service on a host, as its heartbeats report it or as their absence shows."""

    UP = "UP"
    DOWN = "DOWN"
    WARNING = "WARNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One service on one host. heartbeated_at: when its last heartbeat came."""

    id: str
    service_name: str
    hostname: str
    status: ServiceState
    created_at: datetime
    heartbeated_at: datetime | None = None
    stats: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, Any] = field(default_factory=dict)
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A heartbeat of a service's process.

    process: which of the service's processes on the host sent it; empty: the service has only one.
    """

    service_name: str
    hostname: str
    status: ServiceState = ServiceState.UP
    stats: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, Any] = field(default_factory=dict)
    process: str = ""
