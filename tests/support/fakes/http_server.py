"""A small HTTP server on loopback whose responses a function makes, for fakes of control APIs."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import trustme

from tests.support.deadlines import scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request; the path is decoded and without its query."""

    method: str
    path: str
    target: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response; a body of bytes is sent as it is, another one as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False


Responder = Callable[[Request], Response]


class Weblet:
    """An HTTP server: `with Weblet(responder) as web`.

    Attributes:
        requests: all requests so far.
        connections: how many were opened.
        hold: while it is cleared, requests are read and get no response.
        drip: seconds between the bytes of a response, until the server ends.
        drops: how many of the next requests close the connection.
    """

    def __init__(self, responder: Responder, tls: ssl.SSLContext | None = None) -> None:
        self.responder = responder
        self.requests: list[Request] = []
        self.connections = 0
        self.hold = threading.Event()
        self.hold.set()
        self.drip: float | None = None
        self.drops = 0
        self.port = 0
        self._tls = tls
        self._ended = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.hold.set()
        self.stop()

    def start(self) -> None:
        """Start, on the same port as before a stop."""
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop and close the connections."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join(scaled(5))
        self._server = None

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        request = Request(
            method=handler.command,
            path=unquote(parts.path),
            target=handler.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in handler.headers.items()},
            body=handler.rfile.read(length),
        )
        self.requests.append(request)
        if self.drops > 0:
            self.drops -= 1
            handler.close_connection = True
            return
        response = self.responder(request)
        self.hold.wait(scaled(30))
        body = response.body
        data = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        handler.send_response(response.status)
        for name, value in response.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.close_connection = handler.close_connection or response.close
        if self.drip is None:
            handler.end_headers()
            handler.wfile.write(data)
            return
        while not self._ended.wait(self.drip):
            handler.wfile.write(b"x")
            handler.wfile.flush()


def server_side(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """Return a context for a server with a certificate for this host or address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close the connection, as some tests do."""

    def hang_up(self) -> None:
        for request in list(self._open):
            super().shutdown_request(request)


def _handler(weblet: Weblet) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            weblet.connections += 1
            super().setup()

        def _any(self) -> None:
            weblet.respond(self)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
