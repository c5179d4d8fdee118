"""Imports and exports of zone files: /v2/zones/tasks/imports and /exports, and what starts an export."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.resource import ApiCall, Operation, Resource, ResponseSpec, Route, route
from designate.api.shape import (
    CREATED_AT,
    INTEGER,
    STRING,
    UPDATED_AT,
    UUID,
    Body,
    Field,
    Member,
    Shape,
    enum_of,
    member,
    nullable,
)
from designate.model.jobs import ImportDraft, JobStatus, ZoneJob

DATES = ("created_at", "id", "updated_at")
IMPORTS_PATH = "/zones/tasks/imports"
EXPORTS_PATH = "/zones/tasks/exports"
# Where openstacksdk looks for exports.
SDK_EXPORTS_PATH = "/zones/tasks/export"


TASK: dict[str, Member] = {
    "id": member(UUID),
    "status": member(enum_of(JobStatus)),
    "message": member(nullable(STRING), "How it ended, for people."),
    "zone_id": member(nullable(UUID), "null: the import has made no zone yet."),
    "project_id": member(STRING),
    "created_at": CREATED_AT,
    "updated_at": UPDATED_AT,
    "version": member(INTEGER, "Grows by one with each stored change."),
}


def _zone_path(task: ZoneJob) -> str | None:
    return f"/zones/{task.zone_id}" if task.zone_id else None


def _file_path(task: ZoneJob) -> str | None:
    return f"{EXPORTS_PATH}/{task.id}/export" if task.status is JobStatus.COMPLETE else None


IMPORTS = Resource(
    name="imports",
    singular="an import of a zone file",
    path=IMPORTS_PATH,
    id_name="import_id",
    delete_id_name="zone_import_id",
    client=lambda central: central.imports,
    shape=Shape("ZoneImport", TASK),
    self_path=lambda task: f"{IMPORTS_PATH}/{task.id}",
    links={"zone": _zone_path},
    sort_keys=DATES,
    filters=("status", "message", "zone_id"),
    created_codes=(202,),
)
EXPORTS = Resource(
    name="exports",
    singular="an export of a zone",
    path=EXPORTS_PATH,
    id_name="export_id",
    delete_id_name="zone_export_id",
    client=lambda central: central.exports,
    shape=Shape(
        "ZoneExport",
        {**TASK, "location": member(nullable(STRING), "Where the file is, once there is one.")},
    ),
    self_path=lambda task: f"{EXPORTS_PATH}/{task.id}",
    links={"export": _file_path},
    sort_keys=DATES,
    filters=("status", "message", "zone_id"),
    created_codes=(202,),
)
SDK_EXPORTS = replace(EXPORTS, path=SDK_EXPORTS_PATH)


def _zonefile(_name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise errors.BadRequest("'zonefile' is a required property")
    return value


def _attributes(name: str, value: Any) -> dict[str, str]:
    found: dict[str, str] = ATTRIBUTES(name, {} if value is None else value)
    return found


ATTRIBUTES = bodies.texts_by_key(bodies.MAX_ATTRIBUTE)
IMPORT = Body(
    name="ZoneImportNew",
    members={
        "zonefile": Field(STRING, _zonefile).described("A master file (RFC 1035 section 5)."),
        "attributes": Field(nullable(ATTRIBUTES.schema), _attributes).described(
            "Of the zone to be."
        ),
    },
    required=("zonefile",),
    file_types=("text/dns",),
)


def start_import(call: ApiCall) -> Response:
    return IMPORTS.created(call, call.central.imports.create(call.context, _draft(call)))


def _draft(call: ApiCall) -> ImportDraft:
    kind = call.request.content_type
    if kind not in ("text/dns", "application/json"):
        raise errors.UnsupportedMedia(f"Unsupported Content-Type: {(kind or 'None')[:100]}")
    raw = call.request.body
    if kind == "text/dns":
        try:
            return ImportDraft(zonefile=raw.decode("utf-8"))
        except UnicodeDecodeError:
            raise errors.BadRequest("The zone file is not UTF-8") from None
    try:
        body = bodies.loads(raw)
    except ValueError:
        raise errors.BadRequest("Request body is not valid JSON") from None
    if not isinstance(body, dict) or "zonefile" not in body:
        raise errors.BadRequest("'zonefile' is a required property")
    members = bodies.read({"attributes": None} | body, IMPORT)
    return ImportDraft(**members)


def start_export(call: ApiCall) -> Response:
    return EXPORTS.created(call, call.central.exports.create(call.context, call.ids[0]))


def download(call: ApiCall) -> Response:
    text = call.central.exports.file(call.context, call.ids[0])
    return Response(body=text.encode("utf-8"), content_type="text/dns", charset="UTF-8")


DOWNLOAD = Operation(
    handler=download,
    summary="Fetch the zone file of a finished export",
    responses={200: ResponseSpec(description="A master file.", schema=STRING)},
)


def routes() -> list[Route]:
    return [
        route(IMPORTS_PATH, POST=IMPORTS.create_operation(start_import, IMPORT)),
        *IMPORTS.routes(),
        *EXPORTS.routes(),
        *SDK_EXPORTS.routes(),
        route("/zones/{zone_id}/tasks/export", POST=EXPORTS.create_operation(start_export, None)),
        *(
            route(f"{path}/{{export_id}}/export", content_type="text/dns", GET=DOWNLOAD)
            for path in (EXPORTS_PATH, SDK_EXPORTS_PATH)
        ),
    ]
