"""Checks the responses that tell a client to repeat its request."""

from __future__ import annotations

import requests

CODES = {503: "service_unavailable", 429: "too_many_requests"}
SAYS_SO = "the request can be repeated"


def assert_repeatable(response: requests.Response, code: int = 503) -> str:
    """Fail unless it is one of this code in the form of every error; return its message."""
    assert response.status_code == code, response.text
    assert int(response.headers["Retry-After"]) >= 1
    body = response.json()
    assert (body["code"], body["type"]) == (code, CODES[code])
    assert body["request_id"] == response.headers["X-Openstack-Request-Id"]
    assert body["message"].endswith(SAYS_SO), body
    return str(body["message"])
