"""/v2/limits."""

from __future__ import annotations

from webob import Response

from designate.api.resource import ApiCall, Operation, ResponseSpec, Route, json_response, route
from designate.api.shape import INTEGER, Shape, member

LIMITS = Shape(
    "Limits",
    {
        "max_zones": member(INTEGER, "Zones of the project; negative: no limit, here as below."),
        "max_zone_recordsets": member(INTEGER, "Recordsets of a zone."),
        "max_zone_records": member(INTEGER, "Records of a zone."),
        "max_recordset_records": member(INTEGER, "Records of a recordset."),
        "min_ttl": member(INTEGER, "Seconds."),
        "max_zone_name_length": member(INTEGER, "Characters."),
        "max_recordset_name_length": member(INTEGER, "Characters."),
        "max_page_limit": member(INTEGER, "What `limit=max` stands for."),
    },
)


def show(call: ApiCall) -> Response:
    return json_response(LIMITS.render(call.central.quotas.limits(call.context)))


SHOW = Operation(
    handler=show,
    summary="Show what the service allows the caller's project",
    responses={200: ResponseSpec.of(LIMITS, "The limits.")},
)


def routes() -> list[Route]:
    return [route("/limits", leaf=True, GET=SHOW)]
