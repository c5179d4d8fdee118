"""The resources /v2/zones/{zone_id}/recordsets and, across zones, /v2/recordsets."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from webob import Response

from designate import domain_names, errors
from designate.api import body as bodies
from designate.api import fields
from designate.api.headers import EDIT_MANAGED, HIDE_COUNTS
from designate.api.operation import ApiCall, Operation, ResponseSpec
from designate.api.resource import Resource
from designate.api.responses import json_response
from designate.api.routing import Route, route
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
    BodyField,
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
        "project_id": member(
            nullable(STRING), "The project that created it; null: the service itself."
        ),
        "name": member(DOMAIN, "With the trailing dot."),
        "zone_name": member(DOMAIN),
        "type": member(
            RTYPE, "The record type, in capitals: its name, or TYPEnnn where it has none."
        ),
        "records": member(RDATAS, "The data of its records, as written.", convert=list),
        "description": member(nullable(STRING)),
        "ttl": member(nullable(INTEGER), "Seconds; null: the zone's TTL applies."),
        "status": member(enum_of(Status), "ACTIVE: the zone's nameservers serve it."),
        "action": member(enum_of(Action), "The change that is on its way to the nameservers."),
        "version": member(INTEGER, "Incremented by each stored change."),
        "created_at": CREATED_AT,
        "updated_at": UPDATED_AT,
    },
)


def _type(_name: str, value: Any) -> str:
    if not isinstance(value, str):
        message = f"'{str(value)[:50]}' is not a valid record type"
        raise errors.InvalidObject(
            reasons=(Reason(("recordset", "type"), message, "value", [value]),)
        )
    return value


RECORDS = BodyField(RDATAS, fields.records).described(
    "The data of each record as in a master file, or as `\\# length hex` (RFC 3597); duplicates are "
    "removed. doc/record-types.md has the form of each type."
)
CHANGES = Body(
    name="RecordSetChanges",
    members={
        "records": RECORDS,
        "ttl": fields.nullable_ttl.described("Seconds; null: the zone's TTL applies."),
        "description": fields.description,
    },
)
NEW = Body(
    name="RecordSetNew",
    members={
        "name": fields.escaped_domain,
        "type": BodyField(RTYPE, _type).described(
            "The record type, in capitals: its name, or TYPEnnn; TYPE1 is A. doc/record-types.md has the "
            "list."
        ),
        **CHANGES.members,
    },
    required=("name", "type"),
)


def _make_draft(_call: ApiCall, body: dict[str, Any]) -> RecordSetDraft:
    if body.get("name") is None:
        raise errors.InvalidObject
    members = bodies.read(body, NEW, unchecked=("type", "records", *READ_ONLY))
    bodies.reject_read_only(body, READ_ONLY)
    rtype = _type("type", body.get("type"))
    records = fields.records(rtype, body["records"]) if "records" in body else ()
    return RecordSetDraft(type=rtype, records=records, **members)


def _make_patch(call: ApiCall, body: dict[str, Any]) -> RecordSetPatch:
    fixed = [name for name in (*READ_ONLY, "name", "type") if name in body]
    needs_current = bool(fixed)
    try:
        if needs_current:
            current = RECORDSET.render(_check_update(call))
            if "zone_name" in body:
                raise errors.BadRequest("Moving a recordset between zones is not allowed")
            bodies.reject_changed(_with_stored_name(body), fixed, current)
        members = bodies.read(body, CHANGES, unchecked=("records", "name", "type", *READ_ONLY))
        if "records" in body:
            members["records"] = fields.records(body.get("type"), body["records"])
    except errors.InvalidObject:
        if not needs_current:
            # Whether the recordset exists and may be changed comes before errors of the body.
            found = _check_update(call)
            if "records" in body:
                fields.records(found.type, body["records"])
        raise
    return RecordSetPatch(**members)


def _with_stored_name(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with its name in the stored form, so that another spelling of it is no change."""
    name = body.get("name")
    if not isinstance(name, str):
        return body
    with suppress(ValueError):
        name = domain_names.canonical(name)
    return {**body, "name": name}


def _check_update(call: ApiCall) -> RecordSet:
    """Return the recordset, or raise the error of a caller who may not change it."""
    found: RecordSet = call.central.recordsets.check_update(call.context, *call.ids)
    return found


def _created_status(recordset: RecordSet) -> int:
    return 202 if recordset.records else 201


def _updated_status(recordset: RecordSet) -> int:
    return 202 if recordset.records else 200


IN_ZONE = Resource(
    name="recordsets",
    singular="a recordset",
    path="/zones/{zone_id}/recordsets",
    id_name="recordset_id",
    client=lambda central: central.recordsets,
    shape=RECORDSET,
    self_path=lambda recordset: f"/zones/{recordset.zone_id}/recordsets/{recordset.id}",
    sort_keys=("created_at", "id", "updated_at", "zone_id", "tenant_id", "name", "type", "ttl"),
    filters=("name", "type", "ttl", "data", "status", "description"),
    make_draft=_make_draft,
    create_body=NEW,
    make_patch=_make_patch,
    update_body=CHANGES,
    precheck=_check_update,
    update_method="PUT",
    created_codes=(202, 201),
    created_status=_created_status,
    updated_codes=(202, 200),
    updated_status=_updated_status,
    returns_deleted=True,
    flags={"PUT": (EDIT_MANAGED,), "DELETE": (EDIT_MANAGED,), "list": (HIDE_COUNTS,)},
)
ACROSS_ZONES = replace(
    IN_ZONE,
    path="/recordsets",
    id_name="",
    make_draft=None,
    make_patch=None,
    spans_parents=True,
    sort_keys=tuple(key for key in IN_ZONE.sort_keys if key != "id"),
)


def redirect(call: ApiCall) -> Response:
    """Redirect to the recordset in its zone."""
    found = call.central.recordsets.get(call.context, None, *call.ids)
    location = call.link(IN_ZONE.self_path(found))
    return json_response(location, 301, Location=location)


REDIRECT = Operation(
    handler=redirect,
    summary="Redirect to a recordset in its zone",
    responses={
        301: ResponseSpec(description="The recordset's URL.", schema=URL, has_location=True)
    },
)


def routes() -> list[Route]:
    """Return the routes of recordsets in a zone and across zones."""
    return [
        *IN_ZONE.routes(),
        *ACROSS_ZONES.routes(),
        route("/recordsets/{recordset_id}", GET=REDIRECT),
    ]
