"""/admin: quotas, reports and zone files for administrators; each an extension that is switched on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.environ_keys import REQUEST_ID
from designate.api.error_responses import ERROR
from designate.api.operation import NO_CONTENT, ref
from designate.api.resource import (
    ApiCall,
    Operation,
    ResponseSpec,
    Route,
    empty_response,
    json_response,
    route,
)
from designate.api.resources.quotas import MAX_QUOTA, MEANINGS, NAMES, project_of
from designate.api.shape import (
    INTEGER,
    OBJECT,
    STRING,
    STRINGS,
    URL,
    Body,
    Field,
    Schema,
    Shape,
    closed_object,
    member,
    open_object,
)
from designate.model.quotas import Quotas
from designate.model.usage import Counts, ProjectZones

COUNTS = ("zones", "records", "tenants")
ALL_COUNTS = (*COUNTS, "zones_delayed_notify")
FAULT = ("path", "message", "validator")
LIMIT = bodies.integer(0, MAX_QUOTA)
LIMITS = {name: LIMIT.described(MEANINGS[name]) for name in NAMES}
QUOTA = Shape(
    "AdminQuota",
    {
        "quota": member(
            open_object({name: INTEGER | {"description": MEANINGS[name]} for name in NAMES}, NAMES),
            value_of=lambda quotas: {name: getattr(quotas, name) for name in NAMES},
        )
    },
)
QUOTA_CHANGES = Body(
    name="AdminQuotaChanges",
    members={
        "quota": Field(
            closed_object({name: field.schema for name, field in LIMITS.items()}),
            lambda _name, value: bodies.read(value, LIMITS),
        )
    },
    required=("quota",),
)


def _everywhere(call: ApiCall) -> ApiCall:
    """The admin API acts on every project."""
    call.context.all_projects = True
    return call


def _quota(quotas: Quotas) -> Response:
    return json_response(QUOTA.render(quotas))


def show_quota(call: ApiCall) -> Response:
    return _quota(_everywhere(call).central.quotas.get(call.context, project_of(call)))


def change_quota(call: ApiCall) -> Response:
    body = bodies.parse(call.request)
    faults = list(_faults(body))
    if faults:
        return json_response(REFUSED.render((faults, call.request.environ[REQUEST_ID])), 400)
    limits = bodies.read(body, QUOTA_CHANGES)["quota"]
    return _quota(_everywhere(call).central.quotas.set(call.context, project_of(call), limits))


def _faults(body: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is wrong, each in the order of FAULT."""
    if set(body) != {"quota"} or not isinstance(body["quota"], dict):
        yield "quota", "The request body must be an object with a member quota", "required"
        return
    for name, value in body["quota"].items():
        path = f"quota.{name[:50]}"
        if name not in NAMES:
            yield path, f"'{name[:50]}' is no quota", "additionalProperties"
            continue
        try:
            LIMIT(name, value)
        except errors.InvalidObject as error:
            yield path, error.message or "", "type"


# The admin API's way to refuse a body: one flat list. Of the faults and the request's id.
REFUSED = Shape(
    "AdminQuotaRefusal",
    {
        "code": member(INTEGER, value_of=lambda _: 400),
        "type": member(STRING, value_of=lambda _: "invalid_object"),
        "message": member(STRING, value_of=lambda _: "Provided object does not match schema"),
        "errors": member(
            {"type": "array", "items": open_object(dict.fromkeys(FAULT, STRING), FAULT)},
            value_of=lambda refused: [dict(zip(FAULT, each, strict=True)) for each in refused[0]],
        ),
        "request_id": member(STRING, value_of=lambda refused: refused[1]),
    },
)


def reset_quota(call: ApiCall) -> Response:
    _everywhere(call).central.quotas.reset(call.context, project_of(call))
    return empty_response()


SHOWN = {200: ResponseSpec.of(QUOTA, "All quotas.")}
SHOW_QUOTA = Operation(handler=show_quota, summary="Show the quotas of a project", responses=SHOWN)
CHANGE_QUOTA = Operation(
    handler=change_quota,
    summary="Change quotas of a project",
    body=QUOTA_CHANGES,
    responses=SHOWN
    | {
        400: ResponseSpec(
            description="What is wrong with the body.",
            schema={"anyOf": [ref(ERROR.name), ref(REFUSED.name)]},
            schemas={REFUSED.name: REFUSED.schema},
        )
    },
)
RESET_QUOTA = Operation(
    handler=reset_quota,
    summary="Give a project the default quotas again",
    responses={204: NO_CONTENT},
)


