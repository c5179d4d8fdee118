"""Shares of zones, and their transfers: requests and accepts."""

from __future__ import annotations

from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import projects
from designate.api.resource import Call, Resource, Route, route
from designate.model.codec import timestamp
from designate.model.ownership import (
    Share,
    ShareDraft,
    TransferAccept,
    TransferAcceptDraft,
    TransferRequest,
    TransferRequestDraft,
    TransferRequestPatch,
)

LONGEST_PROJECT = 36
DATES = ("created_at", "id", "updated_at")


def _dates(value: Any) -> dict[str, Any]:
    return {
        "created_at": timestamp(value.created_at),
        "updated_at": value.updated_at and timestamp(value.updated_at),
    }


def _zone_link(call: Call, value: Any) -> dict[str, str]:
    return {"zone": call.link(f"/zones/{value.zone_id}")}


def _share(share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "zone_id": share.zone_id,
        "project_id": share.project_id,
        "target_project_id": share.target_project_id,
    } | _dates(share)


def _new_share(call: Call, body: dict[str, Any]) -> ShareDraft:
    members = bodies.read(body, {"target_project_id": bodies.text(LONGEST_PROJECT, empty=False)})
    if "target_project_id" not in members:
        bodies.required("target_project_id")
    projects.check(call.conf, members["target_project_id"])
    return ShareDraft(**members)


SHARES = Resource(
    name="shared_zones",
    path="/zones/{zone_id}/shares",
    item="zone_share_id",
    client=lambda central: central.shares,
    view=_share,
    self_path=lambda share: f"/zones/{share.zone_id}/shares/{share.id}",
    links=_zone_link,
    sort_keys=("created_at", "updated_at"),
    filters=("target_project_id",),
    new=_new_share,
    located=False,
    counted=False,
)

OFFER: dict[str, bodies.Reader] = {
    "description": bodies.description,
    "target_project_id": bodies.text(LONGEST_PROJECT, null=True, empty=False),
}


def _request(request: TransferRequest) -> dict[str, Any]:
    if not request.detailed:
        return {
            "id": request.id,
            "zone_id": request.zone_id,
            "description": request.description,
            "status": request.status,
            "zone_name": request.zone_name,
        }
    return {
        "id": request.id,
        "zone_id": request.zone_id,
        "project_id": request.project_id,
        "target_project_id": request.target_project_id,
        "description": request.description,
        "key": request.key,
        "status": request.status,
        "zone_name": request.zone_name,
    } | _dates(request)


REQUESTS = Resource(
    name="transfer_requests",
    path="/zones/tasks/transfer_requests",
    item="zone_transfer_request_id",
    client=lambda central: central.transfer_requests,
    view=_request,
    self_path=lambda request: f"/zones/tasks/transfer_requests/{request.id}",
    sort_keys=DATES,
    filters=("status",),
    changes=lambda _call, body: TransferRequestPatch(**bodies.read(body, OFFER)),
    counted=False,
)


def offer(call: Call) -> Response:
    """The body may be missing; the content type may not."""
    try:
        members = bodies.read(bodies.parse(call.request, optional=True), OFFER)
    except errors.InvalidObject:
        # A zone that the caller does not see is not found, whatever the body holds.
        call.central.zones.get(call.context, *call.ids)
        raise
    request = call.central.transfer_requests.create(
        call.context, call.ids[0], TransferRequestDraft(**members)
    )
    return REQUESTS.created(call, request)


def _accept(accept: TransferAccept) -> dict[str, Any]:
    return {
        "id": accept.id,
        "zone_transfer_request_id": accept.zone_transfer_request_id,
        "project_id": accept.project_id,
        "key": accept.key,
        "status": accept.status,
        "zone_id": accept.zone_id,
    } | _dates(accept)


def _new_accept(_call: Call, body: dict[str, Any]) -> TransferAcceptDraft:
    bodies.need(body, ("key", "zone_transfer_request_id"))
    readers: dict[str, bodies.Reader] = {
        "key": bodies.text(160),
        "zone_transfer_request_id": bodies.identifier,
    }
    return TransferAcceptDraft(**bodies.read(body, readers))


ACCEPTS = Resource(
    name="transfer_accepts",
    path="/zones/tasks/transfer_accepts",
    item="transfer_accept_id",
    client=lambda central: central.transfer_accepts,
    view=_accept,
    self_path=lambda accept: f"/zones/tasks/transfer_accepts/{accept.id}",
    links=_zone_link,
    sort_keys=DATES,
    filters=("status",),
    new=_new_accept,
    deletable=False,
)


def routes() -> list[Route]:
    return [
        *SHARES.routes(),
        *REQUESTS.routes(),
        # openstacksdk sends its changes as PUT.
        route(f"{REQUESTS.path}/{{{REQUESTS.item}}}", PUT=REQUESTS.update),
        route("/zones/{zone_id}/tasks/transfer_requests", POST=offer),
        *ACCEPTS.routes(),
    ]
