"""The resource /v2/zones/tasks/exports: zone files made from zones."""

from __future__ import annotations

from dataclasses import replace

from webob import Response

from designate.api.operation import ApiCall, Operation, ResponseSpec
from designate.api.paging import DATE_SORT_KEYS
from designate.api.resource import Resource
from designate.api.resources import jobs
from designate.api.routing import ZONEFILE, Route, route
from designate.api.shape import STRING, Shape, member, nullable
from designate.model.jobs import JobStatus, ZoneJob

PATH = "/zones/tasks/exports"
# The path that openstacksdk uses.
SDK_PATH = "/zones/tasks/export"


def _file_path(job: ZoneJob) -> str | None:
    return f"{PATH}/{job.id}/export" if job.status is JobStatus.COMPLETE else None


EXPORTS = Resource(
    name="exports",
    singular="an export of a zone",
    path=PATH,
    id_name="export_id",
    delete_id_name="zone_export_id",
    client=lambda central: central.exports,
    shape=Shape(
        "ZoneExport",
        {
            **jobs.MEMBERS,
            "location": member(nullable(STRING), "The place of the file, once it exists."),
        },
    ),
    self_path=lambda job: f"{PATH}/{job.id}",
    links={"export": _file_path},
    sort_keys=DATE_SORT_KEYS,
    filters=jobs.FILTERS,
    created_codes=(202,),
)
SDK_EXPORTS = replace(EXPORTS, path=SDK_PATH)


def create(call: ApiCall) -> Response:
    """Start an export of the zone in the path."""
    return EXPORTS.created(call, call.central.exports.create(call.context, call.ids[0]))


def download(call: ApiCall) -> Response:
    """Return the zone file of a finished export."""
    return zonefile_response(call.central.exports.file(call.context, call.ids[0]))


def zonefile_response(text: str) -> Response:
    """Return a response with a zone file as its body."""
    return Response(body=text.encode("utf-8"), content_type=ZONEFILE, charset="UTF-8")


MASTER_FILE = {200: ResponseSpec(description="A master file.", schema=STRING)}
DOWNLOAD = Operation(
    handler=download, summary="Fetch the zone file of a finished export", responses=MASTER_FILE
)


def routes() -> list[Route]:
    """Return the routes of this resource, under its two paths."""
    files = (f"{path}/{{export_id}}/export" for path in (PATH, SDK_PATH))
    return [
        *EXPORTS.routes(),
        *SDK_EXPORTS.routes(),
        route("/zones/{zone_id}/tasks/export", POST=EXPORTS.create_operation(create, None)),
        *(route(path, content_type=ZONEFILE, GET=DOWNLOAD) for path in files),
    ]
