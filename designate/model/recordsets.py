"""Recordsets, drafts and patches of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from designate.model.codec import UNSET, Unset
from designate.model.zones import Action, Status, ZoneId

RecordSetId = NewType("RecordSetId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """What a managed recordset stands for, where that is a resource of the cloud.

    plugin_type, plugin_name: which part of the service keeps it. resource_type: e.g. ptr:floatingip.
    resource_region, resource_id: the resource. extra: what its name is looked up by, e.g. an
    address. project_id: whose resource it is.
    """

    plugin_type: str
    plugin_name: str
    resource_type: str
    resource_region: str | None = None
    resource_id: str | None = None
    extra: str | None = None
    project_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """A recordset as a client sees it. ttl None: the zone's. records: texts as the client wrote
    them, in its order. action and status are computed: pending while the revision that changed it
    is newer than what the nameservers serve. managed: kept by the service itself (apex SOA and NS,
    and what stands for a resource of the cloud, which managed_by says)."""

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
    managed_by: Managed | None = None


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
