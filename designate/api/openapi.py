"""The API's document in OpenAPI 3.1, made from the routes (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webob import Response

from designate.api import headers
from designate.api.error_responses import ERROR
from designate.api.operation import ApiCall, Operation, ResponseSpec, ref
from designate.api.responses import json_response
from designate.api.routing import JSON, Route, is_parameter, route
from designate.api.shape import (
    INTEGER,
    OBJECT,
    STRING,
    URL,
    UUID,
    Body,
    Parameter,
    Schema,
    Schemas,
    Shape,
    member,
    open_object,
)
from designate.runtime.wsgi import RETRY_CODES

PATH = "/openapi.json"
DIALECT = "3.1.0"
TOKEN = "token"  # noqa: S105 - a name in the document
# Errors that any operation may return, and those of operations with a body.
COMMON_ERROR_CODES = (400, 401, 403, 404, 405, 406, 429, 500, 503, 504)
BODY_ERROR_CODES = (413, 415)
ERROR_DESCRIPTIONS = {
    400: "The request is not valid; the body says why.",
    401: "The token is missing or not valid (the body is the Identity service's), or has no project.",
    403: "A policy or a rule of the service forbids the request.",
    404: "The object does not exist, or the caller may not see it.",
    405: "The path does not have this method.",
    406: "The client accepts none of the content types of this path.",
    409: "The object exists already, or existing objects prevent the change.",
    413: "The body is too large (plain text), or a quota is exhausted.",
    415: "The content type of the body is not accepted here.",
    429: "The project has sent too many requests; Retry-After says when to repeat this one.",
    500: "The service or its configuration has an error.",
    503: "A part of the service is unavailable; Retry-After says when to retry.",
    504: "The service did not respond in time.",
}
PLAIN_TEXT: Schema = {"text/plain": {"schema": STRING}}
# The body of keystonemiddleware's 401.
TOKEN_ERROR = Shape(
    "TokenError",
    {
        "error": member(
            open_object(
                {"code": INTEGER, "title": STRING, "message": STRING}, ("code", "title", "message")
            )
        )
    },
)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ApiInfo:
    """The title and version of a document, and the root of its paths, such as /v2."""

    title: str
    version: str
    root: str


def document(routes: Sequence[Route], info: ApiInfo, base: str = "") -> Document:
    """Return the document of these routes.

    Args:
        routes: All routes of the API.
        info: The title, the version and the root.
        base: Scheme and host of the service.

    Raises:
        ConfigurationError: Two plug-ins use one name for different schemas.
    """
    schemas = Schemas()
    for error in (ERROR, TOKEN_ERROR):
        schemas.ref(error.name, error.schema)
    return {
        "openapi": DIALECT,
        "info": {"title": info.title, "version": info.version},
        "servers": [{"url": f"{base}{info.root}"}],
        "security": [{TOKEN: []}],
        "paths": _paths(schemas, routes),
        "components": {
            "schemas": schemas.found,
            "parameters": {each.name: _parameter(each) for each in headers.COMMON_PARAMETERS},
            "headers": {
                "RequestId": {
                    "schema": STRING,
                    "required": True,
                    "description": "The id of the request in the service's log.",
                },
                "RetryAfter": {
                    "schema": INTEGER,
                    "required": True,
                    "description": "Seconds after which the request can be repeated.",
                },
                "Location": {
                    "schema": URL,
                    "required": True,
                    "description": "The URL of the object.",
                },
            },
            "responses": {str(code): _error_response(code) for code in ERROR_DESCRIPTIONS},
            "securitySchemes": {
                TOKEN: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Auth-Token",
                    "description": "A Keystone token.",
                }
            },
        },
    }


def document_route(routes: Sequence[Route], info: ApiInfo) -> Route:
    """Return the route that serves the document of these routes and of itself.

    Raises:
        ConfigurationError: Two plug-ins use one name for different schemas.
    """
    found: Document = {}

    def show(call: ApiCall) -> Response:
        return json_response({**found, "servers": [{"url": f"{call.base}{info.root}"}]})

    described = Operation(
        handler=show,
        summary="Show this document",
        responses={200: ResponseSpec(description="OpenAPI 3.1.", schema=OBJECT)},
    )
    own = route(PATH, leaf=True, GET=described)
    found.update(document([*routes, own], info))
    return own


def _paths(schemas: Schemas, routes: Sequence[Route]) -> Document:
    paths: dict[str, dict[str, Any]] = {}
    templates: dict[tuple[str, ...], str] = {}
    for each in routes:
        # One path has one template, even if another method has other names for its ids.
        pattern = tuple("{}" if is_parameter(part) else part for part in each.path)
        path = templates.setdefault(pattern, _template(each))
        for method, operation in each.operations.items():
            if operation.responses:
                item = paths.setdefault(path, {})
                item.setdefault("parameters", _path_parameters(path, each))
                item[method.lower()] = _operation(schemas, path, each, method, operation)
    return paths


def _template(each: Route) -> str:
    return "/" + "/".join(part.replace(":text}", "}") for part in each.path)


def _path_parameters(path: str, each: Route) -> list[Document]:
    segments = zip(path.strip("/").split("/"), each.path, strict=True)
    return [
        _parameter(
            Parameter(
                name=placeholder[1:-1],
                where="path",
                schema=STRING if part.endswith(":text}") else UUID,
            )
        )
        for placeholder, part in segments
        if is_parameter(part)
    ]


def _parameter(each: Parameter) -> Document:
    found: Document = {"name": each.name, "in": each.where, "schema": each.schema}
    if each.where == "path":
        found["required"] = True
    if each.description:
        found["description"] = each.description
    if each.deprecated:
        found["deprecated"] = True
    return found


def _operation(
    schemas: Schemas, path: str, each: Route, method: str, operation: Operation
) -> Document:
    found: Document = {
        "operationId": _operation_id(method, path),
        "summary": operation.summary,
        "tags": [path.split("/")[1]],
        "parameters": [
            *(
                {"$ref": f"#/components/parameters/{common.name}"}
                for common in headers.COMMON_PARAMETERS
            ),
            *map(_parameter, operation.parameters),
        ],
        "responses": _responses(schemas, each, operation),
    }
    if operation.body is not None:
        found["requestBody"] = _request_body(schemas, operation.body)
    if operation.deprecated:
        found["deprecated"] = True
    return found


def _operation_id(method: str, path: str) -> str:
    words = "".join(char if char.isalnum() else "_" for char in path).strip("_")
    return f"{method.lower()}_{words}".replace("__", "_")


def _request_body(schemas: Schemas, body: Body) -> Document:
    content = {JSON: {"schema": schemas.ref(body.name, body.schema)}}
    content |= {content_type: {"schema": STRING} for content_type in body.file_types}
    return {"content": content, "required": not body.optional}


def _responses(schemas: Schemas, each: Route, operation: Operation) -> Document:
    found: Document = {
        str(code): _response(schemas, each, spec) for code, spec in operation.responses.items()
    }
    codes = {*COMMON_ERROR_CODES, *operation.error_codes}
    if operation.body is not None:
        codes.update(BODY_ERROR_CODES)
    if operation.creates_in:
        codes.add(413)
    others = sorted(codes - set(operation.responses))
    found |= {str(code): {"$ref": f"#/components/responses/{code}"} for code in others}
    return found


def _response(schemas: Schemas, each: Route, spec: ResponseSpec) -> Document:
    for name, schema in spec.schemas.items():
        schemas.ref(name, schema)
    headers = {"X-Openstack-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if spec.has_location:
        headers["Location"] = {"$ref": "#/components/headers/Location"}
    found: Document = {"description": spec.description, "headers": headers}
    if spec.schema is not None:
        found["content"] = {each.content_type: {"schema": spec.schema}}
    return found


def _error_response(code: int) -> Document:
    """Return the response of an error; a few that come from the outer layers have their own form."""
    usual: Document = {JSON: {"schema": ref(ERROR.name)}}
    contents: dict[int, Document] = {
        401: {JSON: {"schema": {"anyOf": [ref(ERROR.name), ref(TOKEN_ERROR.name)]}}},
        406: PLAIN_TEXT,
        413: usual | PLAIN_TEXT,
    }
    found: Document = {
        "description": ERROR_DESCRIPTIONS[code],
        "content": contents.get(code, usual),
    }
    if code in RETRY_CODES:
        found["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return found
