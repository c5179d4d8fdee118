"""The resource /admin/reports: how many zones and records there are, and whose."""

from __future__ import annotations

from webob import Response

from designate import errors
from designate.api.operation import ApiCall, Operation, ResponseSpec, ref
from designate.api.responses import json_response
from designate.api.routing import Route, route
from designate.api.shape import (
    INTEGER,
    OBJECT,
    STRING,
    STRINGS,
    URL,
    Schema,
    Shape,
    member,
    open_object,
)
from designate.model.usage import Counts, ProjectZones

COUNT_NAMES = ("zones", "records", "tenants")
ALL_COUNT_NAMES = (*COUNT_NAMES, "zones_delayed_notify")
COUNTS = Shape(
    "Counts",
    {
        name: member(INTEGER, when=lambda counts, name=name: getattr(counts, name) is not None)
        for name in ALL_COUNT_NAMES
    },
)
COUNTS_RESPONSE = {
    200: ResponseSpec(
        description="A list of one object with the counts.",
        schema=open_object({"counts": {"type": "array", "items": ref(COUNTS.name)}}, ("counts",)),
        schemas={COUNTS.name: COUNTS.schema},
    )
}


def show_counts(call: ApiCall) -> Response:
    """Return the counts of zones, records and projects."""
    return _counts(call, COUNT_NAMES)


def show_count(call: ApiCall) -> Response:
    """Return the one count that the path names."""
    if call.ids[0] not in ALL_COUNT_NAMES:
        raise errors.NotFound(message="There is no such report", type="report_not_found")
    return _counts(call, (call.ids[0],))


def _counts(call: ApiCall, names: tuple[str, ...]) -> Response:
    found: Counts = call.central.usage.counts(call.context, names)
    return json_response({"counts": [COUNTS.render(found)]})


LINKS = open_object({"self": URL}, ("self",))
PROJECTS_PATH = "/reports/tenants"
PROJECT_ZONE_COUNT = Shape(
    "ProjectZoneCount", {"zone_count": member(INTEGER), "id": member(STRING)}
)
PROJECT_ZONES = Shape(
    "ProjectZones",
    {
        "zones_count": member(INTEGER, value_of=lambda project: project.zone_count),
        "zones": member(STRINGS, "Zone names.", value_of=lambda project: list(project.names)),
        "id": member(STRING),
    },
)


def _render(call: ApiCall, shape: Shape, project: ProjectZones) -> dict[str, object]:
    links = {"self": call.link(f"{PROJECTS_PATH}/{project.id}")}
    return shape.render(project) | {"links": links}


def list_projects(call: ApiCall) -> Response:
    """Return every project that has zones, with their number."""
    found = call.central.usage.projects(call.context)
    return json_response(
        {
            "links": {"self": call.link(PROJECTS_PATH)},
            "metadata": {},
            "tenants": [_render(call, PROJECT_ZONE_COUNT, project) for project in found],
        }
    )


def show_project(call: ApiCall) -> Response:
    """Return the names of a project's zones."""
    found = call.central.usage.project(call.context, call.ids[0])
    return json_response(_render(call, PROJECT_ZONES, found))


def _with_links(shape: Shape) -> Schema:
    plain = shape.schema
    return plain | {"properties": plain["properties"] | {"links": LINKS}}


SHOW_COUNTS = Operation(
    handler=show_counts, summary="Count zones, records and projects", responses=COUNTS_RESPONSE
)
SHOW_COUNT = Operation(
    handler=show_count,
    summary=f"Count one of {', '.join(ALL_COUNT_NAMES)}",
    responses=COUNTS_RESPONSE,
)
LIST_PROJECTS = Operation(
    handler=list_projects,
    summary="List projects with the number of their zones",
    responses={
        200: ResponseSpec(
            description="All projects that have zones.",
            schema=open_object(
                {
                    "links": LINKS,
                    "metadata": OBJECT,
                    "tenants": {"type": "array", "items": ref(PROJECT_ZONE_COUNT.name)},
                },
                ("links", "metadata", "tenants"),
            ),
            schemas={PROJECT_ZONE_COUNT.name: _with_links(PROJECT_ZONE_COUNT)},
        )
    },
)
SHOW_PROJECT = Operation(
    handler=show_project,
    summary="List the zones of a project",
    responses={
        200: ResponseSpec(
            description="The names of its zones.",
            schema=ref(PROJECT_ZONES.name),
            schemas={PROJECT_ZONES.name: _with_links(PROJECT_ZONES)},
        )
    },
)


def routes() -> list[Route]:
    """Return the routes of the admin extension `reports`."""
    return [
        route("/reports"),
        route("/reports/counts", GET=SHOW_COUNTS),
        route("/reports/counts/{name:text}", GET=SHOW_COUNT),
        route(PROJECTS_PATH, GET=LIST_PROJECTS),
        route(f"{PROJECTS_PATH}/{{tenant_id:text}}", GET=SHOW_PROJECT),
    ]
