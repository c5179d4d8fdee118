"""/v2/zones and the nameservers of a zone."""

from __future__ import annotations

from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.resource import Call, Resource, Route, answer, empty, route
from designate.model.codec import timestamp
from designate.model.zones import Master, Status, Zone, ZoneDraft, ZonePatch, ZoneType

READ_ONLY = (
    "id", "project_id", "serial", "shared", "status", "action", "version", "created_at",
    "updated_at", "transferred_at", "links",
)  # fmt: skip
LONGEST_HOST = 255


def view(zone: Zone) -> dict[str, Any]:
    return {
        "id": zone.id,
        "pool_id": zone.pool_id,
        "project_id": zone.project_id,
        "name": zone.name,
        "email": zone.email,
        "description": zone.description,
        "ttl": zone.ttl,
        "serial": zone.serial,
        "shared": zone.shared,
        "status": zone.status,
        "action": zone.action,
        "version": zone.version,
        "attributes": zone.attributes,
        "type": zone.type,
        "masters": [_shown(master) for master in zone.masters],
        "created_at": timestamp(zone.created_at),
        "updated_at": zone.updated_at and timestamp(zone.updated_at),
        "transferred_at": zone.transferred_at and timestamp(zone.transferred_at),
    }


def _shown(master: Master) -> str:
    host = f"[{master.host}]" if ":" in master.host and master.port != 53 else master.host
    return host if master.port == 53 else f"{host}:{master.port}"


def masters(name: str, value: Any) -> tuple[Master, ...]:
    """`host`, `host:port` or `[IPv6]:port`; a bare IPv6 address is a host."""
    if not isinstance(value, list):
        raise errors.InvalidObject(f"Field '{name}' must be a list")
    read = bodies.text(LONGEST_HOST)
    found = []
    for item in value:
        text = read(name, item)
        host, _, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if port.isascii() and port.isdigit() and host and (bracketed or ":" not in host):
            if not 0 < int(port[:6]) < 65536:
                raise errors.InvalidObject(f"Port of '{text}' in the field '{name}' is not valid")
            found.append(Master(host=host.strip("[]"), port=int(port)))
        elif text:
            found.append(Master(host=text))
        else:
            raise errors.InvalidObject(f"Field '{name}' holds an empty host")
    if len(set(found)) != len(found):
        raise errors.Duplicate("zone_attribute")
    return tuple(found)


CHANGEABLE: dict[str, bodies.Reader] = {
    "email": bodies.text(255),
    "ttl": bodies.ttl,
    "description": bodies.description,
    "attributes": bodies.texts_by_key(bodies.LONGEST_ATTRIBUTE),
    "masters": masters,
}
NEW: dict[str, bodies.Reader] = {
    "name": bodies.text(bodies.LONGEST_NAME),
    "type": bodies.choice([str(kind) for kind in ZoneType]),
    **CHANGEABLE,
}


def new(call: Call, body: dict[str, Any]) -> ZoneDraft:
    members = bodies.read(body, NEW, also=(*READ_ONLY, "pool_id"))
    bodies.refuse_given(body, READ_ONLY)
    if "name" not in members:
        bodies.required("name")
    if "type" in members:
        members["type"] = ZoneType(members["type"])
    _pool_id(body)
    return ZoneDraft(**members)


def _pool_id(body: dict[str, Any]) -> None:
    """Taken for old clients, which may send it; the scheduler decides."""
    if body.get("pool_id") is not None:
        bodies.identifier("pool_id", body["pool_id"])


def changes(call: Call, body: dict[str, Any]) -> ZonePatch:
    fixed = [name for name in (*READ_ONLY, "name", "type", "pool_id") if name in body]
    current: dict[str, Any] = {}
    if fixed:
        current = view(call.central.zones.get(call.context, *call.ids))
        if body.get("name") == current["name"]:
            raise errors.BadRequest("Renaming a zone is not allowed")
    try:
        members = bodies.read(body, CHANGEABLE, also=(*READ_ONLY, "name", "type", "pool_id"))
        bodies.refuse_changed(body, fixed, current)
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
    path="/zones",
    item="zone_id",
    client=lambda central: central.zones,
    view=view,
    self_path=lambda zone: f"/zones/{zone.id}",
    sort_keys=("created_at", "id", "updated_at", "name", "tenant_id", "serial", "ttl", "status"),
    filters=("name", "type", "email", "status", "description", "ttl"),
    new=new,
    changes=changes,
    before_body=lambda call: call.central.zones.get(call.context, *call.ids),
    created_status=lambda _: 202,
    updated_status=_accepted,
)


def nameservers(call: Call) -> Response:
    found = call.central.zones.nameservers(call.context, *call.ids)
    return answer(
        {"nameservers": [{"priority": ns.priority, "hostname": ns.hostname} for ns in found]}
    )


def abandon(call: Call) -> Response:
    call.central.zones.abandon(call.context, *call.ids)
    return empty()


def transfer_in(call: Call) -> Response:
    call.central.zones.transfer_in(call.context, *call.ids)
    return answer("", 202)


def pool_move(call: Call) -> Response:
    body = bodies.read(bodies.parse(call.request), {"pool_id": bodies.identifier})
    call.central.zones.pool_move(call.context, call.ids[0], body.get("pool_id"))
    return answer("", 202)


def routes() -> list[Route]:
    tasks = "/zones/{zone_id}/tasks"
    return [
        *RESOURCE.routes(),
        route("/zones/{zone_id}/nameservers", whole=True, GET=nameservers),
        route(f"{tasks}/abandon", POST=abandon),
        route(f"{tasks}/xfr", POST=transfer_in),
        route(f"{tasks}/pool_move", POST=pool_move),
    ]
