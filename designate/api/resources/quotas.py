"""The resource /v2/quotas."""

from __future__ import annotations

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import fields, projects
from designate.api.identifiers import MAX_PROJECT_ID
from designate.api.operation import NO_CONTENT, ApiCall, Operation, ResponseSpec
from designate.api.responses import empty_response, json_response
from designate.api.routing import Route, route
from designate.api.shape import INTEGER, Body, Shape, member
from designate.model.quotas import Quotas

NAMES = ("zones", "zone_recordsets", "zone_records", "recordset_records", "api_export_size")
MAX_QUOTA = 2**31 - 1
DESCRIPTIONS = {
    "zones": "Zones of the project. Negative values, here and below, mean no limit.",
    "zone_recordsets": "Recordsets of a zone, SOA and NS included.",
    "zone_records": "Records of a zone, without those that the service manages.",
    "recordset_records": "Records of a recordset.",
    "api_export_size": "Recordsets of a zone that may be exported.",
}
RESET_SUMMARY = "Reset the quotas of a project to the defaults"
QUOTAS = Shape("Quotas", {name: member(INTEGER, DESCRIPTIONS[name]) for name in NAMES})
LIMIT = fields.integer(-1, MAX_QUOTA)
CHANGES = Body(
    name="QuotasChanges",
    members={name: LIMIT.described(DESCRIPTIONS[name]) for name in NAMES},
)


def project_of(call: ApiCall) -> str:
    """Return the id of the project that the path names."""
    return str(fields.text(MAX_PROJECT_ID)("project_id", call.ids[0]))


def _quotas_response(quotas: Quotas) -> Response:
    return json_response(QUOTAS.render(quotas))


def show_own(call: ApiCall) -> Response:
    """Return the quotas of the caller's project."""
    if call.context.project_id is None:
        raise errors.Unauthorized("A project is needed")
    return _quotas_response(call.central.quotas.get(call.context, call.context.project_id))


def show(call: ApiCall) -> Response:
    """Return the quotas of the project in the path."""
    return _quotas_response(call.central.quotas.get(call.context, project_of(call)))


def change(call: ApiCall) -> Response:
    """Set the given quotas of the project in the path, and return all of them."""
    body = bodies.parse(call.request)
    if call.conf["service:api"].quotas_verify_project_id:
        projects.check(call.conf, project_of(call))
    limits = bodies.read(body, CHANGES)
    return _quotas_response(call.central.quotas.set(call.context, project_of(call), limits))


def reset(call: ApiCall) -> Response:
    """Reset the quotas of the project in the path to the defaults."""
    call.central.quotas.reset(call.context, project_of(call))
    return empty_response()


ALL_QUOTAS = {200: ResponseSpec.of(QUOTAS, "All quotas, as they are after the request.")}
SHOW_OWN = Operation(
    handler=show_own, summary="Show the quotas of the caller's project", responses=ALL_QUOTAS
)
SHOW = Operation(handler=show, summary="Show the quotas of a project", responses=ALL_QUOTAS)
CHANGE = Operation(
    handler=change, summary="Change quotas of a project", body=CHANGES, responses=ALL_QUOTAS
)
RESET = Operation(handler=reset, summary=RESET_SUMMARY, responses={204: NO_CONTENT})


def routes() -> list[Route]:
    """Return the routes of this resource."""
    return [
        route("/quotas", GET=SHOW_OWN),
        route("/quotas/{project_id:text}", GET=SHOW, PATCH=CHANGE, DELETE=RESET),
    ]
