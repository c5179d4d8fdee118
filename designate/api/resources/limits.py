"""The resource /v2/limits."""

from __future__ import annotations

from webob import Response

from designate.api import rate_limit
from designate.api.operation import ApiCall, Operation, ResponseSpec, ref
from designate.api.responses import json_response
from designate.api.routing import Route, route
from designate.api.shape import INTEGER, Shape, member

LIMITS = Shape(
    "Limits",
    {
        "max_zones": member(
            INTEGER, "Zones of the project. Negative values, here and below, mean no limit."
        ),
        "max_zone_recordsets": member(INTEGER, "Recordsets of a zone."),
        "max_zone_records": member(INTEGER, "Records of a zone."),
        "max_recordset_records": member(INTEGER, "Records of a recordset."),
        "min_ttl": member(INTEGER, "Seconds."),
        "max_zone_name_length": member(INTEGER, "Characters."),
        "max_recordset_name_length": member(INTEGER, "Characters."),
        "max_page_limit": member(INTEGER, "The page size that `limit=max` stands for."),
    },
)
# Present only where there is one, since old clients know the others.
RATE = "max_requests_per_minute"
SCHEMA = LIMITS.schema | {
    "properties": LIMITS.schema["properties"]
    | {
        RATE: INTEGER
        | {"description": "Requests of the project; further ones get a 429. Missing: no limit."}
    }
}


def show(call: ApiCall) -> Response:
    """Return the limits of the caller's project."""
    found = LIMITS.render(call.central.quotas.limits(call.context))
    rate = rate_limit.per_minute(call.conf, call.context.project_id)
    return json_response(found if rate is None else found | {RATE: rate})


SHOW = Operation(
    handler=show,
    summary="Show the limits of the caller's project",
    responses={
        200: ResponseSpec(
            description="The limits.", schema=ref(LIMITS.name), schemas={LIMITS.name: SCHEMA}
        )
    },
)


def routes() -> list[Route]:
    """Return the routes of this resource."""
    return [route("/limits", leaf=True, GET=SHOW)]
