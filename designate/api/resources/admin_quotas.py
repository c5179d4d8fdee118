"""The resource /admin/quotas: quotas in the form of the admin API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from webob import Response

from designate import errors
from designate.api import body as bodies
from designate.api import fields
from designate.api.environ_keys import REQUEST_ID
from designate.api.error_responses import ERROR
from designate.api.operation import NO_CONTENT, ApiCall, Operation, ResponseSpec, ref
from designate.api.resources.quotas import DESCRIPTIONS, MAX_QUOTA, NAMES, RESET_SUMMARY, project_of
from designate.api.responses import empty_response, json_response
from designate.api.routing import Route, route
from designate.api.shape import (
    INTEGER,
    STRING,
    Body,
    BodyField,
    Shape,
    closed_object,
    member,
    open_object,
)
from designate.model.quotas import Quotas

ERROR_MEMBERS = ("path", "message", "validator")
LIMIT = fields.integer(0, MAX_QUOTA)
LIMITS = {name: LIMIT.described(DESCRIPTIONS[name]) for name in NAMES}
QUOTA = Shape(
    "AdminQuota",
    {
        "quota": member(
            open_object(
                {name: INTEGER | {"description": DESCRIPTIONS[name]} for name in NAMES}, NAMES
            ),
            value_of=lambda quotas: {name: getattr(quotas, name) for name in NAMES},
        )
    },
)
CHANGES = Body(
    name="AdminQuotaChanges",
    members={
        "quota": BodyField(
            closed_object({name: field.schema for name, field in LIMITS.items()}),
            lambda _name, value: bodies.read(value, LIMITS),
        )
    },
    required=("quota",),
)


def _all_projects(call: ApiCall) -> ApiCall:
    """Return the call with the scope of the admin API: every project."""
    call.context.all_projects = True
    return call


def _quota_response(quotas: Quotas) -> Response:
    return json_response(QUOTA.render(quotas))


def show(call: ApiCall) -> Response:
    """Return the quotas of the project in the path."""
    return _quota_response(_all_projects(call).central.quotas.get(call.context, project_of(call)))


def change(call: ApiCall) -> Response:
    """Set the given quotas of the project in the path, and return all of them."""
    body = bodies.parse(call.request)
    invalid = list(_validate(body))
    if invalid:
        return json_response(INVALID.render((invalid, call.request.environ[REQUEST_ID])), 400)
    limits = bodies.read(body, CHANGES)["quota"]
    quotas = _all_projects(call).central.quotas.set(call.context, project_of(call), limits)
    return _quota_response(quotas)


def _validate(body: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield each error of the body as the values of ERROR_MEMBERS."""
    if set(body) != {"quota"} or not isinstance(body["quota"], dict):
        yield "quota", "The request body must be an object with a member quota", "required"
        return
    for name, value in body["quota"].items():
        path = f"quota.{name[:50]}"
        if name not in NAMES:
            yield path, f"'{name[:50]}' is no quota", "additionalProperties"
            continue
        try:
            LIMIT(name, value)
        except errors.InvalidObject as error:
            yield path, error.message or "", "type"


# The error body of the admin API: one flat list. Rendered from the errors and the request's id.
INVALID = Shape(
    "AdminQuotaError",
    {
        "code": member(INTEGER, value_of=lambda _: 400),
        "type": member(STRING, value_of=lambda _: "invalid_object"),
        "message": member(STRING, value_of=lambda _: "Provided object does not match schema"),
        "errors": member(
            {
                "type": "array",
                "items": open_object(dict.fromkeys(ERROR_MEMBERS, STRING), ERROR_MEMBERS),
            },
            value_of=lambda rejected: [
                dict(zip(ERROR_MEMBERS, each, strict=True)) for each in rejected[0]
            ],
        ),
        "request_id": member(STRING, value_of=lambda rejected: rejected[1]),
    },
)


def reset(call: ApiCall) -> Response:
    """Reset the quotas of the project in the path to the defaults."""
    _all_projects(call).central.quotas.reset(call.context, project_of(call))
    return empty_response()


ALL_QUOTAS = {200: ResponseSpec.of(QUOTA, "All quotas of the project.")}
INVALID_BODY = ResponseSpec(
    description="The errors of the body.",
    schema={"anyOf": [ref(ERROR.name), ref(INVALID.name)]},
    schemas={INVALID.name: INVALID.schema},
)
SHOW = Operation(handler=show, summary="Show the quotas of a project", responses=ALL_QUOTAS)
CHANGE = Operation(
    handler=change,
    summary="Change quotas of a project",
    body=CHANGES,
    responses=ALL_QUOTAS | {400: INVALID_BODY},
)
RESET = Operation(handler=reset, summary=RESET_SUMMARY, responses={204: NO_CONTENT})


def routes() -> list[Route]:
    """Return the routes of the admin extension `quotas`."""
    return [
        route("/quotas/{project_id:text}", GET=SHOW, PATCH=CHANGE, DELETE=RESET),
        route("/quotas"),
    ]
