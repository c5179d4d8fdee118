"""/v2/zones/{zone_id}/recordsets, and /v2/recordsets across zones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.headers import EDIT_MANAGED, HIDE_COUNTS
from designate.api.resource import (
    ApiCall,
    Operation,
    Resource,
    ResponseSpec,
    Route,
    json_response,
    route,
)
from designate.api.shape import (
    CREATED_AT,
    DOMAIN,
    INTEGER,
    RDATAS,
    RTYPE,
    STRING,
    UPDATED_AT,
    URL,
    UUID,
    Body,
    Field,
    Shape,
    enum_of,
    member,
    nullable,
)
from designate.errors import Reason
from designate.model.recordsets import RecordSet, RecordSetDraft, RecordSetPatch
from designate.model.zones import Action, Status

READ_ONLY = (
    "id", "zone_id", "project_id", "zone_name", "status", "action", "version", "created_at",
    "updated_at", "links",
)  # fmt: skip


RECORDSET = Shape(
    "RecordSet",
    {
        "id": member(UUID),
        "zone_id": member(UUID),
        "project_id": member(nullable(STRING), "Who made it; null: the service itself."),
        "name": member(DOMAIN, "With the dot at the end."),
        "zone_name": member(DOMAIN),
        "type": member(RTYPE, "The record type, in capitals."),
        "records": member(RDATAS, "The data of its records, as written.", convert=list),
        "description": member(nullable(STRING)),
        "ttl": member(nullable(INTEGER), "Seconds; null: the zone's."),
        "status": member(enum_of(Status), "ACTIVE: the zone's nameservers serve it."),
        "action": member(enum_of(Action), "What is on its way to the nameservers."),
        "version": member(INTEGER, "Grows by one with each stored change."),
        "created_at": CREATED_AT,
        "updated_at": UPDATED_AT,
    },
)


def _type(_name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise errors.InvalidObject(
            reasons=(
                Reason(
                    ("recordset", "type"),
                    f"'{str(value)[:50]}' is not a valid record type",
                    "value",
                    [value],
                ),
            )
        )
    return value


RECORDS = Field(RDATAS, bodies.records).described(
    "The data of each record as in a master file; repetitions are left out."
)
CHANGES = Body(
    name="RecordSetChanges",
    members={
        "records": RECORDS,
        "ttl": bodies.null_ttl.described("Seconds; null: the zone's."),
        "description": bodies.description,
    },
)
NEW = Body(
    name="RecordSetNew",
    members={
        "name": bodies.domain,
        "type": Field(RTYPE, _type).described("A record type, in capitals."),
        **CHANGES.members,
    },
    required=("name", "type"),
)


def new(call: ApiCall, body: dict[str, Any]) -> RecordSetDraft:
    if body.get("name") is None:
        raise errors.InvalidObject
    members = bodies.read(body, NEW, unchecked=("type", "records", *READ_ONLY))
    bodies.reject_read_only(body, READ_ONLY)
    rtype = _type("type", body.get("type"))
    records = bodies.records(rtype, body["records"]) if "records" in body else ()
    return RecordSetDraft(type=rtype, records=records, **members)


def changes(call: ApiCall, body: dict[str, Any]) -> RecordSetPatch:
    fixed = [name for name in (*READ_ONLY, "name", "type") if name in body]
    needs_current = bool(fixed)
    try:
        if needs_current:
            current = RECORDSET.render(
                call.central.recordsets.check_update(call.context, *call.ids)
            )
            if "zone_name" in body:
                raise errors.BadRequest("Moving a recordset between zones is not allowed")
            bodies.reject_changed(body, fixed, current)
        also = ("records", "name", "type", *READ_ONLY)
        members = bodies.read(body, CHANGES, unchecked=also)
        if "records" in body:
            members["records"] = bodies.records(body.get("type"), body["records"])
    except errors.InvalidObject:
        if not needs_current:
            # What is not found or not changeable is said before what is wrong with the body.
            found = call.central.recordsets.check_update(call.context, *call.ids)
            if "records" in body:
                bodies.records(found.type, body["records"])
        raise
    return RecordSetPatch(**members)


def _created(recordset: RecordSet) -> int:
    return 202 if recordset.records else 201


def _updated(recordset: RecordSet) -> int:
    return 202 if recordset.records else 200


IN_ZONE = Resource(
    name="recordsets",
    singular="a recordset",
    path="/zones/{zone_id}/recordsets",
    id_name="recordset_id",
    client=lambda central: central.recordsets,
    shape=RECORDSET,
    self_path=lambda rs: f"/zones/{rs.zone_id}/recordsets/{rs.id}",
    sort_keys=("created_at", "id", "updated_at", "zone_id", "tenant_id", "name", "type", "ttl"),
    filters=("name", "type", "ttl", "data", "status", "description"),
    make_draft=new,
    create_body=NEW,
    make_patch=changes,
    update_body=CHANGES,
    precheck=lambda call: call.central.recordsets.check_update(call.context, *call.ids),
    update_method="PUT",
    created_codes=(202, 201),
    created_status=_created,
    updated_codes=(202, 200),
    updated_status=_updated,
    returns_deleted=True,
    flags={"PUT": (EDIT_MANAGED,), "DELETE": (EDIT_MANAGED,), "list": (HIDE_COUNTS,)},
)

EVERYWHERE = replace(
    IN_ZONE,
    path="/recordsets",
    id_name="",
    make_draft=None,
    make_patch=None,
    spans_parents=True,
    sort_keys=tuple(key for key in IN_ZONE.sort_keys if key != "id"),
)


def redirect(call: ApiCall) -> Response:
    """The canonical place of a recordset."""
    found = call.central.recordsets.get(call.context, None, *call.ids)
    location = call.link(IN_ZONE.self_path(found))
    return json_response(location, 301, Location=location)


REDIRECT = Operation(
    handler=redirect,
    summary="Say where a recordset is, in its zone",
    responses={301: ResponseSpec(description="Its place.", schema=URL, has_location=True)},
)


def routes() -> list[Route]:
    return [
        *IN_ZONE.routes(),
        *EVERYWHERE.routes(),
        route("/recordsets/{recordset_id}", GET=REDIRECT),
    ]
