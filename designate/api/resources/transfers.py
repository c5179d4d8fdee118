"""Transfers of zones between projects: transfer requests and their acceptance."""

from __future__ import annotations

from dataclasses import replace

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import fields
from designate.api.identifiers import MAX_PROJECT_ID
from designate.api.operation import ApiCall
from designate.api.paging import DATE_SORT_KEYS
from designate.api.resource import Resource
from designate.api.routing import Route, route
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
    stored_object,
)
from designate.model.transfers import (
    TransferAcceptDraft,
    TransferRequest,
    TransferRequestDraft,
    TransferRequestPatch,
    TransferStatus,
)

TARGET = "The project that may accept; null: any project that has the key."
NEW_REQUEST = Body(
    name="TransferRequestNew",
    members={
        "description": fields.description,
        "target_project_id": fields.text(
            MAX_PROJECT_ID, nullable=True, allow_empty=False
        ).described(TARGET),
    },
    optional=True,
)
REQUEST_CHANGES = replace(NEW_REQUEST, name="TransferRequestChanges", optional=False)


def _is_detailed(request: TransferRequest) -> bool:
    """Return whether the caller may see more than that the request exists."""
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
            "project_id": member(STRING, "The project that offers the zone.", when=_is_detailed),
            "target_project_id": member(nullable(STRING), TARGET, when=_is_detailed),
            "description": member(nullable(STRING)),
            "key": member(STRING, "The key that the accepting project sends.", when=_is_detailed),
            "status": member(enum_of(TransferStatus)),
            "zone_name": member(STRING),
            "created_at": replace(CREATED_AT, when=_is_detailed),
            "updated_at": replace(UPDATED_AT, when=_is_detailed),
        },
    ),
    self_path=lambda request: f"/zones/tasks/transfer_requests/{request.id}",
    sort_keys=DATE_SORT_KEYS,
    filters=("status",),
    make_patch=bodies.patch_maker(TransferRequestPatch, REQUEST_CHANGES),
    update_body=REQUEST_CHANGES,
    has_count=False,
)


def create_request(call: ApiCall) -> Response:
    """Create a transfer request; the body may be missing, the content type may not."""
    try:
        members = bodies.read(bodies.parse(call.request, optional=True), NEW_REQUEST)
    except errors.InvalidObject:
        # NotFound for a zone that the caller does not see comes first, whatever the body contains.
        call.central.zones.get(call.context, *call.ids)
        raise
    request = call.central.transfer_requests.create(
        call.context, call.ids[0], TransferRequestDraft(**members)
    )
    return REQUESTS.created(call, request)


NEW_ACCEPT = Body(
    name="TransferAcceptNew",
    members={
        "key": fields.text(160).described("The key of the transfer request."),
        "zone_transfer_request_id": fields.identifier.described("The transfer request."),
    },
    required=("key", "zone_transfer_request_id"),
)
ACCEPTS = Resource(
    name="transfer_accepts",
    singular="the acceptance of a zone",
    path="/zones/tasks/transfer_accepts",
    id_name="transfer_accept_id",
    client=lambda central: central.transfer_accepts,
    shape=stored_object(
        "TransferAccept",
        zone_transfer_request_id=member(UUID),
        project_id=member(STRING, "The project that accepted the zone."),
        key=member(nullable(STRING), "The key as it was sent; null in later reads."),
        status=member(enum_of(TransferStatus)),
        zone_id=member(UUID),
    ),
    self_path=lambda accept: f"/zones/tasks/transfer_accepts/{accept.id}",
    links={"zone": lambda accept: f"/zones/{accept.zone_id}"},
    sort_keys=DATE_SORT_KEYS,
    filters=("status",),
    make_draft=bodies.draft_maker(TransferAcceptDraft, NEW_ACCEPT),
    create_body=NEW_ACCEPT,
    deletable=False,
)
# openstacksdk sends its changes as PUT.
PUT_REQUEST = replace(REQUESTS.update_operation(), deprecated=True)


def routes() -> list[Route]:
    """Return the routes of transfer requests and accepts."""
    create = REQUESTS.create_operation(create_request, NEW_REQUEST)
    return [
        *REQUESTS.routes(),
        route(f"{REQUESTS.path}/{{{REQUESTS.id_name}}}", PUT=PUT_REQUEST),
        route("/zones/{zone_id}/tasks/transfer_requests", POST=create),
        *ACCEPTS.routes(),
    ]
