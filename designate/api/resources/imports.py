"""The resource /v2/zones/tasks/imports: zones made from zone files."""

from __future__ import annotations

from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import fields
from designate.api.operation import ApiCall
from designate.api.paging import DATE_SORT_KEYS
from designate.api.resource import Resource
from designate.api.resources import jobs
from designate.api.routing import Route, route
from designate.api.shape import (
    INTEGER,
    STRING,
    Body,
    BodyField,
    Shape,
    member,
    nullable,
    open_object,
)
from designate.model.jobs import ImportDraft

PATH = "/zones/tasks/imports"
FAULT = open_object({"line": INTEGER, "reason": STRING}, ("line", "reason"))
ATTRIBUTES = fields.string_map(fields.MAX_ATTRIBUTE)
RESULT = {
    "faults": member(
        {"type": "array", "items": FAULT},
        "What is wrong with the file, the first 100; of a finished import, the records outside the zone.",
        convert=lambda faults: [{"line": one.line, "reason": one.reason} for one in faults],
    ),
    "skipped_count": member(INTEGER, "Records of the file that are outside the zone."),
}
IMPORTS = Resource(
    name="imports",
    singular="an import of a zone file",
    path=PATH,
    id_name="import_id",
    delete_id_name="zone_import_id",
    client=lambda central: central.imports,
    shape=Shape("ZoneImport", {**jobs.MEMBERS, **RESULT}),
    self_path=lambda job: f"{PATH}/{job.id}",
    links={"zone": jobs.zone_path},
    sort_keys=DATE_SORT_KEYS,
    filters=jobs.FILTERS,
    created_codes=(202,),
)


def _zonefile(_name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise errors.BadRequest("'zonefile' is a required property")
    return value


def _attributes(name: str, value: Any) -> dict[str, str]:
    found: dict[str, str] = ATTRIBUTES(name, {} if value is None else value)
    return found


NEW = Body(
    name="ZoneImportNew",
    members={
        "zonefile": BodyField(STRING, _zonefile).described("A master file (RFC 1035 section 5)."),
        "attributes": BodyField(nullable(ATTRIBUTES.schema), _attributes).described(
            "Attributes of the new zone."
        ),
    },
    required=("zonefile",),
    file_types=("text/dns",),
)


def create(call: ApiCall) -> Response:
    """Start an import of the zone file in the body."""
    return IMPORTS.created(call, call.central.imports.create(call.context, _draft(call)))


def _draft(call: ApiCall) -> ImportDraft:
    content_type = call.request.content_type
    if content_type not in ("text/dns", "application/json"):
        raise bodies.unsupported_media(call.request, "text/dns or application/json")
    raw = call.request.body
    if content_type == "text/dns":
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
    return ImportDraft(**bodies.read({"attributes": None} | body, NEW))


def routes() -> list[Route]:
    """Return the routes of this resource."""
    return [route(PATH, POST=IMPORTS.create_operation(create, NEW)), *IMPORTS.routes()]
