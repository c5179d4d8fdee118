"""/v2/quotas."""

from __future__ import annotations

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import projects
from designate.api.operation import NO_CONTENT
from designate.api.resource import (
    ApiCall,
    Operation,
    ResponseSpec,
    Route,
    empty_response,
    json_response,
    route,
)
from designate.api.shape import INTEGER, Body, Shape, member
from designate.model.quotas import Quotas

NAMES = ("zones", "zone_recordsets", "zone_records", "recordset_records", "api_export_size")
MAX_QUOTA = 2**31 - 1
MAX_PROJECT_ID = 36


MEANINGS = {
    "zones": "Zones of the project; negative: no limit, here as below.",
    "zone_recordsets": "Recordsets of a zone, SOA and NS included.",
    "zone_records": "Records of a zone, without those that the service manages.",
    "recordset_records": "Records of a recordset.",
    "api_export_size": "Recordsets of a zone that may be exported.",
}
QUOTAS = Shape("Quotas", {name: member(INTEGER, MEANINGS[name]) for name in NAMES})
LIMIT = bodies.integer(-1, MAX_QUOTA)
CHANGES = Body(
    name="QuotasChanges", members={name: LIMIT.described(MEANINGS[name]) for name in NAMES}
)


def _shown(quotas: Quotas) -> Response:
    return json_response(QUOTAS.render(quotas))


def own(call: ApiCall) -> Response:
    if call.context.project_id is None:
        raise errors.Unauthorized("A project is needed")
    return _shown(call.central.quotas.get(call.context, call.context.project_id))


def project_of(call: ApiCall) -> str:
    """The project that the path names."""
    return str(bodies.text(MAX_PROJECT_ID)("project_id", call.ids[0]))


def show(call: ApiCall) -> Response:
    return _shown(call.central.quotas.get(call.context, project_of(call)))


def change(call: ApiCall) -> Response:
    body = bodies.parse(call.request)
    if call.conf["service:api"].quotas_verify_project_id:
        projects.check(call.conf, project_of(call))
    limits = bodies.read(body, CHANGES)
    return _shown(call.central.quotas.set(call.context, project_of(call), limits))


def reset(call: ApiCall) -> Response:
    call.central.quotas.reset(call.context, project_of(call))
    return empty_response()


SHOWN = {200: ResponseSpec.of(QUOTAS, "All quotas, after the change if there was one.")}
OWN = Operation(handler=own, summary="Show the quotas of the caller's project", responses=SHOWN)
SHOW = Operation(handler=show, summary="Show the quotas of a project", responses=SHOWN)
CHANGE = Operation(
    handler=change, summary="Change quotas of a project", body=CHANGES, responses=SHOWN
)
RESET = Operation(
    handler=reset, summary="Give a project the default quotas again", responses={204: NO_CONTENT}
)


def routes() -> list[Route]:
    return [
        route("/quotas", GET=OWN),
        route("/quotas/{project_id:text}", GET=SHOW, PATCH=CHANGE, DELETE=RESET),
    ]
