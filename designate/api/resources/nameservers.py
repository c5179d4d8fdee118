"""The resource /v2/zones/{zone_id}/nameservers: names and state of a zone's nameservers."""

from __future__ import annotations

from webob import Response

from designate.api.operation import ApiCall, Operation, ResponseSpec, ref
from designate.api.responses import json_response
from designate.api.routing import Route, route
from designate.api.shape import (
    DOMAIN,
    INTEGER,
    STRING,
    Shape,
    enum_of,
    member,
    nullable,
    open_object,
    timestamp_member,
)
from designate.model.pools import NsRecord
from designate.model.zones import NameserverStatus, ServedStatus

NAMESERVER = Shape(
    "NameserverRecord",
    {
        "priority": member(INTEGER, "Nameservers are listed in ascending order of priority."),
        "hostname": member(DOMAIN, "With the trailing dot."),
    },
)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


NAMESERVER_STATUS = Shape(
    "NameserverStatus",
    {
        "name": member(
            STRING, "As in the pool's definition.", value_of=lambda nameserver: nameserver.host
        ),
        "address": member(
            STRING,
            "Host and port.",
            value_of=lambda nameserver: f"{_bracketed(nameserver.host)}:{nameserver.port}",
        ),
        "status": member(
            enum_of(ServedStatus),
            "ACTIVE: it serves the current version of the zone. PENDING: it responds, but does not "
            "serve that version. ERROR: it does not respond.",
        ),
        "serial": member(nullable(INTEGER), "The serial that it serves; null: none."),
        "lag": member(
            nullable(INTEGER), "How far its serial is below the zone's; null: unknown, or ahead."
        ),
        "last_error": member(
            nullable(STRING),
            "What is wrong, if it is not ACTIVE: no reply, a refusal, a serial behind or ahead of the "
            "zone's, or other data.",
            value_of=lambda nameserver: nameserver.error,
        ),
        "since": timestamp_member(
            "When the change was made that it does not serve yet, UTC.", optional=True
        ),
    },
)


def index(call: ApiCall) -> Response:
    """Return the nameservers of the zone's pool."""
    found: tuple[NsRecord, ...] = call.central.zones.nameservers(call.context, *call.ids)
    return json_response({"nameservers": [NAMESERVER.render(record) for record in found]})


def show_status(call: ApiCall) -> Response:
    """Query the nameservers of the zone and return what they serve."""
    found: tuple[NameserverStatus, ...] = call.central.zones.nameserver_status(
        call.context, *call.ids
    )
    return json_response({"nameservers": [NAMESERVER_STATUS.render(each) for each in found]})


def _list_response(description: str, shape: Shape) -> ResponseSpec:
    items = {"type": "array", "items": ref(shape.name)}
    return ResponseSpec(
        description=description,
        schema=open_object({"nameservers": items}, ("nameservers",)),
        schemas={shape.name: shape.schema},
    )


INDEX = Operation(
    handler=index,
    summary="List the nameservers of a zone",
    responses={200: _list_response("All nameservers.", NAMESERVER)},
)
SHOW_STATUS = Operation(
    handler=show_status,
    summary="Query the nameservers of a zone for the version that they serve",
    responses={200: _list_response("The current state of each nameserver.", NAMESERVER_STATUS)},
)


def routes() -> list[Route]:
    """Return the routes of this resource."""
    path = "/zones/{zone_id}/nameservers"
    return [
        route(path, leaf=True, GET=INDEX),
        route(f"{path}/status", leaf=True, GET=SHOW_STATUS),
    ]
