"""Errors as answers."""

from __future__ import annotations

import json
from dataclasses import dataclass

from webob import Response

from designate import errors
from designate.api.shape import NUMBER, TEXT, Shape, member, shown

REASON = shown(
    {
        "path": {
            "type": "array",
            "items": {"type": ["string", "integer"]},
            "description": "Members and list positions from the outside in.",
        },
        "message": TEXT,
        "validator": TEXT | {"description": "The rule that failed."},
        "validator_value": {"description": "The rule's argument."},
    },
    ("path", "message", "validator", "validator_value"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    error: errors.DesignateError
    request_id: str


ERROR = Shape(
    "Error",
    {
        "code": member(NUMBER, "The HTTP status.", of=lambda refusal: refusal.error.code),
        "type": member(
            TEXT,
            "What went wrong, as a word that programs may compare.",
            of=lambda refusal: refusal.error.type,
        ),
        "message": member(
            TEXT,
            "What went wrong, for people.",
            of=lambda refusal: refusal.error.message,
            when=lambda refusal: refusal.error.message is not None and refusal.error.code != 500,
        ),
        "errors": member(
            shown({"errors": {"type": "array", "items": REASON}}, ("errors",)),
            "Every fault of the request's body.",
            of=lambda refusal: {"errors": [reason.to_plain() for reason in refusal.error.errors]},
            when=lambda refusal: bool(refusal.error.errors),
        ),
        "request_id": member(TEXT, "As the header X-Openstack-Request-Id."),
    },
)


def body_of(error: errors.DesignateError, request_id: str) -> Response:
    """The standard error body (and Retry-After where waiting helps)."""
    response = Response(
        body=json.dumps(ERROR.render(Refusal(error, request_id))).encode(),
        status=error.code,
        content_type="application/json",
        charset=None,
    )
    if isinstance(error, errors.Unavailable):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response
