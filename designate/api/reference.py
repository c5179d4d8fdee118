"""The API reference in Markdown: `python -m designate.api.reference > doc/api-reference.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from designate.api import openapi
from designate.api.app import ADMIN_API_INFO, API_INFO, admin_resources, resources
from designate.api.headers import COMMON_PARAMETERS
from designate.api.shape import Schema

HEAD = """\
# API reference

Every request and response of the REST API. The same in OpenAPI 3.1: `GET /v2/openapi.json` with a token,
and `GET /admin/openapi.json` where that API is enabled. Resources of plug-ins are in those documents only.
This page is generated: `python -m designate.api.reference > doc/api-reference.md`.

Every request has a Keystone token in `X-Auth-Token`, and every response has `X-Openstack-Request-Id`. The
body of an error is an [Error](#error). Unknown members of requests are rejected; responses may have more
members in later releases.
"""


def reference() -> str:
    """Return the reference of both APIs."""
    lines = [HEAD, "All operations have these headers and parameters:\n"]
    lines += ["| Parameter | In | Meaning |", "|---|---|---|"]
    lines += [
        f"| `{each.name}` | {each.where} | {each.description} |" for each in COMMON_PARAMETERS
    ]
    lines.append("")
    lines += page(openapi.document(resources(), API_INFO))
    lines.append("# The admin API\n\nServed where `[service:api] enable_api_admin` is set.\n")
    lines += page(openapi.document(admin_resources(), ADMIN_API_INFO))
    return "\n".join(lines)


def page(found: openapi.Document) -> Iterator[str]:
    """Yield the lines of one API's reference."""
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
    yield "## Errors\n"
    yield "| Code | Meaning | Body |"
    yield "|---|---|---|"
    for code, response in found["components"]["responses"].items():
        body = " or ".join(_kind(media["schema"]) for media in response["content"].values())
        yield f"| {code} | {_cell(response['description'])} | {body} |"
    yield "\n## Objects\n"
    for name, schema in sorted(found["components"]["schemas"].items()):
        yield f"### {name}\n"
        yield from _members(schema)


def _section(
    found: openapi.Document, path: str, method: str, operation: openapi.Document
) -> Iterator[str]:
    root = found["servers"][0]["url"]
    yield f"### {operation['summary']}\n"
    yield f"`{method.upper()} {root}{path}`\n"
    own = [each for each in operation["parameters"] if "$ref" not in each]
    if own:
        yield "| Parameter | In | Value | Meaning |"
        yield "|---|---|---|---|"
        for each in own:
            meaning = _cell(each.get("description", ""))
            yield f"| `{each['name']}` | {each['in']} | {_kind(each['schema'])} | {meaning} |"
        yield ""
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        kinds = ", ".join(
            f"{_kind(media['schema'])} as `{kind}`" for kind, media in content.items()
        )
        yield f"Body: {kinds}\n"
    yield "| Status | Meaning | Body |"
    yield "|---|---|---|"
    errors = []
    for code, response in operation["responses"].items():
        if "$ref" in response:
            errors.append(code)
            continue
        content = response.get("content", {})
        body = ", ".join(_kind(media["schema"]) for media in content.values())
        yield f"| {code} | {_cell(response['description'])} | {body} |"
    yield f"\nErrors: {', '.join(errors)}\n"


def _members(schema: Schema) -> Iterator[str]:
    yield "| Member | Value | Meaning |"
    yield "|---|---|---|"
    required = schema.get("required", ())
    for name, value in schema.get("properties", {}).items():
        optional = "" if name in required else " (may be missing)"
        meaning = _cell(value.get("description", ""))
        yield f"| `{name}`{optional} | {_kind(value)} | {meaning} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _kind(schema: Mapping[str, Any]) -> str:
    """Return a short description of a schema's values."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "const" in schema:
        return f'`"{schema["const"]}"`'
    if "enum" in schema:
        return _cell(
            " or ".join(f"`{'null' if each is None else each}`" for each in schema["enum"])
        )
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


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - a command
