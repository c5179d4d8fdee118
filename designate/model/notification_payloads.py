"""Payloads of notifications for each kind of object: plain data with Designate's member names.

Secrets are left out (keys of TSIG and of transfer requests) or masked (credentials in the options
of targets), because more people may read notifications. Members that have no counterpart in this
service have the value that always holds here (`increment_serial`).
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import fields
from datetime import datetime
from functools import singledispatch
from typing import Any

from designate.model import pools_file_dump
from designate.model.blacklists import Blacklist
from designate.model.codec import timestamp
from designate.model.jobs import ZoneJob
from designate.model.pools import Pool, Target
from designate.model.recordsets import Managed, RecordSet
from designate.model.shares import Share
from designate.model.tlds import Tld
from designate.model.transfers import TransferAccept, TransferRequest
from designate.model.tsigkeys import TsigKey
from designate.model.zones import Status, Zone

Payload = dict[str, Any]
LIVE = "0"


@singledispatch
def payload(value: object) -> Payload:
    """Return the payload of an object; raise TypeError for a class without notifications."""
    raise TypeError(f"{type(value).__name__} has no notifications")


def _moment(value: datetime | None) -> str | None:
    return None if value is None else timestamp(value)


def _dates(value: Any) -> Payload:
    return {
        "created_at": _moment(value.created_at),
        "updated_at": _moment(value.updated_at),
        "version": getattr(value, "version", 1),
    }


def _part_id(owner_id: str, part: str) -> str:
    """Return a stable id for a part that has none of its own."""
    return str(uuid.uuid5(uuid.UUID(owner_id), part))


def _pairs(owner: str, owner_id: str, pairs: dict[str, str]) -> list[Payload]:
    return [
        {"id": _part_id(owner_id, key), owner: owner_id, "key": key, "value": value}
        for key, value in pairs.items()
    ]


@payload.register
def _zone(zone: Zone) -> Payload:
    is_deleted = zone.status == Status.DELETED
    unchanged = (
        "id", "name", "email", "ttl", "refresh", "retry", "expire", "minimum", "serial", "pool_id",
        "parent_zone_id", "description", "shared",
    )  # fmt: skip
    return {
        **{name: getattr(zone, name) for name in unchanged},
        "type": str(zone.type),
        "tenant_id": zone.project_id,
        "shard": int(zone.id[:3], 16),
        "status": str(zone.status),
        "action": str(zone.action),
        "transferred_at": _moment(zone.transferred_at),
        "delayed_notify": False,
        "increment_serial": False,
        "attributes": _pairs("zone_id", zone.id, zone.attributes),
        "masters": [
            {
                "id": _part_id(zone.id, f"{master.host}:{master.port}"),
                "zone_id": zone.id,
                "host": master.host,
                "port": master.port,
            }
            for master in zone.masters
        ],
        **_dates(zone),
        "deleted": zone.id.replace("-", "") if is_deleted else LIVE,
        "deleted_at": _moment(zone.updated_at) if is_deleted else None,
    }


@payload.register
def _recordset(recordset: RecordSet) -> Payload:
    return {
        "id": recordset.id,
        "zone_id": recordset.zone_id,
        "zone_name": recordset.zone_name,
        "tenant_id": recordset.project_id,
        "name": recordset.name,
        "type": recordset.type,
        "ttl": recordset.ttl,
        "description": recordset.description,
        "action": str(recordset.action),
        "status": str(recordset.status),
        "records": [_record(recordset, data) for data in recordset.records],
        **_dates(recordset),
    }


def _record(recordset: RecordSet, data: str) -> Payload:
    managed = recordset.managed_by or Managed(plugin_type="", plugin_name="", resource_type="")
    digest = hashlib.blake2b(f"{recordset.id}:{data}".encode(), digest_size=16)
    return {
        "id": _part_id(recordset.id, data),
        "recordset_id": recordset.id,
        "zone_id": recordset.zone_id,
        "tenant_id": recordset.project_id,
        "data": data,
        "description": None,
        "hash": digest.hexdigest(),
        "action": str(recordset.action),
        "status": str(recordset.status),
        "managed": recordset.managed,
        "managed_extra": managed.extra,
        "managed_plugin_type": managed.plugin_type or None,
        "managed_plugin_name": managed.plugin_name or None,
        "managed_resource_type": managed.resource_type or None,
        "managed_resource_region": managed.resource_region,
        "managed_resource_id": managed.resource_id,
        "managed_tenant_id": managed.project_id,
        **_dates(recordset),
    }


@payload.register
def _pool(pool: Pool) -> Payload:
    return {
        "id": pool.id,
        "name": pool.name,
        "description": pool.description,
        "tenant_id": pool.project_id,
        "provisioner": "UNMANAGED",
        "attributes": _pairs("pool_id", pool.id, pool.attributes),
        "ns_records": [
            {"hostname": record.hostname, "priority": record.priority} for record in pool.ns_records
        ],
        "nameservers": [
            {"host": server.host, "port": server.port, "tsigkey_id": server.tsigkey_id}
            for server in pool.nameservers
        ],
        "targets": [_target(target) for target in pool.targets],
        "also_notifies": [{"host": also.host, "port": also.port} for also in pool.also_notifies],
        **_dates(pool),
    }


def _target(target: Target) -> Payload:
    return {
        "type": target.type,
        "description": target.description,
        "tsigkey_id": target.tsigkey_id,
        "masters": [{"host": master.host, "port": master.port} for master in target.masters],
        "options": [
            {"key": key, "value": pools_file_dump.MASK if pools_file_dump.is_secret(key) else value}
            for key, value in target.options.items()
        ],
    }


def _flat(value: Any, *omitted: str) -> Payload:
    """Return every member by its name, projects as tenants."""
    names = {"project_id": "tenant_id", "target_project_id": "target_tenant_id"}
    found = {}
    for field in fields(value):
        if field.name not in omitted:
            item = getattr(value, field.name)
            item = _moment(item) if isinstance(item, datetime) else item
            found[names.get(field.name, field.name)] = str(item) if isinstance(item, str) else item
    return found


@payload.register(Tld)
@payload.register(Blacklist)
@payload.register(ZoneJob)
def _simple(value: Any) -> Payload:
    return _flat(value)


@payload.register
def _tsigkey(key: TsigKey) -> Payload:
    return _flat(key, "secret")


@payload.register
def _share(share: Share) -> Payload:
    return {
        "id": share.id,
        "zone_id": share.zone_id,
        "project_id": share.project_id,
        "target_project_id": share.target_project_id,
        "created_at": _moment(share.created_at),
        "updated_at": _moment(share.updated_at),
    }


@payload.register
def _transfer_request(request: TransferRequest) -> Payload:
    return _flat(request, "key", "detailed")


@payload.register
def _transfer_accept(accept: TransferAccept) -> Payload:
    return _flat(accept, "key")
