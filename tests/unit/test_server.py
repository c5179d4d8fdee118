"""The HTTP server of the API."""

from __future__ import annotations

import contextlib
from http.client import HTTPConnection

import pytest

from designate.api.server import HttpServer
from tests.support.deadlines import scaled


def app(environ, start_response):
    body = environ["PATH_INFO"].encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def server():
    server = HttpServer(app, "127.0.0.1", 0, threads=4)
    server.start()
    yield server
    server.stop()


def ask(client, path):
    client.request("GET", path)
    response = client.getresponse()
    assert response.read() == path.encode()
    return response


def test_many_clients_keep_their_connections(server):
    with contextlib.ExitStack() as stack:
        clients = [HTTPConnection(*server.address, timeout=scaled(10)) for _ in range(40)]
        for client in clients:
            stack.callback(client.close)
        for turn in range(2):
            for number, client in enumerate(clients):
                assert ask(client, f"/{turn}/{number}").getheader("Connection") != "close"

        assert all(client.sock for client in clients)
