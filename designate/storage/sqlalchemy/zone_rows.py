"""Rows of zones as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from designate.model.codec import from_plain
from designate.model.zones import Action, PrimaryAddress, Sample, Status, Zone, ZoneType
from designate.storage.sqlalchemy.tables import pools, quotas, shared_zones, zones

MASTERS = tuple[PrimaryAddress, ...]
# Quotas whose overrides are read together with a zone.
LIMITS = ("zone_recordsets", "zone_records", "recordset_records")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredZone:
    """A zone with its internal state.

    Attributes:
        zone: The zone that clients see.
        soa_wire: The SOA's data in wire form.
        sample: Part of the newest content, by which nameservers are compared.
        recordset_count: How many recordsets it has.
        record_count: How many records of unmanaged recordsets it has.
        hard_delete: Whether its deletion also removes its zone file on the nameservers.
        pool_version: The version of its pool.
        overrides: The quotas in LIMITS that its project overrides.
        primary_serial: The primary's serial of a secondary zone's content; None: no content.
        expired: The content is too old to be served.
        withdrawn: The nameservers were proven to have dropped the expired content.
    """

    zone: Zone
    soa_wire: bytes
    recordset_count: int
    record_count: int
    hard_delete: bool
    pool_version: int
    overrides: Mapping[str, int]
    primary_serial: int | None = None
    expired: bool = False
    withdrawn: bool = False
    sample: Sample | None = None


# A column that is not used costs as much as one that is: about a twentieth of reading a zone.
API_COLUMNS: tuple[sa.ColumnElement[Any], ...] = tuple(
    column for column in zones.c if column.name in Zone.__slots__
)
STORED_COLUMNS: tuple[sa.ColumnElement[Any], ...] = tuple(
    column for column in zones.c if column.name in (*StoredZone.__slots__, "expired_at")
)
SHARED = sa.exists().where(shared_zones.c.zone_id == zones.c.id).label("shared")
POOL_VERSION = (
    sa.select(pools.c.version)
    .where(pools.c.id == zones.c.pool_id)
    .scalar_subquery()
    .label("pool_version")
)
OVERRIDES = tuple(
    sa.select(quotas.c.hard_limit)
    .where(quotas.c.project_id == zones.c.project_id, quotas.c.resource == name)
    .scalar_subquery()
    .label(f"limit_{name}")
    for name in LIMITS
)
# Zones for internal work.
STORED: sa.Select[Any] = sa.select(
    *API_COLUMNS, *STORED_COLUMNS, sa.false().label("shared"), POOL_VERSION
)


def sample_text(sample: Sample | None) -> str | None:
    """Return a sample as it is stored."""
    return None if sample is None else f"{sample.rtype} {sample.digest or '-'} {sample.name}"


def sample_from_text(stored: str | None) -> Sample | None:
    """Return a stored sample."""
    if stored is None:
        return None
    rtype, digest, name = stored.split(" ", 2)
    return Sample(name=name, rtype=int(rtype), digest="" if digest == "-" else digest)


def from_row(row: Any) -> Zone:
    """Build the zone from a row that has `shared` besides the zone's columns."""
    return Zone(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        type=ZoneType(row.type),
        email=row.email,
        ttl=row.ttl,
        serial=row.serial,
        revision=row.revision,
        served_revision=row.served_revision,
        action=Action(row.action),
        status=Status(row.status),
        pool_id=row.pool_id,
        mname=row.mname,
        refresh=row.refresh,
        retry=row.retry,
        expire=row.expire,
        minimum=row.minimum,
        created_at=row.created_at,
        version=row.version,
        description=row.description,
        parent_zone_id=row.parent_zone_id,
        attributes=row.attributes,
        masters=from_plain(MASTERS, row.masters),
        shared=bool(row.shared),
        error=row.error,
        pending_since=row.pending_since,
        updated_at=row.updated_at,
        transferred_at=row.transferred_at,
    )


def stored_from_row(row: Any) -> StoredZone:
    """Build the zone from a row of STORED, or of one that has OVERRIDES too."""
    return StoredZone(
        zone=from_row(row),
        soa_wire=row.soa_wire,
        recordset_count=row.recordset_count,
        record_count=row.record_count,
        hard_delete=row.hard_delete,
        pool_version=row.pool_version,
        primary_serial=row.primary_serial,
        expired=row.expired_at is not None,
        withdrawn=row.withdrawn,
        sample=sample_from_text(row.sample),
        overrides={
            name: limit
            for name in LIMITS
            if (limit := getattr(row, f"limit_{name}", None)) is not None
        },
    )
