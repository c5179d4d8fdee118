"""/v2/zones/{zone_id}/recordsets, and /v2/recordsets across zones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api.resource import Call, Resource, Route, answer, route
from designate.errors import Reason
from designate.model.codec import timestamp
from designate.model.recordsets import RecordSet, RecordSetDraft, RecordSetPatch

READ_ONLY = (
    "id", "zone_id", "project_id", "zone_name", "status", "action", "version", "created_at",
    "updated_at", "links",
)  # fmt: skip


def view(recordset: RecordSet) -> dict[str, Any]:
    return {
        "id": recordset.id,
        "zone_id": recordset.zone_id,
        "project_id": recordset.project_id,
        "name": recordset.name,
        "zone_name": recordset.zone_name,
        "type": recordset.type,
        "records": list(recordset.records),
        "description": recordset.description,
        "ttl": recordset.ttl,
        "status": recordset.status,
        "action": recordset.action,
        "version": recordset.version,
        "created_at": timestamp(recordset.created_at),
        "updated_at": recordset.updated_at and timestamp(recordset.updated_at),
    }


CHANGEABLE: dict[str, bodies.Reader] = {
    "ttl": bodies.null_ttl,
    "description": bodies.description,
}
NEW: dict[str, bodies.Reader] = {"name": bodies.text(bodies.LONGEST_NAME), **CHANGEABLE}


def new(call: Call, body: dict[str, Any]) -> RecordSetDraft:
    if body.get("name") is None:
        raise errors.InvalidObject
    members = bodies.read(body, NEW, also=("type", "records", *READ_ONLY))
    bodies.refuse_given(body, READ_ONLY)
    rtype = body.get("type")
    if not isinstance(rtype, str):
        raise errors.InvalidObject(
            reasons=(
                Reason(
                    ("recordset", "type"),
                    f"'{str(rtype)[:50]}' is not a valid record type",
                    "value",
                    [rtype],
                ),
            )
        )
    records = bodies.records(rtype, body["records"]) if "records" in body else ()
    return RecordSetDraft(type=rtype, records=records, **members)


def changes(call: Call, body: dict[str, Any]) -> RecordSetPatch:
    fixed = [name for name in (*READ_ONLY, "name", "type") if name in body]
    needs_current = bool(fixed)
    try:
        if needs_current:
            current = view(call.central.recordsets.check_update(call.context, *call.ids))
            if "zone_name" in body:
                raise errors.BadRequest("Moving a recordset between zones is not allowed")
            bodies.refuse_changed(body, fixed, current)
        also = ("records", "name", "type", *READ_ONLY)
        members = bodies.read(body, CHANGEABLE, also=also)
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
    path="/zones/{zone_id}/recordsets",
    item="recordset_id",
    client=lambda central: central.recordsets,
    view=view,
    self_path=lambda rs: f"/zones/{rs.zone_id}/recordsets/{rs.id}",
    sort_keys=("created_at", "id", "updated_at", "zone_id", "tenant_id", "name", "type", "ttl"),
    filters=("name", "type", "ttl", "data", "status", "description"),
    new=new,
    changes=changes,
    before_body=lambda call: call.central.recordsets.check_update(call.context, *call.ids),
    update_method="PUT",
    created_status=_created,
    updated_status=_updated,
)

EVERYWHERE = replace(
    IN_ZONE,
    path="/recordsets",
    item="",
    new=None,
    changes=None,
    whole=True,
    sort_keys=tuple(key for key in IN_ZONE.sort_keys if key != "id"),
)


def redirect(call: Call) -> Response:
    """The canonical place of a recordset."""
    found = call.central.recordsets.get(call.context, None, *call.ids)
    location = call.link(IN_ZONE.self_path(found))
    return answer(location, 301, Location=location)


def routes() -> list[Route]:
    return [
        *IN_ZONE.routes(),
        *EVERYWHERE.routes(),
        route("/recordsets/{recordset_id}", GET=redirect),
    ]
