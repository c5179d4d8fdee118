"""The HTTP server and the API on it, with raw requests that are right and wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httptools
import pytest

from designate.api.app import build
from designate.http.exchange import HttpLimits
from designate.http.server import HttpServer
from tests.support.deadlines import scaled
from tests.support.factories.raw_requests import CASES, CHUNKED, MAX_BODY, NEXT, get, post


class Responses:
    """Collects the statuses of a stream of responses."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.parser = httptools.HttpResponseParser(self)

    def on_headers_complete(self) -> None:
        self.statuses.append(self.parser.get_status_code())


def app(environ, start_response):
    length = int(environ["CONTENT_LENGTH"])
    assert len(environ["wsgi.input"].read()) == length
    body = b"" if environ["REQUEST_METHOD"] == "HEAD" else b"ok"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    server = HttpServer(app, "127.0.0.1", 0, threads=4, limits=HttpLimits(max_body_bytes=MAX_BODY))
    server.start()
    yield server
    server.stop()


def exchange(server: HttpServer, raw: bytes) -> bytes:
    """Send everything, and return all that comes until the server closes the connection."""
    with socket.create_connection(server.address, timeout=scaled(20)) as sock:
        try:
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server has closed the connection already
        parts = []
        while part := sock.recv(65536):
            parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(("raw", "statuses"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_each_request_has_one_response_with_the_right_status(server, raw, statuses):
    found = exchange(server, raw)

    # A response to HEAD has no body, so that the parser needs none.
    responses = Responses()
    responses.parser.feed_data(found)
    assert responses.statuses == statuses, found[-300:]


@pytest.fixture(scope="module")
def api(hidden) -> Iterator[HttpServer]:
    """Return the API itself on this server."""
    limits = HttpLimits(max_body_bytes=MAX_BODY)
    server = HttpServer(build(hidden.conf, hidden.central), "127.0.0.1", 0, 4, limits=limits)
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("path", [b"/", b"/v2/zones", b"/healthcheck"])
def test_the_api_itself_fails_for_none_of_them(api, path):
    wrong = []
    for name, raw, statuses in CASES:
        responses = Responses()
        responses.parser.feed_data(
            exchange(api, raw.replace(b" / HTTP/1.1", b" %b HTTP/1.1" % path))
        )
        refused = [status for status in statuses if status >= 400]
        found = responses.statuses
        if 500 in found or len(found) != len(statuses) or found[-1:] < refused[-1:]:
            wrong.append((name, found, statuses))

    assert wrong == []


def test_the_corpus_has_its_size():
    assert len(CASES) >= 200
    assert len({name for name, _, _ in CASES}) == len(CASES)


def test_requests_that_come_faster_than_their_responses_are_bounded(server):
    responses = Responses()
    responses.parser.feed_data(exchange(server, NEXT * 1000))

    # One more where the first was handed over before the others came.
    assert len(responses.statuses) in (65, 66)
    assert responses.statuses == [200] * (len(responses.statuses) - 1) + [429]


@pytest.mark.parametrize("size", [1, 7])
def test_requests_may_come_in_pieces(server, size):
    raw = post(CHUNKED, b"3\r\nabc\r\n0\r\n\r\n") + get() + post(b"Content-Length: 2\r\n", b"ab")
    with socket.create_connection(server.address, timeout=scaled(20)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(0, len(raw), size):
            sock.sendall(raw[place : place + size])
        sock.shutdown(socket.SHUT_WR)
        responses = Responses()
        while part := sock.recv(65536):
            responses.parser.feed_data(part)

    assert responses.statuses == [200, 200, 200]
