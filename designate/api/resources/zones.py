"""The resource /v2/zones and the tasks of one zone."""

from __future__ import annotations

from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import fields
from designate.api.headers import DELETE_SHARES, HARD_DELETE
from designate.api.operation import NO_CONTENT, ApiCall, Operation, ResponseSpec
from designate.api.resource import Resource
from designate.api.responses import empty_response, json_response
from designate.api.routing import Route, route
from designate.api.shape import (
    BOOLEAN,
    CREATED_AT,
    DOMAIN,
    EMAIL,
    INTEGER,
    STRING,
    STRING_MAP,
    STRINGS,
    UPDATED_AT,
    UUID,
    Body,
    BodyField,
    Shape,
    enum_of,
    member,
    nullable,
    timestamp_member,
)
from designate.errors import Reason
from designate.model.zones import (
    Action,
    PrimaryAddress,
    Status,
    Zone,
    ZoneDraft,
    ZonePatch,
    ZoneType,
)

READ_ONLY = (
    "id", "project_id", "serial", "shared", "status", "action", "version", "created_at",
    "status_reason", "updated_at", "transferred_at", "links",
)  # fmt: skip
MAX_HOST = 255


def _master_text(master: PrimaryAddress) -> str:
    host = f"[{master.host}]" if ":" in master.host and master.port != 53 else master.host
    return host if master.port == 53 else f"{host}:{master.port}"


def _masters(name: str, value: Any) -> tuple[PrimaryAddress, ...]:
    """Return the masters; each is `host`, `host:port` or `[IPv6]:port`, or an IPv6 address alone.

    Central checks the hosts.
    """
    if not isinstance(value, list):
        raise errors.InvalidObject(f"Field '{name}' must be a list")
    read = fields.text(MAX_HOST)
    found = [_master(name, place, read(name, item)) for place, item in enumerate(value)]
    if len(set(found)) != len(found):
        raise errors.Duplicate("zone_attribute")
    return tuple(found)


def _master(name: str, place: int, text: str) -> PrimaryAddress:
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]") and ":" in host
    if port.isascii() and port.isdigit() and host and (bracketed or ":" not in host):
        if not 0 < int(port[:6]) < 65536:
            message = f"Port of '{text}' in the field '{name}' is not valid: 1 to 65535"
            reason = Reason((name, place), message, "format", "master")
            raise errors.InvalidObject(reasons=(reason,))
        return PrimaryAddress(host=host[1:-1] if bracketed else host, port=int(port))
    return PrimaryAddress(host=text)


MASTERS = BodyField({"type": "array", "items": {"type": "string", "maxLength": MAX_HOST}}, _masters)
ZONE = Shape(
    "Zone",
    {
        "id": member(UUID),
        "pool_id": member(UUID, "The pool whose nameservers serve it."),
        "project_id": member(nullable(STRING), "Its owner; null: the service itself."),
        "name": member(DOMAIN, "With the trailing dot."),
        "email": member(EMAIL, "The responsible person's address, as in the SOA record."),
        "description": member(nullable(STRING)),
        "ttl": member(INTEGER, "Seconds; applies to recordsets without a TTL of their own."),
        "serial": member(INTEGER, "The serial of the SOA record, 32 bits (RFC 1982)."),
        "shared": member(BOOLEAN, "Whether other projects may use it."),
        "status": member(enum_of(Status), "ACTIVE: its nameservers serve the current version."),
        "action": member(enum_of(Action), "The change that is on its way to the nameservers."),
        "version": member(INTEGER, "Incremented by each stored change."),
        "attributes": member(STRING_MAP, "What the scheduler selects a pool by."),
        "type": member(enum_of(ZoneType)),
        "masters": member(
            STRINGS,
            "The primary servers of a secondary zone: `host` or `host:port`.",
            value_of=lambda zone: [_master_text(master) for master in zone.masters],
        ),
        "created_at": CREATED_AT,
        "updated_at": UPDATED_AT,
        "transferred_at": timestamp_member(
            "When a secondary zone was last transferred in, UTC.", optional=True
        ),
        "status_reason": member(
            nullable(STRING),
            "Why a secondary zone could not be transferred from its masters; null: it could, or it is "
            "no secondary zone.",
        ),
    },
)
CHANGES = Body(
    name="ZoneChanges",
    members={
        "email": fields.text(255).with_schema(EMAIL).described("Primary zones only."),
        "ttl": fields.ttl.described("Seconds. Primary zones only."),
        "description": fields.description,
        "attributes": fields.string_map(fields.MAX_ATTRIBUTE).described("Replaces all attributes."),
        "masters": MASTERS.described("Replaces all masters. Secondary zones only."),
    },
)
NEW = Body(
    name="ZoneNew",
    members={
        "name": fields.escaped_domain,
        "type": fields.choice([str(kind) for kind in ZoneType]).described("Default: PRIMARY."),
        **CHANGES.members,
        "pool_id": fields.identifier.described("Ignored; the scheduler selects the pool."),
    },
    required=("name",),
)


