"""What the API's document says of an answer: clients of the tests hold every answer against it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from designate.api import openapi
from designate.api.app import ABOUT, resources

ROOT = "/v2"


@functools.cache
def _document() -> dict[str, Any]:
    routes = resources()
    return openapi.document([*routes, openapi.served(routes, ABOUT)], ABOUT)


@functools.cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Those without ids first, as the service looks for them."""
    found = sorted(_document()["paths"].items(), key=lambda path: path[0].count("{"))
    return [(_pattern(path), item) for path, item in found]


def _pattern(path: str) -> re.Pattern[str]:
    literals = re.split(r"\{\w+\}", path)
    return re.compile("[^/]+".join(map(re.escape, literals)))


@functools.cache
def _validator(schema: str) -> Any:
    whole = json.loads(schema) | {"components": _document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole)


def check(method: str, url: str, status: int, headers: Mapping[str, str], raw: bytes) -> None:
    """Fails unless the document allows the answer. Paths that it does not have are not its own."""
    path = url.partition("?")[0]
    if not path.startswith(f"{ROOT}/"):
        return
    operation = _operation(method, path.removeprefix(ROOT).rstrip("/"))
    if operation is None:
        return
    known = operation["responses"]
    assert str(status) in known, f"{method} {url}: {status} is not described: {raw[:300]!r}"
    response = _resolved(known[str(status)])
    for name, header in response.get("headers", {}).items():
        assert name in headers or not _resolved(header).get("required"), (
            f"{method} {url}: no {name}"
        )
    content = response.get("content", {})
    kind = headers.get("Content-Type", "").partition(";")[0]
    assert kind in content or not (content or raw), (
        f"{method} {url}: {status} of {kind!r}: {raw[:300]!r}"
    )
    if kind == "application/json":
        value = json.loads(raw)
        for error in _validator(json.dumps(content[kind]["schema"])).iter_errors(value):
            raise AssertionError(f"{method} {url}: {status}: {error} in {raw[:500]!r}")


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for pattern, item in _paths():
        if pattern.fullmatch(path):
            found: dict[str, Any] | None = item.get(method.lower())
            if found is not None:
                return found
    return None


def _resolved(value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    found: Any = _document()
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    resolved: dict[str, Any] = found
    return resolved
