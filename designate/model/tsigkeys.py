"""TSIG keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from designate.model.codec import UNSET, Unset

TSIG_ALGORITHMS = (
    "hmac-md5",
    "hmac-sha1",
    "hmac-sha224",
    "hmac-sha256",
    "hmac-sha384",
    "hmac-sha512",
)


# The resource_id of a key with scope POOL that gives access to the zones of every pool.
ALL_POOLS = "00000000-0000-0000-0000-000000000000"


class TsigScope(StrEnum):
    """What a key gives access to: every zone of a pool or of all pools, or one zone."""

    POOL = "POOL"
    ZONE = "ZONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TsigKey:
    """A TSIG key.

    Attributes:
        secret: In base64.
        resource_id: Of the pool or zone that the key gives access to, or ALL_POOLS.
    """

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
    """A TSIG key to create."""

    name: str
    algorithm: str
    secret: str = field(repr=False)
    scope: TsigScope
    resource_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TsigKeyPatch:
    """The members to change; UNSET members stay as they are."""

    name: str | Unset = UNSET
    algorithm: str | Unset = UNSET
    secret: str | Unset = field(default=UNSET, repr=False)
    scope: TsigScope | Unset = UNSET
    resource_id: str | Unset = UNSET
