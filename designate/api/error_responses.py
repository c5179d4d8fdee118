"""Error responses: the standard error body and its schema."""

from __future__ import annotations

import json
from dataclasses import dataclass

from webob import Response

from designate import errors
from designate.api.shape import INTEGER, STRING, Shape, member, open_object

REASON = open_object(
    {
        "path": {
            "type": "array",
            "items": {"type": ["string", "integer"]},
            "description": "Members and list positions, from the outside in.",
        },
        "message": STRING,
        "validator": STRING | {"description": "The rule that failed."},
        "validator_value": {"description": "The argument of the rule."},
    },
    ("path", "message", "validator", "validator_value"),
)


# For errors that carry no text of their own.
MESSAGES = {
    401: "The request needs a project",
    403: "The roles of this token do not permit this",
    404: "There is nothing at this address",
    405: "This address does not support the method",
    500: "The service failed; its operator finds the cause by the request_id",
}


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An error and the id of the request that failed with it."""

    error: errors.DesignateError
    request_id: str


ERROR = Shape(
    "Error",
    {
        "code": member(INTEGER, "The HTTP status.", value_of=lambda response: response.error.code),
        "type": member(
            STRING,
            "The kind of error, as a word that programs may compare.",
            value_of=lambda response: response.error.type,
        ),
        "message": member(
            STRING,
            "A description of the error for people.",
            value_of=lambda response: message_of(response.error),
        ),
        "errors": member(
            open_object({"errors": {"type": "array", "items": REASON}}, ("errors",)),
            "Every error of the request's body.",
            value_of=lambda response: {
                "errors": [reason.to_plain() for reason in response.error.errors]
            },
            when=lambda response: bool(response.error.errors),
        ),
        "request_id": member(STRING, "The value of the header X-Openstack-Request-Id."),
    },
)


def message_of(error: errors.DesignateError) -> str:
    """Return the text for people, of which most clients show nothing else.

    It joins the reasons of a refused body, as python-designateclient does where there is no message.
    The causes of failures of the service are for its log.
    """
    if error.code == 500:
        return MESSAGES[500]
    joined = ". ".join(reason.message for reason in error.errors)
    text = error.message or joined or MESSAGES.get(error.code, error.type)
    return f"{text}; the request can be repeated" if isinstance(error, errors.RetryLater) else text


def error_response(error: errors.DesignateError, request_id: str) -> Response:
    """Return the standard error body, and when a later attempt may succeed, where one may."""
    response = Response(
        body=json.dumps(ERROR.render(ErrorResponse(error, request_id))).encode(),
        status=error.code,
        content_type="application/json",
        charset=None,
    )
    if isinstance(error, errors.RetryLater):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response
