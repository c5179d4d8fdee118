"""The API's document, OpenAPI 3.1, made of what the routes declare (https://spec.openapis.org/oas/v3.1.0)."""

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

PATH = "/openapi.json"
DIALECT = "3.1.0"
TOKEN = "token"  # noqa: S105 - a name in the document
# What may be answered to anybody, to what names something, and to what brings a body.
COMMON_ERROR_CODES = (400, 401, 403, 404, 405, 406, 500, 503, 504)
BODY_ERROR_CODES = (413, 415)
ERROR_DESCRIPTIONS = {
    400: "The request breaks a rule; the body says which.",
    401: "No valid token (the body is the Identity service's), or one without a project.",
    403: "A policy or a rule of the service forbids it.",
    404: "There is no such thing, or the caller may not know of it.",
    405: "What is at the path has no such method.",
    406: "The client takes no content type that this has.",
    409: "It exists already, or what exists prevents it.",
    413: "The body is too large (in words), or a quota is used up.",
    415: "The body has a content type that is not taken here.",
    500: "A fault of the service or of its configuration.",
    503: "Something is away for now; Retry-After says when to try again.",
    504: "The service did not answer in time.",
}
PLAIN_TEXT: Schema = {"text/plain": {"schema": STRING}}
# As keystonemiddleware refuses a token.
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
    """What a document says of itself. root: of the API's paths, such as /v2."""

    title: str
    version: str
    root: str


def document(routes: Sequence[Route], info: ApiInfo, base: str = "") -> Document:
    """base: scheme and host of the service. Raises ConfigurationError where two plug-ins call different
    things the same."""
    schemas = Schemas()
    for error in (ERROR, TOKEN_ERROR):
        schemas.ref(error.name, error.schema)
    paths: dict[str, dict[str, Any]] = {}
    names: dict[tuple[str, ...], str] = {}
    for each in routes:
        # One path has one name, whatever its ids are called for another method.
        pattern = tuple("{}" if is_parameter(part) else part for part in each.path)
        path = names.setdefault(pattern, _template(each))
        for method, operation in each.operations.items():
            if operation.responses:
                item = paths.setdefault(path, {})
                item.setdefault("parameters", _path_parameters(path, each))
                item[method.lower()] = _operation(schemas, path, each, method, operation)
    return {
        "openapi": DIALECT,
        "info": {"title": info.title, "version": info.version},
        "servers": [{"url": f"{base}{info.root}"}],
        "security": [{TOKEN: []}],
        "paths": paths,
        "components": {
            "schemas": schemas.found,
            "parameters": {each.name: _parameter(each) for each in headers.COMMON_PARAMETERS},
            "headers": {
                "RequestId": {
                    "schema": STRING,
                    "required": True,
                    "description": "As in the service's log.",
                },
                "Location": {
                    "schema": URL,
                    "required": True,
                    "description": "Where the object is.",
                },
            },
            "responses": {str(code): _error_response(code) for code in ERROR_DESCRIPTIONS},
            "securitySchemes": {
                TOKEN: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Auth-Token",
                    "description": "A token of Keystone.",
                }
            },
        },
    }


def document_route(routes: Sequence[Route], info: ApiInfo) -> Route:
    """The route at which the document of these routes is, itself among them. Raises ConfigurationError
    as `document` does."""
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


def _template(each: Route) -> str:
    return "/" + "/".join(part.replace(":text}", "}") for part in each.path)


def _path_parameters(path: str, each: Route) -> list[Document]:
    named = zip(path.strip("/").split("/"), each.path, strict=True)
    return [
        _parameter(
            Parameter(
                name=shown[1:-1], where="path", schema=STRING if part.endswith(":text}") else UUID
            )
        )
        for shown, part in named
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
        "operationId": _identifier(method, path),
        "summary": operation.summary,
        "tags": [path.split("/")[1]],
        "parameters": [
            *({"$ref": f"#/components/parameters/{one.name}"} for one in headers.COMMON_PARAMETERS),
            *map(_parameter, operation.parameters),
        ],
        "responses": _responses(schemas, each, operation),
    }
    if operation.body is not None:
        found["requestBody"] = _request_body(schemas, operation.body)
    if operation.deprecated:
        found["deprecated"] = True
    return found


def _identifier(method: str, path: str) -> str:
    words = "".join(char if char.isalnum() else "_" for char in path).strip("_")
    return f"{method.lower()}_{words}".replace("__", "_")


def _request_body(schemas: Schemas, body: Body) -> Document:
    content = {JSON: {"schema": schemas.ref(body.name, body.schema)}}
    content |= {kind: {"schema": STRING} for kind in body.file_types}
    return {"content": content, "required": not body.optional}


def _responses(schemas: Schemas, each: Route, operation: Operation) -> Document:
    found: Document = {
        str(code): _response(schemas, each, spec) for code, spec in operation.responses.items()
    }
    codes = {
        *COMMON_ERROR_CODES,
        *operation.error_codes,
        *(BODY_ERROR_CODES if operation.body is not None else ()),
    }
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
    """Errors in the usual form but for a few that come from the layers around the resources."""
    usual: Document = {JSON: {"schema": ref(ERROR.name)}}
    contents: dict[int, Document] = {
        401: {JSON: {"schema": {"anyOf": [ref(ERROR.name), ref(TOKEN_ERROR.name)]}}},
        406: PLAIN_TEXT,
        413: usual | PLAIN_TEXT,
    }
    return {
        "description": ERROR_DESCRIPTIONS[code],
        "content": contents.get(code, usual),
    }