def quota_routes() -> list[Route]:
    path = "/quotas/{project_id:text}"
    one = route(path, GET=SHOW_QUOTA, PATCH=CHANGE_QUOTA, DELETE=RESET_QUOTA)
    return [one, route("/quotas")]


COUNT = Shape(
    "Counts",
    {
        name: member(INTEGER, when=lambda counts, name=name: getattr(counts, name) is not None)
        for name in ALL_COUNTS
    },
)
COUNTED = {
    200: ResponseSpec(
        description="One object with the numbers.",
        schema=open_object({"counts": {"type": "array", "items": ref(COUNT.name)}}, ("counts",)),
        schemas={COUNT.name: COUNT.schema},
    )
}


def counts(call: ApiCall) -> Response:
    return _counted(call, COUNTS)


def count(call: ApiCall) -> Response:
    if call.ids[0] not in ALL_COUNTS:
        raise errors.NotFound(type="report_not_found")
    return _counted(call, (call.ids[0],))


def _counted(call: ApiCall, names: tuple[str, ...]) -> Response:
    found: Counts = call.central.usage.counts(call.context, names)
    return json_response({"counts": [COUNT.render(found)]})


LINKS = open_object({"self": URL}, ("self",))
PROJECTS_PATH = "/reports/tenants"
PROJECT = Shape("ProjectZoneCount", {"zone_count": member(INTEGER), "id": member(STRING)})
ZONES = Shape(
    "ProjectZones",
    {
        "zones_count": member(INTEGER, value_of=lambda project: project.zone_count),
        "zones": member(STRINGS, "Their names.", value_of=lambda project: list(project.names)),
        "id": member(STRING),
    },
)


def _linked(call: ApiCall, shape: Shape, project: ProjectZones) -> dict[str, object]:
    links = {"self": call.link(f"{PROJECTS_PATH}/{project.id}")}
    return shape.render(project) | {"links": links}


def tenants(call: ApiCall) -> Response:
    found = call.central.usage.projects(call.context)
    return json_response(
        {
            "links": {"self": call.link(PROJECTS_PATH)},
            "metadata": {},
            "tenants": [_linked(call, PROJECT, project) for project in found],
        }
    )


def tenant(call: ApiCall) -> Response:
    found = call.central.usage.project(call.context, call.ids[0])
    return json_response(_linked(call, ZONES, found))


def _linked_schema(shape: Shape) -> Schema:
    plain = shape.schema
    return plain | {"properties": plain["properties"] | {"links": LINKS}}


ALL = Operation(handler=counts, summary="Count zones, records and projects", responses=COUNTED)
ONE = Operation(handler=count, summary=f"Count one of {', '.join(ALL_COUNTS)}", responses=COUNTED)
PROJECTS = Operation(
    handler=tenants,
    summary="List projects and how many zones they have",
    responses={
        200: ResponseSpec(
            description="All of them.",
            schema=open_object(
                {
                    "links": LINKS,
                    "metadata": OBJECT,
                    "tenants": {"type": "array", "items": ref(PROJECT.name)},
                },
                ("links", "metadata", "tenants"),
            ),
            schemas={PROJECT.name: _linked_schema(PROJECT)},
        )
    },
)
OF_PROJECT = Operation(
    handler=tenant,
    summary="List the zones of a project",
    responses={
        200: ResponseSpec(
            description="Their names.",
            schema=ref(ZONES.name),
            schemas={ZONES.name: _linked_schema(ZONES)},
        )
    },
)


def report_routes() -> list[Route]:
    return [
        route("/reports"),
        route("/reports/counts", GET=ALL),
        route("/reports/counts/{name:text}", GET=ONE),
        route("/reports/tenants", GET=PROJECTS),
        route("/reports/tenants/{tenant_id:text}", GET=OF_PROJECT),
    ]


def export(call: ApiCall) -> Response:
    text = call.central.exports.render(call.context, call.ids[0])
    return Response(body=text.encode(), content_type="text/dns", charset="UTF-8")


EXPORT = Operation(
    handler=export,
    summary="Write a zone down as a zone file",
    responses={200: ResponseSpec(description="A master file.", schema=STRING)},
)


def zone_routes() -> list[Route]:
    return [route("/zones/export/{zone_id}", content_type="text/dns", GET=EXPORT)]
