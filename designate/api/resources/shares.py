"""The resource /v2/zones/{zone_id}/shares: zones that other projects may use."""

from __future__ import annotations

from typing import Any

from designate.api import body as bodies
from designate.api import fields, projects
from designate.api.identifiers import MAX_PROJECT_ID
from designate.api.operation import ApiCall
from designate.api.resource import Resource
from designate.api.routing import Route
from designate.api.shape import STRING, UUID, Body, member, stored_object
from designate.model.shares import ShareDraft

NEW = Body(
    name="SharedZoneNew",
    members={"target_project_id": fields.text(MAX_PROJECT_ID, allow_empty=False)},
    required=("target_project_id",),
)


def _make_draft(call: ApiCall, body: dict[str, Any]) -> ShareDraft:
    members = bodies.read(body, NEW)
    bodies.require_properties(members, NEW.required)
    projects.check(call.conf, members["target_project_id"])
    return ShareDraft(**members)


SHARES = Resource(
    name="shared_zones",
    singular="a share of a zone",
    path="/zones/{zone_id}/shares",
    id_name="zone_share_id",
    client=lambda central: central.shares,
    shape=stored_object(
        "SharedZone",
        zone_id=member(UUID),
        project_id=member(STRING, "The project that shares the zone."),
        target_project_id=member(STRING, "The project that may use the zone."),
    ),
    self_path=lambda share: f"/zones/{share.zone_id}/shares/{share.id}",
    links={"zone": lambda share: f"/zones/{share.zone_id}"},
    sort_keys=("created_at", "updated_at"),
    filters=("target_project_id",),
    make_draft=_make_draft,
    create_body=NEW,
    has_location=False,
    has_count=False,
)


def routes() -> list[Route]:
    """Return the routes of this resource."""
    return SHARES.routes()
