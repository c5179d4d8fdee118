"""The API reference as a page: `python -m designate.api.reference > doc/api-reference.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from designate.api import openapi
from designate.api.app import ADMIN_API_INFO, API_INFO, admin_resources, resources
from designate.api.headers import COMMON_PARAMETERS
from designate.api.shape import Schema

HEAD = """\
# API reference

Every request and answer of the REST API. The same as OpenAPI 3.1: `GET /v2/openapi.json`, with a token;
`GET /admin/openapi.json` where that API is enabled. What plug-ins add stands in those documents alone.
This page is generated: `python -m designate.api.reference > doc/api-reference.md`.

All requests carry a token of Keystone in `X-Auth-Token`. All answers carry `X-Openstack-Request-Id`. An
error's body is an [Error](#error). Members that are not named here are refused in requests; answers may
have more of them in later releases.
"""


def reference() -> str:
    """Both APIs, as Markdown."""
    lines = [HEAD, "These headers and parameters mean the same everywhere:\n"]
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
    yield "## Errors\n"
    yield "| Code | Meaning | Body |"
    yield "|---|---|---|"
    for code, refusal in found["components"]["responses"].items():
        body = " or ".join(_kind(how["schema"]) for how in refusal["content"].values())
        yield f"| {code} | {_cell(refusal['description'])} | {body} |"
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
    yield "| Status | Meaning | Body |"
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
    for name, one in schema.get("properties", {}).items():
        must = "" if name in needed else " (may be missing)"
        yield f"| `{name}`{must} | {_kind(one)} | {_cell(one.get('description', ''))} |"
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


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - a command
