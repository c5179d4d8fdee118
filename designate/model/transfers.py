"""Transfers of zones between projects."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from designate.model.codec import UNSET, Unset


class TransferStatus(StrEnum):
    """State of a transfer request or acceptance."""

    ACTIVE = "ACTIVE"
    COMPLETE = "COMPLETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest:
    """The offer of a zone to another project.

    target_project_id: the only project that may accept; None: any project that knows the key.
    detailed: whether the reader may see more than that the request exists.
    """

    id: str
    zone_id: str
    zone_name: str
    project_id: str
    key: str = field(repr=False)
    status: TransferStatus
    created_at: datetime
    target_project_id: str | None = None
    description: str | None = None
    version: int = 1
    updated_at: datetime | None = None
    detailed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequestDraft:
    """A transfer request to create."""

    target_project_id: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequestPatch:
    """The members to change; UNSET members stay as they are."""

    target_project_id: str | Unset | None = UNSET
    description: str | Unset | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferAccept:
    """The acceptance of a transfer request.

    key: only in the reply to the call that created it.
    """

    id: str
    zone_transfer_request_id: str
    zone_id: str
    project_id: str
    status: TransferStatus
    created_at: datetime
    key: str | None = field(default=None, repr=False)
    version: int = 1
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferAcceptDraft:
    """An acceptance to create."""

    zone_transfer_request_id: str
    key: str = field(repr=False)
