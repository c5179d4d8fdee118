"""Recordsets, drafts and patches of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from designate.model.codec import UNSET, Unset
from designate.model.zones import Action, Status, ZoneId

RecordSetId = NewType("RecordSetId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """A recordset as a client sees it. ttl None: the zone's. records: texts as the client wrote
    them, in its order. action and status are computed: pending while the revision that changed it
    is newer than what the nameservers serve. managed: kept by the service itself (apex SOA and NS)."""

    id: RecordSetId
    zone_id: ZoneId
    zone_name: str
    project_id: str | None
    name: str
    type: str
    records: tuple[str, ...]
    action: Action
    status: Status
    created_at: datetime
    ttl: int | None = None
    description: str | None = None
    managed: bool = False
    version: int = 1
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSetDraft:
    """records: without repetitions, in the client's order; empty: a recordset without data."""

    name: str
    type: str
    records: tuple[str, ...] = ()
    ttl: int | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSetPatch:
    """The members to change; UNSET: leave as it is."""

    records: tuple[str, ...] | Unset = UNSET
    ttl: int | Unset | None = UNSET
    description: str | Unset | None = UNSET
