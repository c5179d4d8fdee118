"""Top-level domains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from designate.model.codec import UNSET, Unset


@dataclass(frozen=True, slots=True, kw_only=True)
class Tld:
    """A name below which zones may be created; without a trailing dot, of one or more labels.

    As soon as one exists, every zone must be below one.
    """

    id: str
    name: str
    created_at: datetime
    description: str | None = None
    version: int = 1
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TldDraft:
    """A top-level domain to create."""

    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TldPatch:
    """The members to change; UNSET members stay as they are."""

    name: str | Unset = UNSET
    description: str | Unset | None = UNSET
