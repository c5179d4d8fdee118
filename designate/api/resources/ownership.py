"""Shares of zones, and their transfers: requests and accepts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import projects
from designate.api.resource import ApiCall, Resource, Route, route
from designate.api.shape import (
    CREATED_AT,
    STRING,
    UPDATED_AT,
    UUID,
    Body,
    Shape,
    enum_of,
    member,
    nullable,
)
from designate.model.ownership import (
    ShareDraft,
    TransferAcceptDraft,
    TransferRequest,
    TransferRequestDraft,
    TransferRequestPatch,
    TransferStatus,
)

MAX_PROJECT_ID = 36
DATES = ("created_at", "id", "updated_at")


def _zone_path(value: Any) -> str:
    return f"/zones/{value.zone_id}"


SHARE = Body(
    name="SharedZoneNew",
    members={"target_project_id": bodies.text(MAX_PROJECT_ID, allow_empty=False)},
    required=("target_project_id",),
)


def _new_share(call: ApiCall, body: dict[str, Any]) -> ShareDraft:
    members = bodies.read(body, SHARE)
    for name in SHARE.required:
        if name not in members:
            bodies.raise_required(name)
    projects.check(call.conf, members["target_project_id"])
    return ShareDraft(**members)


SHARES = Resource(
    name="shared_zones",
    singular="a share of a zone",
    path="/zones/{zone_id}/shares",
    id_name="zone_share_id",
    client=lambda central: central.shares,
    shape=Shape(
        "SharedZone",
        {
            "id": member(UUID),
            "zone_id": member(UUID),
            "project_id": member(STRING, "Who shares."),
            "target_project_id": member(STRING, "Who may use the zone."),
            "created_at": CREATED_AT,
            "updated_at": UPDATED_AT,
        },
    ),
    self_path=lambda share: f"/zones/{share.zone_id}/shares/{share.id}",
    links={"zone": _zone_path},
    sort_keys=("created_at", "updated_at"),
    filters=("target_project_id",),
    make_draft=_new_share,
    create_body=SHARE,
    has_location=False,
    has_count=False,
)

OFFER = Body(
    name="TransferRequestNew",
    members={
        "description": bodies.description,
        "target_project_id": bodies.text(
            MAX_PROJECT_ID, nullable=True, allow_empty=False
        ).described("Who may take it; null: whoever has the key."),
    },
    optional=True,
)
OFFER_CHANGES = replace(OFFER, name="TransferRequestChanges", optional=False)


def _detailed(request: TransferRequest) -> bool:
    """Others learn that the offer exists, and no more."""
    return request.detailed


REQUESTS = Resource(
    name="transfer_requests",
    singular="an offer of a zone to another project",
    path="/zones/tasks/transfer_requests",
    id_name="zone_transfer_request_id",
    client=lambda central: central.transfer_requests,
    shape=Shape(
        "TransferRequest",
        {
            "id": member(UUID),
            "zone_id": member(UUID),
            "project_id": member(STRING, "Who offers.", when=_detailed),
            "target_project_id": member(
                nullable(STRING), "Who may take it; null: whoever has the key.", when=_detailed
            ),
            "description": member(nullable(STRING)),
            "key": member(STRING, "What the taker has to know.", when=_detailed),
            "status": member(enum_of(TransferStatus)),
            "zone_name": member(STRING),
            "created_at": replace(CREATED_AT, when=_detailed),
            "updated_at": replace(UPDATED_AT, when=_detailed),
        },
    ),
    self_path=lambda request: f"/zones/tasks/transfer_requests/{request.id}",
    sort_keys=DATES,
    filters=("status",),
    make_patch=lambda _call, body: TransferRequestPatch(**bodies.read(body, OFFER_CHANGES)),
    update_body=OFFER_CHANGES,
    has_count=False,
)


def offer(call: ApiCall) -> Response:
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
        "key": bodies.text(160).described("Of the offer."),
        "zone_transfer_request_id": bodies.identifier.described("The offer."),
    },
    required=("key", "zone_transfer_request_id"),
)


def _new_accept(_call: ApiCall, body: dict[str, Any]) -> TransferAcceptDraft:
    bodies.require_members(body, ACCEPT.required)
    return TransferAcceptDraft(**bodies.read(body, ACCEPT))


ACCEPTS = Resource(
    name="transfer_accepts",
    singular="the taking over of a zone",
    path="/zones/tasks/transfer_accepts",
    id_name="transfer_accept_id",
    client=lambda central: central.transfer_accepts,
    shape=Shape(
        "TransferAccept",
        {
            "id": member(UUID),
            "zone_transfer_request_id": member(UUID),
            "project_id": member(STRING, "Who took the zone."),
            "key": member(nullable(STRING), "As it was sent; null in later reads."),
            "status": member(enum_of(TransferStatus)),
            "zone_id": member(UUID),
            "created_at": CREATED_AT,
            "updated_at": UPDATED_AT,
        },
    ),
    self_path=lambda accept: f"/zones/tasks/transfer_accepts/{accept.id}",
    links={"zone": _zone_path},
    sort_keys=DATES,
    filters=("status",),
    make_draft=_new_accept,
    create_body=ACCEPT,
    deletable=False,
)


# openstacksdk sends its changes as PUT.
PUT_REQUEST = replace(REQUESTS.update_operation(), deprecated=True)


def routes() -> list[Route]:
    return [
        *SHARES.routes(),
        *REQUESTS.routes(),
        route(f"{REQUESTS.path}/{{{REQUESTS.id_name}}}", PUT=PUT_REQUEST),
        route(
            "/zones/{zone_id}/tasks/transfer_requests", POST=REQUESTS.create_operation(offer, OFFER)
        ),
        *ACCEPTS.routes(),
    ]
