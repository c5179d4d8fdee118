"""What administrators keep: TLDs, blacklists, TSIG keys, and the services' heartbeats."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from designate.model.codec import UNSET, Unset


@dataclass(frozen=True, slots=True, kw_only=True)
class Tld:
    """A name below which zones may be created; without a trailing dot, of one or more labels. As
    soon as there is one, every zone must lie below one."""

    id: str
    name: str
    created_at: datetime
    description: str | None = None
    version: int = 1
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TldDraft:
    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TldPatch:
    name: str | Unset = UNSET
    description: str | Unset | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Blacklist:
    """A regular expression; zone names in which it is found (with their trailing dot) are refused."""

    id: str
    pattern: str
    created_at: datetime
    description: str | None = None
    version: int = 1
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistDraft:
    pattern: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistPatch:
    pattern: str | Unset = UNSET
    description: str | Unset | None = UNSET


class TsigScope(StrEnum):
    """What a key opens: every zone of a pool, or one zone."""

    POOL = "POOL"
    ZONE = "ZONE"


TSIG_ALGORITHMS = (
    "hmac-md5",
    "hmac-sha1",
    "hmac-sha224",
    "hmac-sha256",
    "hmac-sha384",
    "hmac-sha512",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TsigKey:
    """secret: base64. resource_id: of the pool or the zone that the key opens."""

    id: str
    name: str
    algorithm: str
    secret: str = field(repr=False)
    scope: TsigScope
    resource_id: str
    created_at: datetime
    version: int = 1
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TsigKeyDraft:
    name: str
    algorithm: str
    secret: str = field(repr=False)
    scope: TsigScope
    resource_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TsigKeyPatch:
    name: str | Unset = UNSET
    algorithm: str | Unset = UNSET
    secret: str | Unset = field(default=UNSET, repr=False)
    scope: TsigScope | Unset = UNSET
    resource_id: str | Unset = UNSET


class ServiceState(StrEnum):
    UP = "UP"
    DOWN = "DOWN"
    WARNING = "WARNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One service on one host. heartbeated_at: when it last said that it lives."""

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
    """What a service says about itself. process: which of the service's processes on the host says
    so; empty: it has but one."""

    service_name: str
    hostname: str
    status: ServiceState = ServiceState.UP
    stats: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, Any] = field(default_factory=dict)
    process: str = ""
