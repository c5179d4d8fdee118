"""The API's document, OpenAPI 3.1, made of what the routes declare (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from webob import Response

from designate.api import switches
from designate.api.operation import Answer, Call, Operation, ref
from designate.api.refusals import ERROR
from designate.api.resource import answer
from designate.api.routing import JSON, Route, is_open, route
from designate.api.shape import OBJECT, TEXT, URL, UUID, Body, Parameter, Schema, Schemas

PATH = "/openapi.json"
DIALECT = "3.1.0"
TOKEN = "token"  # noqa: S105 - a name in the document
# What may be answered to anybody, to what names something, and to what brings a body.
ALWAYS = (400, 401, 403, 404, 405, 406, 503, 504)
TO_BODIES = (413, 415)
MEANINGS = {
    406: "The client takes no content type that this has.",
    413: "The body is too large, or a quota is used up.",
    503: "Something is away for now; Retry-After says when to try again.",
    504: "The service did not answer in time.",
}

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What a document says of itself. root: of the API's paths, such as /v2."""

    title: str
    version: str
    root: str


def document(routes: Sequence[Route], about: About, base: str = "") -> Document:
    """base: scheme and host of the service. Raises ConfigurationError where two plug-ins call different
    things the same."""
    schemas = Schemas()
    schemas.ref(ERROR.name, ERROR.schema)
    paths: dict[str, dict[str, Any]] = {}
    names: dict[tuple[str, ...], str] = {}
    for each in routes:
        # One path has one name, whatever its ids are called for another method.
        pattern = tuple("{}" if is_open(part) else part for part in each.path)
        path = names.setdefault(pattern, _template(each))
        for method, operation in each.operations.items():
            if operation.answers:
                item = paths.setdefault(path, {})
                item.setdefault("parameters", _path_parameters(path, each))
                item[method.lower()] = _operation(schemas, path, each, method, operation)
    return {
        "openapi": DIALECT,
        "info": {"title": about.title, "version": about.version},
        "servers": [{"url": f"{base}{about.root}"}],
        "security": [{TOKEN: []}],
        "paths": paths,
        "components": {
            "schemas": schemas.found,
            "parameters": {each.name: _parameter(each) for each in switches.EVERYWHERE},
            "headers": {
                "RequestId": {
                    "schema": TEXT,
                    "required": True,
                    "description": "As in the service's log.",
                },
                "Location": {
                    "schema": URL,
                    "required": True,
                    "description": "Where the object is.",
                },
            },
            "responses": {str(code): _refusal(code) for code in sorted({*ALWAYS, *TO_BODIES, 409})},
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


def served(routes: Sequence[Route], about: About) -> Route:
    """The route at which the document of these routes is, itself among them. Raises as document()."""

    def show(call: Call) -> Response:
        return answer({**made, "servers": [{"url": call.link("")}]})

    described = Operation(
        handler=show,
        summary="Show this document",
        answers={200: Answer(description="OpenAPI 3.1.", schema=OBJECT)},
    )
    own = route(PATH, whole=True, GET=described)
    made = document([*routes, own], about)
    return own


def _template(each: Route) -> str:
    return "/" + "/".join(part.replace(":text}", "}") for part in each.path)


def _path_parameters(path: str, each: Route) -> list[Document]:
    named = zip(path.strip("/").split("/"), each.path, strict=True)
    return [
        _parameter(
            Parameter(
                name=shown[1:-1], where="path", schema=TEXT if part.endswith(":text}") else UUID
            )
        )
        for shown, part in named
        if is_open(part)
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
            *({"$ref": f"#/components/parameters/{one.name}"} for one in switches.EVERYWHERE),
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
    content |= {kind: {"schema": TEXT} for kind in body.files}
    return {"content": content, "required": not body.optional}


def _responses(schemas: Schemas, each: Route, operation: Operation) -> Document:
    found: Document = {
        str(code): _answer(schemas, each, answered) for code, answered in operation.answers.items()
    }
    codes = {*ALWAYS, *operation.refusals, *(TO_BODIES if operation.body is not None else ())}
    if operation.makes:
        codes.add(413)
    found |= {str(code): {"$ref": f"#/components/responses/{code}"} for code in sorted(codes)}
    return found


def _answer(schemas: Schemas, each: Route, answered: Answer) -> Document:
    for name, schema in answered.named.items():
        schemas.ref(name, schema)
    headers = {"X-Openstack-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if answered.located:
        headers["Location"] = {"$ref": "#/components/headers/Location"}
    found: Document = {"description": answered.description, "headers": headers}
    if answered.schema is not None:
        found["content"] = {each.gives: {"schema": answered.schema}}
    return found


def _refusal(code: int) -> Document:
    return {
        "description": MEANINGS.get(code, HTTPStatus(code).phrase),
        "content": {JSON: {"schema": ref(ERROR.name)}},
    }


# -- as a page ------------------------------------------------------------------------------------


def page(found: Document) -> Iterator[str]:
    """The document as lines of Markdown."""
    operations = [
        (path, method, operation)
        for path, item in found["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]
    tags = dict.fromkeys(operation["tags"][0] for _, _, operation in operations)
    for tag in tags:
        yield f"## {tag}\n"
        for path, method, operation in operations:
            if operation["tags"][0] == tag:
                yield from _section(found, path, method, operation)
    yield "## Objects\n"
    for name, schema in sorted(found["components"]["schemas"].items()):
        yield f"### {name}\n"
        yield from _members(schema)


def _section(found: Document, path: str, method: str, operation: Document) -> Iterator[str]:
    root = found["servers"][0]["url"]
    yield f"### {operation['summary']}\n"
    yield f"`{method.upper()} {root}{path}`\n"
    own = [one for one in operation["parameters"] if "$ref" not in one]
    if own:
        yield "| Parameter | In | Value | Meaning |"
        yield "|---|---|---|---|"
        for one in own:
            meaning = _cell(one.get("description", ""))
            yield f"| `{one['name']}` | {one['in']} | {_kind(one['schema'])} | {meaning} |"
        yield ""
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        kinds = ", ".join(f"{_kind(how['schema'])} as `{kind}`" for kind, how in content.items())
        yield f"Body: {kinds}\n"
    yield "| Answer | Meaning | Body |"
    yield "|---|---|---|"
    refused = []
    for code, response in operation["responses"].items():
        if "$ref" in response:
            refused.append(code)
            continue
        content = response.get("content", {})
        body = ", ".join(f"{_kind(how['schema'])}" for how in content.values())
        yield f"| {code} | {_cell(response['description'])} | {body} |"
    yield f"\nErrors: {', '.join(refused)}\n"


def _members(schema: Schema) -> Iterator[str]:
    yield "| Member | Value | Meaning |"
    yield "|---|---|---|"
    needed = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        must = "" if name in needed else " (may be missing)"
        yield f"| `{name}`{must} | {_kind(member)} | {_cell(member.get('description', ''))} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _kind(schema: Mapping[str, Any]) -> str:
    """What values there are, in few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "const" in schema:
        return f'`"{schema["const"]}"`'
    if "enum" in schema:
        return _cell(" or ".join(f"`{'null' if one is None else one}`" for one in schema["enum"]))
    kinds = schema.get("type", "anything")
    words = [kinds] if isinstance(kinds, str) else list(kinds)
    if "array" in words and "items" in schema:
        words[words.index("array")] = f"list of {_kind(schema['items'])}"
    if "object" in words and "properties" in schema:
        words[words.index("object")] = f"object of {', '.join(_names(schema['properties']))}"
    bounds = [
        f"{word} {schema[rule]}"
        for rule, word in (
            ("minimum", "at least"),
            ("maximum", "at most"),
            ("minLength", "characters: at least"),
            ("maxLength", "characters: at most"),
        )
        if rule in schema
    ]
    formats = [schema["format"]] if "format" in schema else []
    return ", ".join([" or ".join(words), *formats, *bounds])


def _names(properties: Iterable[str]) -> list[str]:
    return [f"`{name}`" for name in properties]
