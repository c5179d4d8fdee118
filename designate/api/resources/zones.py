"""/v2/zones and the nameservers of a zone."""

from __future__ import annotations

from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.headers import DELETE_SHARES, HARD_DELETE
from designate.api.operation import NO_CONTENT, ref
from designate.api.resource import (
    ApiCall,
    Operation,
    Resource,
    ResponseSpec,
    Route,
    empty_response,
    json_response,
    route,
)
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
    Field,
    Shape,
    enum_of,
    member,
    nullable,
    open_object,
    timestamp_member,
)
from designate.model.pools import NsRecord
from designate.model.zones import (
    Action,
    NameserverStatus,
    PrimaryAddress,
    ServedStatus,
    Status,
    Zone,
    ZoneDraft,
    ZonePatch,
    ZoneType,
)

READ_ONLY = (
    "id", "project_id", "serial", "shared", "status", "action", "version", "created_at",
    "updated_at", "transferred_at", "links",
)  # fmt: skip
MAX_HOST = 255


def _shown(master: PrimaryAddress) -> str:
    host = f"[{master.host}]" if ":" in master.host and master.port != 53 else master.host
    return host if master.port == 53 else f"{host}:{master.port}"


def _masters(name: str, value: Any) -> tuple[PrimaryAddress, ...]:
    """`host`, `host:port` or `[IPv6]:port`; a bare IPv6 address is a host."""
    if not isinstance(value, list):
        raise errors.InvalidObject(f"Field '{name}' must be a list")
    read = bodies.text(MAX_HOST)
    found = []
    for item in value:
        text = read(name, item)
        host, _, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if port.isascii() and port.isdigit() and host and (bracketed or ":" not in host):
            if not 0 < int(port[:6]) < 65536:
                raise errors.InvalidObject(f"Port of '{text}' in the field '{name}' is not valid")
            found.append(PrimaryAddress(host=host.strip("[]"), port=int(port)))
        elif text:
            found.append(PrimaryAddress(host=text))
        else:
            raise errors.InvalidObject(f"Field '{name}' holds an empty host")
    if len(set(found)) != len(found):
        raise errors.Duplicate("zone_attribute")
    return tuple(found)


MASTERS = Field({"type": "array", "items": {"type": "string", "maxLength": MAX_HOST}}, _masters)
ZONE = Shape(
    "Zone",
    {
        "id": member(UUID),
        "pool_id": member(UUID, "The pool whose nameservers serve it."),
        "project_id": member(nullable(STRING), "Its owner; null: the service itself."),
        "name": member(DOMAIN, "With the dot at the end."),
        "email": member(EMAIL, "Who is responsible, as the SOA record says."),
        "description": member(nullable(STRING)),
        "ttl": member(INTEGER, "Seconds; for recordsets that have none of their own."),
        "serial": member(INTEGER, "The version that DNS sees, 32 bits (RFC 1982)."),
        "shared": member(BOOLEAN, "Whether other projects may use it."),
        "status": member(enum_of(Status), "ACTIVE: its nameservers serve it as it is here."),
        "action": member(enum_of(Action), "What is on its way to the nameservers."),
        "version": member(INTEGER, "Grows by one with each stored change."),
        "attributes": member(STRING_MAP, "What the scheduler picks a pool by."),
        "type": member(enum_of(ZoneType)),
        "masters": member(
            STRINGS,
            "Whom a secondary zone comes from: `host` or `host:port`.",
            value_of=lambda zone: [_shown(master) for master in zone.masters],
        ),
        "created_at": CREATED_AT,
        "updated_at": UPDATED_AT,
        "transferred_at": timestamp_member(
            "When a secondary zone last came in, UTC.", optional=True
        ),
    },
)

CHANGES = Body(
    name="ZoneChanges",
    members={
        "email": bodies.text(255).with_schema(EMAIL).described("Primary zones only."),
        "ttl": bodies.ttl.described("Seconds. Primary zones only."),
        "description": bodies.description,
        "attributes": bodies.texts_by_key(bodies.MAX_ATTRIBUTE).described("In the stead of all."),
        "masters": MASTERS.described("In the stead of all. Secondary zones only."),
    },
)
NEW = Body(
    name="ZoneNew",
    members={
        "name": bodies.domain,
        "type": bodies.choice([str(kind) for kind in ZoneType]).described("PRIMARY unless given."),
        **CHANGES.members,
        "pool_id": bodies.identifier.described("Without effect; the scheduler decides."),
    },
    required=("name",),
)


def new(call: ApiCall, body: dict[str, Any]) -> ZoneDraft:
    members = bodies.read(body, NEW, unchecked=(*READ_ONLY, "pool_id"))
    bodies.reject_read_only(body, READ_ONLY)
    for name in NEW.required:
        if name not in members:
            bodies.raise_required(name)
    if "type" in members:
        members["type"] = ZoneType(members["type"])
    _pool_id(body)
    return ZoneDraft(**members)


def _pool_id(body: dict[str, Any]) -> None:
    """Taken for old clients, which may send it; the scheduler decides."""
    if body.get("pool_id") is not None:
        NEW.members["pool_id"]("pool_id", body["pool_id"])


def changes(call: ApiCall, body: dict[str, Any]) -> ZonePatch:
    fixed = [name for name in (*READ_ONLY, "name", "type", "pool_id") if name in body]
    current: dict[str, Any] = {}
    if fixed:
        current = ZONE.render(call.central.zones.get(call.context, *call.ids))
        if body.get("name") == current["name"]:
            raise errors.BadRequest("Renaming a zone is not allowed")
    try:
        members = bodies.read(body, CHANGES, unchecked=(*READ_ONLY, "name", "type", "pool_id"))
        bodies.reject_changed(body, fixed, current)
    except errors.InvalidObject:
        if not fixed:
            # A zone that the caller does not see is not found, whatever the body holds.
            call.central.zones.get(call.context, *call.ids)
        raise
    return ZonePatch(**members)


