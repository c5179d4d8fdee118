"""Shares of zones, and their transfers: requests and accepts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import projects
from designate.api.resource import Call, Resource, Route, route
from designate.api.shape import (
    CREATED_AT,
    TEXT,
    UPDATED_AT,
    UUID,
    Body,
    Shape,
    member,
    null,
    one_of,
)
from designate.model.ownership import (
    ShareDraft,
    TransferAcceptDraft,
    TransferRequest,
    TransferRequestDraft,
    TransferRequestPatch,
    TransferStatus,
)

LONGEST_PROJECT = 36
DATES = ("created_at", "id", "updated_at")


def _zone_path(value: Any) -> str:
    return f"/zones/{value.zone_id}"


SHARE = Body(
    name="SharedZoneNew",
    members={"target_project_id": bodies.text(LONGEST_PROJECT, empty=False)},
    needed=("target_project_id",),
)


def _new_share(call: Call, body: dict[str, Any]) -> ShareDraft:
    members = bodies.read(body, SHARE)
    for name in SHARE.needed:
        if name not in members:
            bodies.required(name)
    projects.check(call.conf, members["target_project_id"])
    return ShareDraft(**members)


SHARES = Resource(
    name="shared_zones",
    one="a share of a zone",
    path="/zones/{zone_id}/shares",
    item="zone_share_id",
    client=lambda central: central.shares,
    shape=Shape(
        "SharedZone",
        {
            "id": member(UUID),
            "zone_id": member(UUID),
            "project_id": member(TEXT, "Who shares."),
            "target_project_id": member(TEXT, "Who may use the zone."),
            "created_at": CREATED_AT,
            "updated_at": UPDATED_AT,
        },
    ),
    self_path=lambda share: f"/zones/{share.zone_id}/shares/{share.id}",
    links={"zone": _zone_path},
    sort_keys=("created_at", "updated_at"),
    filters=("target_project_id",),
    new=_new_share,
    new_body=SHARE,
    located=False,
    counted=False,
)

OFFER = Body(
    name="TransferRequestNew",
    members={
        "description": bodies.description,
        "target_project_id": bodies.text(LONGEST_PROJECT, null=True, empty=False).means(
            "Who may take it; null: whoever has the key."
        ),
    },
    optional=True,
)
OFFER_CHANGES = replace(OFFER, name="TransferRequestChanges", optional=False)


def _detailed(request: TransferRequest) -> bool:
    """Others learn that the offer exists, and no more."""
    return request.detailed


REQUESTS = Resource(
    name="transfer_requests",
    one="an offer of a zone to another project",
    path="/zones/tasks/transfer_requests",
    item="zone_transfer_request_id",
    client=lambda central: central.transfer_requests,
    shape=Shape(
        "TransferRequest",
        {
            "id": member(UUID),
            "zone_id": member(UUID),
            "project_id": member(TEXT, "Who offers.", when=_detailed),
            "target_project_id": member(
                null(TEXT), "Who may take it; null: whoever has the key.", when=_detailed
            ),
            "description": member(null(TEXT)),
            "key": member(TEXT, "What the taker has to know.", when=_detailed),
            "status": member(one_of(TransferStatus)),
            "zone_name": member(TEXT),
            "created_at": replace(CREATED_AT, when=_detailed),
            "updated_at": replace(UPDATED_AT, when=_detailed),
        },
    ),
    self_path=lambda request: f"/zones/tasks/transfer_requests/{request.id}",
    sort_keys=DATES,
    filters=("status",),
    changes=lambda _call, body: TransferRequestPatch(**bodies.read(body, OFFER_CHANGES)),
    changes_body=OFFER_CHANGES,
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


ACCEPT = Body(
    name="TransferAcceptNew",
    members={
        "key": bodies.text(160).means("Of the offer."),
        "zone_transfer_request_id": bodies.identifier.means("The offer."),
    },
    needed=("key", "zone_transfer_request_id"),
)


def _new_accept(_call: Call, body: dict[str, Any]) -> TransferAcceptDraft:
    bodies.need(body, ACCEPT.needed)
    return TransferAcceptDraft(**bodies.read(body, ACCEPT))


ACCEPTS = Resource(
    name="transfer_accepts",
    one="the taking over of a zone",
    path="/zones/tasks/transfer_accepts",
    item="transfer_accept_id",
    client=lambda central: central.transfer_accepts,
    shape=Shape(
        "TransferAccept",
        {
            "id": member(UUID),
            "zone_transfer_request_id": member(UUID),
            "project_id": member(TEXT, "Who took the zone."),
            "key": member(null(TEXT), "As it was sent; null in later reads."),
            "status": member(one_of(TransferStatus)),
            "zone_id": member(UUID),
            "created_at": CREATED_AT,
            "updated_at": UPDATED_AT,
        },
    ),
    self_path=lambda accept: f"/zones/tasks/transfer_accepts/{accept.id}",
    links={"zone": _zone_path},
    sort_keys=DATES,
    filters=("status",),
    new=_new_accept,
    new_body=ACCEPT,
    deletable=False,
)


# openstacksdk sends its changes as PUT.
PUT_REQUEST = replace(REQUESTS.updating(), deprecated=True)


def routes() -> list[Route]:
    return [
        *SHARES.routes(),
        *REQUESTS.routes(),
        route(f"{REQUESTS.path}/{{{REQUESTS.item}}}", PUT=PUT_REQUEST),
        route("/zones/{zone_id}/tasks/transfer_requests", POST=REQUESTS.creating(offer, OFFER)),
        *ACCEPTS.routes(),
    ]
