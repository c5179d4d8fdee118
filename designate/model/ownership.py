"""Who else may use a zone, and how it changes hands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from designate.model.codec import UNSET, Unset


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The target project sees the zone and keeps recordsets of its own in it. project_id: of whoever
    made the share."""

    id: str
    zone_id: str
    project_id: str
    target_project_id: str
    created_at: datetime
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareDraft:
    target_project_id: str


class TransferStatus(StrEnum):
    ACTIVE = "ACTIVE"
    COMPLETE = "COMPLETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest:
    """The offer of a zone. target_project_id None: whoever has the key may take it. detailed: the
    reader may see more than that the offer exists."""

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
    target_project_id: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequestPatch:
    target_project_id: str | Unset | None = UNSET
    description: str | Unset | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferAccept:
    """key: only in the answer to the request that made it."""

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
    zone_transfer_request_id: str
    key: str = field(repr=False)
