"""Imports and exports of zone files: /v2/zones/tasks/imports and /exports, and what starts an export."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.resource import Call, Resource, Route, route
from designate.model.codec import timestamp
from designate.model.tasks import ImportDraft, TaskStatus, ZoneTask

DATES = ("created_at", "id", "updated_at")
IMPORTS_PATH = "/zones/tasks/imports"
EXPORTS_PATH = "/zones/tasks/exports"
# Where openstacksdk looks for exports.
SDK_EXPORTS_PATH = "/zones/tasks/export"


def _view(task: ZoneTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "status": task.status,
        "message": task.message,
        "zone_id": task.zone_id,
        "project_id": task.project_id,
        "created_at": timestamp(task.created_at),
        "updated_at": task.updated_at and timestamp(task.updated_at),
        "version": task.version,
    }


def _export_view(task: ZoneTask) -> dict[str, Any]:
    return _view(task) | {"location": task.location}


def _zone_link(call: Call, task: ZoneTask) -> dict[str, str]:
    return {"zone": call.link(f"/zones/{task.zone_id}")} if task.zone_id else {}


def _file_link(call: Call, task: ZoneTask) -> dict[str, str]:
    if task.status is not TaskStatus.COMPLETE:
        return {}
    return {"export": call.link(f"{EXPORTS_PATH}/{task.id}/export")}


IMPORTS = Resource(
    name="imports",
    path=IMPORTS_PATH,
    item="import_id",
    deleted_item="zone_import_id",
    client=lambda central: central.imports,
    view=_view,
    self_path=lambda task: f"{IMPORTS_PATH}/{task.id}",
    links=_zone_link,
    sort_keys=DATES,
    filters=("status", "message", "zone_id"),
    created_status=lambda _: 202,
)
EXPORTS = Resource(
    name="exports",
    path=EXPORTS_PATH,
    item="export_id",
    deleted_item="zone_export_id",
    client=lambda central: central.exports,
    view=_export_view,
    self_path=lambda task: f"{EXPORTS_PATH}/{task.id}",
    links=_file_link,
    sort_keys=DATES,
    filters=("status", "message", "zone_id"),
    created_status=lambda _: 202,
)
SDK_EXPORTS = replace(EXPORTS, path=SDK_EXPORTS_PATH)


def start_import(call: Call) -> Response:
    return IMPORTS.created(call, call.central.imports.create(call.context, _draft(call)))


def _draft(call: Call) -> ImportDraft:
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
    if not isinstance(body, dict) or not isinstance(body.get("zonefile"), str):
        raise errors.BadRequest("'zonefile' is a required property")
    attributes = {} if body.get("attributes") is None else body["attributes"]
    read = bodies.texts_by_key(bodies.LONGEST_ATTRIBUTE)
    members = bodies.read(body | {"attributes": attributes}, {"attributes": read}, ["zonefile"])
    return ImportDraft(zonefile=body["zonefile"], **members)


def start_export(call: Call) -> Response:
    return EXPORTS.created(call, call.central.exports.create(call.context, call.ids[0]))


def download(call: Call) -> Response:
    text = call.central.exports.file(call.context, call.ids[0])
    return Response(body=text.encode("utf-8"), content_type="text/dns", charset="UTF-8")


def routes() -> list[Route]:
    return [
        route(IMPORTS_PATH, POST=start_import),
        *IMPORTS.routes(),
        *EXPORTS.routes(),
        *SDK_EXPORTS.routes(),
        route("/zones/{zone_id}/tasks/export", POST=start_export),
        *(
            route(f"{path}/{{export_id}}/export", gives="text/dns", GET=download)
            for path in (EXPORTS_PATH, SDK_EXPORTS_PATH)
        ),
    ]
