"""Blacklists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from designate.model.codec import UNSET, Unset


@dataclass(frozen=True, slots=True, kw_only=True)
class Blacklist:
    """A regular expression; zone names (with trailing dot) in which it is found are refused."""

    id: str
    pattern: str
    created_at: datetime
    description: str | None = None
    version: int = 1
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistDraft:
    """A blacklist to create."""

    pattern: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlacklistPatch:
    """The members to change; UNSET members stay as they are."""

    pattern: str | Unset = UNSET
    description: str | Unset | None = UNSET