def _make_draft(_call: ApiCall, body: dict[str, Any]) -> ZoneDraft:
    members = bodies.read(body, NEW, unchecked=(*READ_ONLY, "pool_id"))
    bodies.reject_read_only(body, READ_ONLY)
    bodies.require_properties(members, NEW.required)
    if "type" in members:
        members["type"] = ZoneType(members["type"])
    _check_pool_id(body)
    return ZoneDraft(**members)


def _check_pool_id(body: dict[str, Any]) -> None:
    """Validate the pool's id, which old clients may send and which has no effect."""
    if body.get("pool_id") is not None:
        NEW.members["pool_id"]("pool_id", body["pool_id"])


def _make_patch(call: ApiCall, body: dict[str, Any]) -> ZonePatch:
    fixed = [name for name in (*READ_ONLY, "name", "type", "pool_id") if name in body]
    current: dict[str, Any] = {}
    if fixed:
        current = ZONE.render(_get(call))
        if body.get("name") == current["name"]:
            raise errors.BadRequest("Renaming a zone is not allowed")
    try:
        members = bodies.read(body, CHANGES, unchecked=(*READ_ONLY, "name", "type", "pool_id"))
        bodies.reject_changed(body, fixed, current)
    except errors.InvalidObject:
        if not fixed:
            # NotFound for a zone that the caller does not see comes first, whatever the body contains.
            _get(call)
        raise
    return ZonePatch(**members)


def _get(call: ApiCall) -> Zone:
    found: Zone = call.central.zones.get(call.context, *call.ids)
    return found


def _updated_status(zone: Zone) -> int:
    return 202 if zone.status == Status.PENDING else 200


ZONES = Resource(
    name="zones",
    singular="a zone",
    path="/zones",
    id_name="zone_id",
    client=lambda central: central.zones,
    shape=ZONE,
    self_path=lambda zone: f"/zones/{zone.id}",
    sort_keys=("created_at", "id", "updated_at", "name", "tenant_id", "serial", "ttl", "status"),
    filters=("name", "type", "email", "status", "description", "ttl"),
    make_draft=_make_draft,
    create_body=NEW,
    make_patch=_make_patch,
    update_body=CHANGES,
    precheck=_get,
    created_codes=(202,),
    updated_codes=(202, 200),
    updated_status=_updated_status,
    returns_deleted=True,
    flags={"DELETE": (HARD_DELETE, DELETE_SHARES)},
)
POOL_MOVE_BODY = Body(
    name="PoolMove",
    members={
        "pool_id": fields.identifier.described(
            "The new pool; if missing, the scheduler selects one."
        )
    },
)
ACCEPTED = ResponseSpec(description="Accepted.", schema={"const": ""})


def abandon(call: ApiCall) -> Response:
    """Delete the zone from the database without a change of its nameservers."""
    call.central.zones.abandon(call.context, *call.ids)
    return empty_response()


def transfer_in(call: ApiCall) -> Response:
    """Check the masters of the secondary zone for a newer version."""
    call.central.zones.transfer_in(call.context, *call.ids)
    return json_response("", 202)


def pool_move(call: ApiCall) -> Response:
    """Start to move the zone to another pool."""
    body = bodies.read(bodies.parse(call.request), POOL_MOVE_BODY)
    call.central.zones.pool_move(call.context, call.ids[0], body.get("pool_id"))
    return json_response("", 202)


ABANDON = Operation(
    handler=abandon,
    summary="Delete a zone here, but leave it on its nameservers",
    responses={204: NO_CONTENT},
    parameters=DELETE_SHARES.parameters(),
)
TRANSFER_IN = Operation(
    handler=transfer_in,
    summary="Check for a newer version of a secondary zone now",
    responses={202: ACCEPTED},
)
POOL_MOVE = Operation(
    handler=pool_move,
    summary="Move a zone to another pool",
    body=POOL_MOVE_BODY,
    responses={202: ACCEPTED},
    error_codes=(409,),
)


def routes() -> list[Route]:
    """Return the routes of zones and their tasks."""
    tasks = "/zones/{zone_id}/tasks"
    return [
        *ZONES.routes(),
        route(f"{tasks}/abandon", POST=ABANDON),
        route(f"{tasks}/xfr", POST=TRANSFER_IN),
        route(f"{tasks}/pool_move", POST=POOL_MOVE),
    ]
