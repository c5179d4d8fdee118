"""The HTTP server: connections that cost no thread, deadlines, slow clients, and its stop."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from unittest import mock

import pytest
import trustme

from designate.http.connection import Connection
from designate.http.exchange import HttpLimits
from designate.http.server import HttpServer
from designate.http.tls import HttpsSettings
from tests.support.deadlines import scaled, until

REQUEST = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
BIG, PARTS = 16 * 2**20, 256


class App:
    """Echoes the path; /big is a large body in parts, /held waits until it is released; others fail."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.held = 0
        self.parts = 0
        self.closed = threading.Event()

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/fails":
            raise ZeroDivisionError
        if path == "/begins":  # and fails before the first byte of a body without a length
            start_response("200 OK", [])
            return iter(lambda: 1 // 0, None)
        if path == "/splits":
            start_response("200 OK", [("X", "a\r\nX-Other: b")])
        if path == "/held":
            self.held += 1
            assert self.release.wait(scaled(20))
        if path == "/big":
            start_response("200 OK", [])
            return self._big()
        body = path.encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def _big(self):
        try:
            for _ in range(PARTS):
                self.parts += 1
                yield b"x" * (BIG // PARTS)
        finally:
            self.closed.set()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def started(app: App) -> Iterator[object]:
    with contextlib.ExitStack() as stack:

        def start(**settings):
            server = HttpServer(app, "127.0.0.1", 0, settings.pop("threads", 4), **settings)
            server.start()
            stack.callback(server.stop)
            return server

        yield start
        app.release.set()


@pytest.fixture
def tls(tmp_path: Path) -> HttpsSettings:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    file = str(tmp_path / "server.pem")
    return HttpsSettings(cert_file=file, key_file=file, ca_file=None, ciphers=None)


def connect(server: HttpServer) -> socket.socket:
    return socket.create_connection(server.address, timeout=scaled(20))


def secured(server: HttpServer) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connect(server))


def everything(sock: socket.socket) -> bytes:
    """Return what comes until the server closes the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            parts.append(part)
    return b"".join(parts)


def ask(client: HTTPConnection, path: str):
    client.request("GET", path)
    response = client.getresponse()
    assert response.read() == path.encode()
    return response


def test_many_clients_keep_their_connections(started):
    server = started()
    with contextlib.ExitStack() as stack:
        clients = [HTTPConnection(*server.address, timeout=scaled(10)) for _ in range(40)]
        for client in clients:
            stack.callback(client.close)
        for turn in range(2):
            for number, client in enumerate(clients):
                assert ask(client, f"/{turn}/{number}").getheader("Connection") != "close"

        assert all(client.sock for client in clients)


@pytest.mark.parametrize("encrypted", [False, True])
def test_silent_and_trickling_connections_cost_no_thread(started, tls, encrypted):
    server = started(threads=1, tls=tls if encrypted else None)
    with contextlib.ExitStack() as stack:
        before = threading.active_count()
        silent = [stack.enter_context(connect(server)) for _ in range(200)]
        open_ = secured if encrypted else connect
        trickling = [stack.enter_context(open_(server)) for _ in range(30)]
        for sent in range(1, 10):
            for sock in trickling:
                sock.sendall(REQUEST[sent - 1 : sent])

        client = stack.enter_context(open_(server))
        client.sendall(REQUEST)

        assert client.recv(12) == b"HTTP/1.1 200"
        # One thread of the application may have been started for the request.
        assert threading.active_count() <= before + 1
        assert len(silent) == 200


def test_a_request_that_does_not_end_gets_408_at_its_deadline(started):
    server = started(limits=HttpLimits(request_s=0.2))
    with connect(server) as sock:
        sock.sendall(REQUEST[:20])

        assert everything(sock).startswith(b"HTTP/1.1 408")


def test_a_body_that_does_not_come_gets_408_however_little_is_missing(started):
    server = started(limits=HttpLimits(request_s=0.2, min_bytes_per_s=1e9))
    with connect(server) as sock:
        sock.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab")

        assert everything(sock).startswith(b"HTTP/1.1 408")


def test_an_idle_connection_is_closed_without_a_word(started):
    server = started(limits=HttpLimits(idle_s=0.2))
    with connect(server) as sock:
        assert everything(sock) == b""
        until(lambda: server.connections == 0, 5)


def test_a_handshake_that_does_not_end_is_closed(started, tls):
    server = started(tls=tls, limits=HttpLimits(handshake_s=0.2))
    with connect(server) as sock:
        assert everything(sock) == b""


def test_the_oldest_silent_connection_makes_room_for_a_new_one(started):
    server = started(limits=HttpLimits(max_connections=3))
    with contextlib.ExitStack() as stack:
        first, *others = [stack.enter_context(connect(server)) for _ in range(3)]
        until(lambda: server.connections == 3, 5)
        newest = stack.enter_context(connect(server))
        newest.sendall(REQUEST)

        assert newest.recv(12) == b"HTTP/1.1 200"
        assert everything(first) == b""
        for sock in others:
            sock.sendall(REQUEST)
            assert sock.recv(12) == b"HTTP/1.1 200"


def test_where_all_connections_have_requests_a_new_one_is_closed(started, app):
    server = started(threads=1, limits=HttpLimits(max_connections=3, idle_s=1e6))
    with contextlib.ExitStack() as stack:
        busy = [stack.enter_context(connect(server)) for _ in range(3)]
        for sock in busy:
            sock.sendall(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        # One runs and two wait for the thread.
        until(lambda: app.held == 1 and server.connections == 3, 5)
        assert everything(stack.enter_context(connect(server))) == b""
        assert server.connections == 3
        app.release.set()
        for sock in busy:
            assert sock.recv(12) == b"HTTP/1.1 200"


def test_an_idle_connection_makes_room_for_a_handshake(started, tls):
    server = started(tls=tls, limits=HttpLimits(max_connections=2))
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(secured(server)) for _ in range(2)]
        until(lambda: server.connections == 2, 5)
        # This handshake never ends; the next one finds no room but that of an idle connection.
        stack.enter_context(connect(server))
        newest = stack.enter_context(secured(server))
        newest.sendall(REQUEST)

        assert newest.recv(12) == b"HTTP/1.1 200"
        assert everything(idle[0]) == b""


@pytest.mark.parametrize("start", [b"0\r\nX: ", b"0\r\n" + b"X: a\r\n" * 10, b"1;x="])
def test_what_follows_a_chunked_body_is_bounded(started, start):
    server = started(limits=HttpLimits(max_head_bytes=4096))
    with connect(server) as sock:
        sock.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        sock.sendall(b"1\r\nx\r\n" + start)
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                sock.sendall(b"y" * 1000)

        assert everything(sock).startswith(b"HTTP/1.1 431")


class Clock:
    """The loop and owner of a connection whose time a test sets."""

    def __init__(self) -> None:
        self.limits = HttpLimits(request_s=10, min_bytes_per_s=1e9)
        self.loop = self
        self.draining = False
        self.now = 0.0
        self.handled = []
        self.opened = self.waiting = self.closed = lambda _: None
        self.handle = self.handled.append

    def time(self) -> float:
        return self.now


def test_the_time_of_a_request_begins_after_the_one_before_it():
    clock, transport = Clock(), mock.Mock(**{"get_write_buffer_size.return_value": 0})
    connection = Connection(clock)
    connection.connection_made(transport)
    connection.data_received(REQUEST)
    connection.data_received(b"POST /y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
    clock.now = 100.0
    connection.complete(b"", False)
    for _ in range(3):
        clock.now += 3.0
        connection.expire(clock.now)
        connection.data_received(b"z")

    assert [exchange.request.path for exchange in clock.handled] == [b"/x", b"/y"]


def test_a_client_that_takes_nothing_of_its_response_is_closed(started, app):
    server = started(limits=HttpLimits(write_s=0.3))
    with socket.socket() as sock:
        # So small that the system cannot take the response in the client's place.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(server.address)
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        until(app.closed.is_set, 10)
        until(lambda: server.connections == 0, 10)
    assert app.parts < PARTS, "the server held the whole response"


def test_a_large_response_arrives_whole(started):
    server = started()
    client = HTTPConnection(*server.address, timeout=scaled(20))
    for _ in range(2):
        client.request("GET", "/big")
        response = client.getresponse()
        assert response.getheader("Transfer-Encoding") == "chunked"
        assert len(response.read()) == BIG
    client.close()


def test_a_client_that_leaves_in_the_middle_ends_the_response(started, app):
    server = started()
    with connect(server) as sock:
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        sock.recv(1)
    until(app.closed.is_set, 10)
    until(lambda: server.connections == 0, 5)


@pytest.mark.parametrize("path", ["/fails", "/begins", "/splits"])
def test_a_failure_of_the_application_is_a_500_and_the_connection_goes_on(started, path):
    client = HTTPConnection(*started().address, timeout=scaled(10))
    client.request("GET", path)
    response = client.getresponse()
    assert (response.status, response.read()) == (500, b"")
    assert response.getheader("X-Other") is None
    with connect(started()) as sock:
        sock.sendall(REQUEST.replace(b"/x", path.encode()) + REQUEST)
        sock.shutdown(socket.SHUT_WR)
        failure, _, rest = everything(sock).partition(b"\r\n\r\n")
    assert failure.startswith(b"HTTP/1.1 500")
    assert rest.startswith(b"HTTP/1.1 200")
    assert ask(client, "/next").status == 200
    client.close()


def test_a_client_may_end_its_side_before_the_response(started):
    with connect(started()) as sock:
        sock.sendall(REQUEST)
        sock.shutdown(socket.SHUT_WR)

        assert everything(sock).endswith(b"/x")


def test_the_end_waits_for_running_requests_and_closes_idle_connections(started, app):
    server = started()
    with connect(server) as idle, connect(server) as busy:
        busy.sendall(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: app.held == 1, 5)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert everything(idle) == b""
        app.release.set()
        response = everything(busy)
        stopping.join(timeout=scaled(10))

    assert response.startswith(b"HTTP/1.1 200")
    assert b"\r\nConnection: close\r\n" in response
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_a_draining_server_closes_a_connection_with_its_next_response(started):
    server = started(drain_s=5)
    client = HTTPConnection(*server.address, timeout=scaled(10))
    ask(client, "/before")
    stopping = threading.Thread(target=server.stop)
    stopping.start()

    until(lambda: ask(client, "/during").getheader("Connection") == "close", 5)
    client.close()
    stopping.join(timeout=scaled(10))
    assert not stopping.is_alive()


def test_headers_with_an_underscore_do_not_pass_for_others():
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    server = HttpServer(app, "::1", 0, threads=1)
    server.start()
    with connect(server) as sock:
        sock.sendall(
            b"GET /a%2Fb?c HTTP/1.1\r\nHost: h\r\nX_Roles: admin\r\n"
            b"X-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n"
        )
        assert everything(sock).startswith(b"HTTP/1.1 204")
    server.stop()

    assert "HTTP_X_ROLES" not in seen
    assert seen["HTTP_X_A"] == "1,2"
    assert (seen["PATH_INFO"], seen["QUERY_STRING"], seen["HTTP_HOST"]) == ("/a/b", "c", "h")
    assert (seen["REMOTE_ADDR"], seen["SERVER_NAME"]) == ("::1", "::1")
