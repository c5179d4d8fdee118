"""Successful HTTP responses: JSON, or none."""

from __future__ import annotations

import json
from typing import Any

from webob import Response


def json_response(value: Any, status: int = 200, **headers: str) -> Response:
    """Return a response with the value as JSON."""
    response = json_bytes_response(json.dumps(value).encode(), status)
    response.headers.update(headers)
    return response


def json_bytes_response(body: bytes, status: int = 200) -> Response:
    """Return a response whose body is JSON already."""
    return Response(body=body, status=status, content_type="application/json", charset=None)


def empty_response(status: int = 204) -> Response:
    """Return a response that has neither a body nor a content type."""
    response = Response(status=status)
    del response.content_type
    return response
