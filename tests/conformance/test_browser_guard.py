"""An API without authentication is not at the service of web pages."""

from __future__ import annotations

import pytest
from webob import Request

from designate.api.app import build
from tests.support.factories.zone_data import Hidden

BODY = b'{"name": "pages.example.", "email": "a@example.com"}'


def status(hidden: Hidden, headers: dict[str, str], body: bytes = b"") -> int:
    """Return the status of GET, or with a body of POST /v2/zones."""
    request = Request.blank("/v2/zones", method="POST" if body else "GET", body=body)
    request.headers.update({"X-Auth-Project-ID": "p"} | headers)
    return request.get_response(build(hidden.conf, hidden.central)).status_int


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("localhost:9001", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:9001", 200),
        ("127.9.9.9", 200),
        ("[::1]:9001", 200),
        ("dns.internal:9001", 200),
        ("attacker.example", 403),
        ("attacker.example:9001", 403),
        ("localhost.attacker.example", 403),
        ("127.0.0.1.attacker.example", 403),
        ("192.0.2.1", 403),
        ("", 403),
    ],
)
def test_the_host_is_a_name_of_the_service(hidden, host, expected):
    hidden.conf.set_override("listen", ["127.0.0.1:9001"], "service:api")
    hidden.conf.set_override("allowed_hosts", ["Dns.Internal"], "service:api")
    try:
        assert status(hidden, {"Host": host}) == expected
    finally:
        hidden.conf.clear_override("listen", "service:api")
        hidden.conf.clear_override("allowed_hosts", "service:api")


def test_a_refusal_has_a_request_id(hidden):
    request = Request.blank("/v2/zones", headers={"Host": "attacker.example"})
    response = request.get_response(build(hidden.conf, hidden.central))

    assert (response.status_int, response.json["type"]) == (403, "forbidden")
    assert response.json["request_id"].startswith("req-")
    assert response.headers["X-Openstack-Request-Id"] == response.json["request_id"]


def test_a_service_on_all_addresses_has_any_address_as_host_but_no_name(hidden):
    hidden.conf.set_override("listen", ["0.0.0.0:9001"], "service:api")
    try:
        assert status(hidden, {"Host": "192.0.2.1:9001"}) == 200
        assert status(hidden, {"Host": "attacker.example"}) == 403
    finally:
        hidden.conf.clear_override("listen", "service:api")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": "http://localhost:8080"}, 200),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://localhost:x"}, 200),
        ({"Origin": "https://console.example"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
def test_requests_of_other_sites_are_refused(hidden, headers, expected):
    hidden.conf.set_override("allowed_origin", ["https://console.example"], "cors")
    try:
        assert status(hidden, headers) == expected
    finally:
        hidden.conf.clear_override("allowed_origin", "cors")


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 409),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
def test_bodies_have_a_content_type_that_pages_cannot_send(hidden, content_type, expected):
    assert status(hidden, {"Content-Type": content_type}, BODY) == expected
