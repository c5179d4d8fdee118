"""Recordsets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from designate.model.codec import UNSET, Unset
from designate.model.zones import Action, Status, ZoneId

RecordSetId = NewType("RecordSetId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """The cloud resource to which a managed recordset belongs.

    plugin_type, plugin_name: the part of the service that manages it. resource_type: e.g.
    ptr:floatingip. resource_region, resource_id: the resource. extra: a further search key, e.g. an
    address. project_id: the resource's owner.
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
    """A recordset as clients see it.

    ttl: None: the zone's. records: texts as the client wrote them, in its order. action, status:
    computed; pending while the nameservers do not serve the revision that changed it. managed:
    maintained by the service (apex SOA and NS, and those of cloud resources, see managed_by).
    """

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
    """A recordset to create. records: distinct, in the client's order; may be empty."""

    name: str
    type: str
    records: tuple[str, ...] = ()
    ttl: int | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSetPatch:
    """The members to change; UNSET members stay as they are."""

    records: tuple[str, ...] | Unset = UNSET
    ttl: int | Unset | None = UNSET
    description: str | Unset | None = UNSET
