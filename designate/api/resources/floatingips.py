"""/v2/reverse/floatingips: the names of the caller's floating IPs."""

from __future__ import annotations

import json
import re

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.environ_keys import CATALOG
from designate.api.operation import ref
from designate.api.resource import ApiCall, Operation, ResponseSpec, Route, json_response, route
from designate.api.shape import (
    DOMAIN,
    INTEGER,
    STRING,
    URL,
    Body,
    Schema,
    Shape,
    enum_of,
    member,
    nullable,
    open_object,
)
from designate.model.floatingips import FloatingIp, FloatingIpPatch, NetworkEndpoint
from designate.model.zones import Action

PATH = "/reverse/floatingips"
KEY = re.compile(
    r"(?P<region>[A-Za-z0-9._-]{1,100}):"
    r"(?P<id>[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})"
)
INTERFACES = ("publicURL", "internalURL", "adminURL")
STATUSES = ("ACTIVE", "PENDING", "ERROR", "INACTIVE")
CHANGES = Body(
    name="FloatingIpChanges",
    members={
        "ptrdname": bodies.text(bodies.MAX_NAME, nullable=True)
        .with_schema(DOMAIN)
        .described("With the dot at the end; null: no name any more."),
        "ttl": bodies.null_ttl.described("Seconds; reset unless given."),
        "description": bodies.description.described("Reset unless given."),
    },
)
FLOATINGIP = Shape(
    "FloatingIp",
    {
        "id": member(
            STRING, "Region, colon and id in the network service.", value_of=lambda ip: ip.key
        ),
        "description": member(nullable(STRING)),
        "address": member(STRING),
        "ptrdname": member(nullable(DOMAIN), "The name that the address resolves to."),
        "ttl": member(nullable(INTEGER), "Seconds."),
        "action": member(enum_of(Action)),
        "status": member(enum_of(STATUSES), "INACTIVE: it has no name."),
    },
)
LINKS = open_object({"self": URL}, ("self",))
SCHEMA = FLOATINGIP.schema
SCHEMA = SCHEMA | {
    "properties": SCHEMA["properties"] | {"links": LINKS},
    "required": [*SCHEMA["required"], "links"],
}


def _render(call: ApiCall, found: FloatingIp) -> dict[str, object]:
    return FLOATINGIP.render(found) | {"links": {"self": call.link(f"{PATH}/{found.key}")}}


def key_of(call: ApiCall) -> tuple[str, str]:
    """Region and id of the path. Raises BadRequest."""
    (text,) = call.ids
    match = KEY.fullmatch(text)
    if match is None:
        raise errors.BadRequest("The key of a floating IP is its region, a colon and its UUID")
    return match["region"], match["id"].lower()


def token_of(call: ApiCall) -> str:
    return str(call.request.headers.get("X-Auth-Token", ""))


def catalog_of(call: ApiCall) -> tuple[NetworkEndpoint, ...]:
    """Endpoints of the network service in the catalogue that comes with a validated token. What a
    caller itself says in the header of that name does not count."""
    text = call.request.environ.get(CATALOG)
    return endpoints(text) if text else ()


def endpoints(text: str) -> tuple[NetworkEndpoint, ...]:
    """Endpoints of the network service in a catalogue of Identity's version 2 form, which is what
    keystonemiddleware writes whatever the token was."""
    try:
        services = json.loads(text)
        return tuple(
            NetworkEndpoint(region=str(endpoint["region"]), interface=kind, url=str(endpoint[kind]))
            for service in services
            if service["type"] == "network"
            for endpoint in service["endpoints"]
            for kind in INTERFACES
            if endpoint.get("region") and endpoint.get(kind)
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise errors.Forbidden("The service catalogue cannot be read", type="no_endpoint") from None


def index(call: ApiCall) -> Response:
    found = call.central.floatingips.find(call.context, token_of(call), catalog_of(call))
    items = [_render(call, floatingip) for floatingip in found]
    return json_response({"floatingips": items, "links": {"self": call.link(PATH)}})


def show(call: ApiCall) -> Response:
    key = key_of(call)
    found = call.central.floatingips.get(call.context, *key, token_of(call), catalog_of(call))
    return json_response(_render(call, found))


def change(call: ApiCall) -> Response:
    key = key_of(call)
    patch = FloatingIpPatch(**bodies.read(bodies.parse(call.request), CHANGES))
    found = call.central.floatingips.update(
        call.context, *key, patch, token_of(call), catalog_of(call)
    )
    return json_response(None if found is None else _render(call, found), 202)


def _answer(description: str, schema: Schema) -> ResponseSpec:
    return ResponseSpec(description=description, schema=schema, schemas={FLOATINGIP.name: SCHEMA})


ONE = ref(FLOATINGIP.name)
LIST = open_object({"floatingips": {"type": "array", "items": ONE}, "links": LINKS})
INDEX = Operation(
    handler=index,
    summary="List the floating IPs of the caller's project",
    responses={200: _answer("All of them.", LIST)},
)
SHOW = Operation(
    handler=show, summary="Show a floating IP", responses={200: _answer("The object.", ONE)}
)
CHANGE = Operation(
    handler=change,
    summary="Change the name that a floating IP resolves to",
    body=CHANGES,
    responses={
        202: _answer("The object; null: no name any more.", {"anyOf": [ONE, {"type": "null"}]})
    },
    error_codes=(409,),
)


def routes() -> list[Route]:
    return [
        route("/reverse"),
        route(PATH, GET=INDEX),
        route(f"{PATH}/{{key:text}}", GET=SHOW, PATCH=CHANGE),
    ]
