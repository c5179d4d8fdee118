"""/v2/reverse/floatingips: the names of the caller's floating IPs."""

from __future__ import annotations

import json
import re
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.resource import Call, Route, answer, route
from designate.model.floatingips import FloatingIp, FloatingIpPatch, NetworkEndpoint

PATH = "/reverse/floatingips"
KEY = re.compile(
    r"(?P<region>[A-Za-z0-9._-]{1,100}):"
    r"(?P<id>[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})"
)
INTERFACES = ("publicURL", "internalURL", "adminURL")
CHANGEABLE: dict[str, bodies.Reader] = {
    "ptrdname": bodies.text(bodies.LONGEST_NAME, null=True),
    "ttl": bodies.null_ttl,
    "description": bodies.description,
}


def rendered(call: Call, found: FloatingIp) -> dict[str, Any]:
    return {
        "id": found.key,
        "description": found.description,
        "address": found.address,
        "ptrdname": found.ptrdname,
        "ttl": found.ttl,
        "action": found.action,
        "status": found.status,
        "links": {"self": call.link(f"{PATH}/{found.key}")},
    }


def key_of(call: Call) -> tuple[str, str]:
    """Region and id of the path. Raises BadRequest."""
    (text,) = call.ids
    match = KEY.fullmatch(text)
    if match is None:
        raise errors.BadRequest("The key of a floating IP is its region, a colon and its UUID")
    return match["region"], match["id"].lower()


def token_of(call: Call) -> str:
    return str(call.request.headers.get("X-Auth-Token", ""))


def catalog_of(call: Call) -> tuple[NetworkEndpoint, ...]:
    """Endpoints of the network service in the catalogue that comes with a validated token. Without
    such validation the header is the caller's own word, and nobody is asked on that."""
    text = call.request.headers.get("X-Service-Catalog")
    if not text or call.conf["service:api"].auth_strategy != "keystone":
        return ()
    return endpoints(text)


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


def index(call: Call) -> Response:
    found = call.central.floatingips.find(call.context, token_of(call), catalog_of(call))
    items = [rendered(call, floatingip) for floatingip in found]
    return answer({"floatingips": items, "links": {"self": call.link(PATH)}})


def show(call: Call) -> Response:
    key = key_of(call)
    found = call.central.floatingips.get(call.context, *key, token_of(call), catalog_of(call))
    return answer(rendered(call, found))


def change(call: Call) -> Response:
    key = key_of(call)
    patch = FloatingIpPatch(**bodies.read(bodies.parse(call.request), CHANGEABLE))
    found = call.central.floatingips.update(
        call.context, *key, patch, token_of(call), catalog_of(call)
    )
    return answer(None if found is None else rendered(call, found), 202)


def routes() -> list[Route]:
    return [
        route("/reverse"),
        route(PATH, GET=index),
        route(f"{PATH}/{{key:text}}", GET=show, PATCH=change),
    ]
