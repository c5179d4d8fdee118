"""Checks every response that the tests' clients receive against the API's document."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from designate.api import openapi
from designate.api.app import ADMIN_API_INFO, API_INFO, admin_resources, resources

ROOTS = ("v2", "admin")


@functools.cache
def document(root: str) -> dict[str, Any]:
    """Return the document of one of the ROOTS, with all extensions of this package."""
    routes, info = (resources(), API_INFO) if root == "v2" else (admin_resources(), ADMIN_API_INFO)
    return openapi.document([*routes, openapi.document_route(routes, info)], info)


@functools.cache
def _paths(root: str) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Return patterns of the paths; like in the service, those with fewer ids come first."""
    found = sorted(document(root)["paths"].items(), key=lambda path: path[0].count("{"))
    return [(_pattern(path), item) for path, item in found]


def _pattern(path: str) -> re.Pattern[str]:
    literals = re.split(r"\{\w+\}", path)
    return re.compile("[^/]+".join(map(re.escape, literals)))


@functools.cache
def _validator(root: str, schema: str) -> Any:
    whole = json.loads(schema) | {"components": document(root)["components"]}
    return jsonschema_rs.Draft202012Validator(whole)


def check(method: str, url: str, status: int, headers: Mapping[str, str], raw: bytes) -> None:
    """Fail unless the document permits the response; paths that it does not have are ignored."""
    _, root, path = (url.partition("?")[0].rstrip("/") + "//").split("/", 2)
    operation = _operation(root, method, f"/{path.rstrip('/')}") if root in ROOTS else None
    if operation is None:
        return
    context = f"{method} {url}: {status}: {raw[:500]!r}"
    assert str(status) in operation["responses"], f"not described: {context}"
    response = _resolved(root, operation["responses"][str(status)])
    for name, header in response.get("headers", {}).items():
        assert name in headers or not _resolved(root, header).get("required"), f"{name}: {context}"
    content = response.get("content", {})
    content_type = headers.get("Content-Type", "").partition(";")[0]
    assert content_type in content or not (content or raw), f"{content_type!r}: {context}"
    if content_type == "application/json":
        value = json.loads(raw)
        for error in _validator(root, json.dumps(content[content_type]["schema"])).iter_errors(
            value
        ):
            raise AssertionError(f"{error}: {context}")


def _operation(root: str, method: str, path: str) -> dict[str, Any] | None:
    for pattern, item in _paths(root):
        found: dict[str, Any] | None = item.get(method.lower())
        if found is not None and pattern.fullmatch(path):
            return found
    return None


def _resolved(root: str, value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    found: Any = document(root)
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    resolved: dict[str, Any] = found
    return resolved