def _accepted(zone: Zone) -> int:
    return 202 if zone.status == Status.PENDING else 200


RESOURCE = Resource(
    name="zones",
    singular="a zone",
    path="/zones",
    id_name="zone_id",
    client=lambda central: central.zones,
    shape=ZONE,
    self_path=lambda zone: f"/zones/{zone.id}",
    sort_keys=("created_at", "id", "updated_at", "name", "tenant_id", "serial", "ttl", "status"),
    filters=("name", "type", "email", "status", "description", "ttl"),
    make_draft=new,
    create_body=NEW,
    make_patch=changes,
    update_body=CHANGES,
    precheck=lambda call: call.central.zones.get(call.context, *call.ids),
    created_codes=(202,),
    updated_codes=(202, 200),
    updated_status=_accepted,
    returns_deleted=True,
    flags={"DELETE": (HARD_DELETE, DELETE_SHARES)},
)


NAMESERVER = Shape(
    "NameserverRecord",
    {
        "priority": member(INTEGER, "The lower, the earlier in the list."),
        "hostname": member(DOMAIN, "With the dot at the end."),
    },
)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


NAMESERVER_STATUS = Shape(
    "NameserverStatus",
    {
        "name": member(STRING, "As the pool's definition says.", value_of=lambda one: one.host),
        "address": member(
            STRING, "Host and port.", value_of=lambda one: f"{_bracketed(one.host)}:{one.port}"
        ),
        "status": member(
            enum_of(ServedStatus),
            "ACTIVE: it serves the zone as it is here. PENDING: it answers, and does not. ERROR: it "
            "does not answer.",
        ),
        "serial": member(nullable(INTEGER), "That it serves; null: none."),
        "lag": member(nullable(INTEGER), "By how much that is below the zone's; null: not known."),
        "last_error": member(
            nullable(STRING),
            "What it said, where it is not ACTIVE.",
            value_of=lambda one: one.error,
        ),
        "since": timestamp_member(
            "When the change was made that it does not serve, UTC.", optional=True
        ),
    },
)
MOVE = Body(
    name="PoolMove",
    members={"pool_id": bodies.identifier.described("The scheduler picks one unless given.")},
)
ACCEPTED = ResponseSpec(description="Accepted.", schema={"const": ""})


def _nameservers(call: ApiCall) -> Response:
    found: tuple[NsRecord, ...] = call.central.zones.nameservers(call.context, *call.ids)
    return json_response({"nameservers": [NAMESERVER.render(record) for record in found]})


def _nameserver_status(call: ApiCall) -> Response:
    found: tuple[NameserverStatus, ...] = call.central.zones.nameserver_status(
        call.context, *call.ids
    )
    return json_response({"nameservers": [NAMESERVER_STATUS.render(one) for one in found]})


def abandon(call: ApiCall) -> Response:
    call.central.zones.abandon(call.context, *call.ids)
    return empty_response()


def transfer_in(call: ApiCall) -> Response:
    call.central.zones.transfer_in(call.context, *call.ids)
    return json_response("", 202)


def pool_move(call: ApiCall) -> Response:
    body = bodies.read(bodies.parse(call.request), MOVE)
    call.central.zones.pool_move(call.context, call.ids[0], body.get("pool_id"))
    return json_response("", 202)


NAMESERVERS = Operation(
    handler=_nameservers,
    summary="List the nameservers of a zone",
    responses={
        200: ResponseSpec(
            description="All of them.",
            schema=open_object(
                {"nameservers": {"type": "array", "items": ref(NAMESERVER.name)}}, ("nameservers",)
            ),
            schemas={NAMESERVER.name: NAMESERVER.schema},
        )
    },
)
NAMESERVERS_STATUS = Operation(
    handler=_nameserver_status,
    summary="Ask the nameservers of a zone how far they are",
    responses={
        200: ResponseSpec(
            description="What each of them says now.",
            schema=open_object(
                {"nameservers": {"type": "array", "items": ref(NAMESERVER_STATUS.name)}},
                ("nameservers",),
            ),
            schemas={NAMESERVER_STATUS.name: NAMESERVER_STATUS.schema},
        )
    },
)
ABANDON = Operation(
    handler=abandon,
    summary="Forget a zone, but let its nameservers serve it",
    responses={204: NO_CONTENT},
    parameters=DELETE_SHARES.parameters(),
)
TRANSFER_IN = Operation(
    handler=transfer_in,
    summary="Look for a newer version of a secondary zone now",
    responses={202: ACCEPTED},
)
POOL_MOVE = Operation(
    handler=pool_move,
    summary="Serve a zone from another pool",
    body=MOVE,
    responses={202: ACCEPTED},
    error_codes=(409,),
)


def routes() -> list[Route]:
    tasks = "/zones/{zone_id}/tasks"
    return [
        *RESOURCE.routes(),
        route("/zones/{zone_id}/nameservers", leaf=True, GET=NAMESERVERS),
        route("/zones/{zone_id}/nameservers/status", leaf=True, GET=NAMESERVERS_STATUS),
        route(f"{tasks}/abandon", POST=ABANDON),
        route(f"{tasks}/xfr", POST=TRANSFER_IN),
        route(f"{tasks}/pool_move", POST=POOL_MOVE),
    ]
