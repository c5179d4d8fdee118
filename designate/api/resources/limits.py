"""/v2/limits."""

from __future__ import annotations

from webob import Response

from designate.api.resource import Answer, Call, Operation, Route, answer, route
from designate.api.shape import NUMBER, Shape, member

LIMITS = Shape(
    "Limits",
    {
        "max_zones": member(NUMBER, "Zones of the project; negative: no limit, here as below."),
        "max_zone_recordsets": member(NUMBER, "Recordsets of a zone."),
        "max_zone_records": member(NUMBER, "Records of a zone."),
        "max_recordset_records": member(NUMBER, "Records of a recordset."),
        "min_ttl": member(NUMBER, "Seconds."),
        "max_zone_name_length": member(NUMBER, "Characters."),
        "max_recordset_name_length": member(NUMBER, "Characters."),
        "max_page_limit": member(NUMBER, "What `limit=max` stands for."),
    },
)


def show(call: Call) -> Response:
    return answer(LIMITS.render(call.central.quotas.limits(call.context)))


SHOW = Operation(
    handler=show,
    summary="Show what the service allows the caller's project",
    answers={200: Answer.of(LIMITS, "The limits.")},
)


def routes() -> list[Route]:
    return [route("/limits", whole=True, GET=SHOW)]
