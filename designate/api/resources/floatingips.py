"""The resource /v2/reverse/floatingips: PTR records of the caller's floating IPs."""

from __future__ import annotations

import json
import re

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import fields
from designate.api.environ_keys import CATALOG
from designate.api.operation import ApiCall, Operation, ResponseSpec, ref
from designate.api.responses import json_response
from designate.api.routing import Route, route
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
        "ptrdname": fields.text(fields.MAX_NAME, nullable=True)
        .with_schema(DOMAIN)
        .described("The name with the trailing dot; null: remove the name."),
        "ttl": fields.nullable_ttl.described("Seconds; reset if missing."),
        "description": fields.description.described("Reset if missing."),
    },
)
FLOATINGIP = Shape(
    "FloatingIp",
    {
        "id": member(
            STRING,
            "The region, a colon, and the id in the network service.",
            value_of=lambda floatingip: floatingip.key,
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


def _key(call: ApiCall) -> tuple[str, str]:
    """Return the region and the id in the path.

    Raises:
        BadRequest: The path has no such key.
    """
    (text,) = call.ids
    match = KEY.fullmatch(text)
    if match is None:
        raise errors.BadRequest("The key of a floating IP is its region, a colon and its UUID")
    return match["region"], match["id"].lower()


def _token(call: ApiCall) -> str:
    return str(call.request.headers.get("X-Auth-Token", ""))


def _catalog(call: ApiCall) -> tuple[NetworkEndpoint, ...]:
    """Return the network service's endpoints in the catalogue of the validated token.

    A header of that name that a client sends itself is not used.
    """
    text = call.request.environ.get(CATALOG)
    return endpoints(text) if text else ()


def endpoints(text: str) -> tuple[NetworkEndpoint, ...]:
    """Return the network service's endpoints in a service catalogue.

    The catalogue has the form of Identity API version 2, which keystonemiddleware writes for any token.

    Raises:
        Forbidden: Of type no_endpoint; the catalogue cannot be read.
    """
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
    """Return the floating IPs of the caller's project."""
    found = call.central.floatingips.find(call.context, _token(call), _catalog(call))
    items = [_render(call, floatingip) for floatingip in found]
    return json_response({"floatingips": items, "links": {"self": call.link(PATH)}})


def show(call: ApiCall) -> Response:
    """Return the floating IP in the path."""
    key = _key(call)
    found = call.central.floatingips.get(call.context, *key, _token(call), _catalog(call))
    return json_response(_render(call, found))


def change(call: ApiCall) -> Response:
    """Set or remove the name of the floating IP in the path."""
    key = _key(call)
    patch = FloatingIpPatch(**bodies.read(bodies.parse(call.request), CHANGES))
    found = call.central.floatingips.update(call.context, *key, patch, _token(call), _catalog(call))
    return json_response(None if found is None else _render(call, found), 202)


def _response(description: str, schema: Schema) -> ResponseSpec:
    return ResponseSpec(description=description, schema=schema, schemas={FLOATINGIP.name: SCHEMA})


ITEM = ref(FLOATINGIP.name)
LIST = open_object({"floatingips": {"type": "array", "items": ITEM}, "links": LINKS})
INDEX = Operation(
    handler=index,
    summary="List the floating IPs of the caller's project",
    responses={200: _response("All floating IPs.", LIST)},
)
SHOW = Operation(
    handler=show, summary="Show a floating IP", responses={200: _response("The object.", ITEM)}
)
CHANGE = Operation(
    handler=change,
    summary="Change the name that a floating IP resolves to",
    body=CHANGES,
    responses={
        202: _response(
            "The object; null: the name is removed.", {"anyOf": [ITEM, {"type": "null"}]}
        )
    },
    error_codes=(409,),
)


def routes() -> list[Route]:
    """Return the routes of this resource."""
    return [
        route("/reverse"),
        route(PATH, GET=INDEX),
        route(f"{PATH}/{{key:text}}", GET=SHOW, PATCH=CHANGE),
    ]
