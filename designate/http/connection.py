"""One connection of a client, in the event loop: reads requests, writes responses, keeps deadlines.

The loop's thread alone calls the methods, but those of `Exchange`.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Protocol

import httptools

from designate.http.requests import Request, RequestRefused, rejection

LOG = logging.getLogger(__name__)

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# How much of a request is remembered to tell an unknown method from what is no HTTP.
START_BYTES = 64
# Larger bodies are written to a file while they come.
MAX_BODY_BYTES_IN_MEMORY = 2**20
LINGER_S = 2.0
NO_CONTENT = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What a connection may take.

    Attributes:
        idle_s: how long it may wait for the next request.
        request_s: how long the head and body of a request may take, besides the time that a body needs
            at min_bytes_per_s.
        min_bytes_per_s: the slowest body.
        write_s: how long a client may take nothing of its response.
        max_head_bytes: the request line and all headers.
        max_body_bytes: the body.
        max_pipelined: requests that wait for the response of an earlier one.
    """

    idle_s: float = 20.0
    request_s: float = 20.0
    min_bytes_per_s: float = 16384.0
    write_s: float = 20.0
    max_head_bytes: int = 65536
    max_body_bytes: int = 256 * 2**20
    max_pipelined: int = 64


class Owner(Protocol):
    """The server of a connection."""

    limits: HttpLimits
    loop: asyncio.AbstractEventLoop
    draining: bool

    def opened(self, connection: Connection) -> None:
        """Count a new connection."""

    def waiting(self, connection: Connection) -> None:
        """Record that the connection has no complete request, so that it may make room for others."""

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""

    def handle(self, exchange: Exchange) -> None:
        """Have a request answered by another thread; never blocks."""


class ClientGone(ConnectionError):
    """Raised in the thread that responds when the client has closed the connection or takes nothing."""


class Exchange:
    """A request and its response. `start`, `write` and `finish` are called by one other thread.

    Attributes:
        connection: the client's connection.
        request: the request.
        sent: the head of the response is on its way.
    """

    def __init__(self, connection: Connection, request: Request) -> None:
        self.request = request
        self.connection = connection
        self._head = b""
        self._chunked = False
        self._bodiless = False
        self.sent = False
        self._close = not request.keep_alive

    @property
    def addresses(self) -> tuple[Any, Any]:
        """The addresses of the server's and of the client's end."""
        return self.connection.addresses

    @property
    def gone(self) -> bool:
        """Whether nobody can read the response any more."""
        return self.connection.lost

    def start(self, status: str, headers: Headers) -> None:
        """Set the status line and the headers; they are sent with the first bytes of the body."""
        names = {name.lower(): value for name, value in headers}
        code = int(status[:3])
        self._bodiless = self.request.method == b"HEAD" or code in NO_CONTENT or code < 200
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if "date" not in names:
            lines.append(f"Date: {formatdate(usegmt=True)}")
        if "content-length" not in names and not self._bodiless:
            self._chunked = self.request.version == "1.1"
            self._close = self._close or not self._chunked
            if self._chunked:
                lines.append("Transfer-Encoding: chunked")
        if names.get("connection", "").lower() == "close" or self.connection.owner.draining:
            self._close = True
        if "connection" not in names:
            if self._close:
                lines.append("Connection: close")
            elif self.request.version == "1.0":
                lines.append("Connection: keep-alive")
        self._head = "\r\n".join((*lines, "", "")).encode("latin-1")

    def write(self, data: bytes) -> None:
        """Send a part of the body; waits for a slow client.

        Raises:
            ClientGone: the client is gone, or took nothing for write_s.
        """
        if data and not self._bodiless:
            self._send(self._framed(data))

    def finish(self, data: bytes = b"") -> None:
        """Send the last part, with which the response is complete."""
        body = b"" if self._bodiless else self._framed(data) if data else b""
        if self._chunked:
            body += b"0\r\n\r\n"
        head, self._head = self._head, b""
        self.sent = True
        self.connection.call(self.connection.complete, head + body, self._close)

    def abort(self) -> None:
        """Close the connection, so that the client sees that the response is incomplete."""
        self.connection.call(self.connection.abort)

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data

    def _send(self, data: bytes) -> None:
        connection = self.connection
        head, self._head = self._head, b""
        if not connection.writable.wait(connection.owner.limits.write_s) or connection.lost:
            raise ClientGone
        self.sent = True
        connection.call(connection.send, head + data)


class Connection(asyncio.Protocol):
    """The protocol of one connection.

    Attributes:
        owner: the server.
        writable: set while the client takes what is sent; other threads wait for it.
        lost: the connection is closed.
        deadline: in the loop's time; when it is over the connection is closed.
        addresses: of the server's and of the client's end.
    """

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.writable = threading.Event()
        self.writable.set()
        self.lost = False
        self.deadline = 0.0
        self.addresses: tuple[Any, Any] = ((), ())
        self._transport: Any = None
        self._early = bytearray()
        self._parser = httptools.HttpRequestParser(self)
        self._request = Request()
        self._reading = False
        self._in_body = False
        self._start = bytearray()
        self._head_bytes = 0
        self._unparsed_bytes = 0
        self._began = 0.0
        self._complete: deque[Request] = deque()
        self._running = False
        self._refused: RequestRefused | None = None
        self._closing = False
        self._unsent_bytes = 0
        self._ended = False

    # -- of asyncio ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request; over TLS it may have come with the end of the handshake."""
        self._transport = transport
        self.addresses = (
            transport.get_extra_info("sockname") or (),
            transport.get_extra_info("peername") or (),
        )
        if self.lost:
            return
        self.owner.opened(self)
        self._wait()
        early, self._early = bytes(self._early), bytearray()
        if early:
            self.data_received(early)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the connection; a thread that responds learns of it at its next write."""
        self.lost = True
        self.writable.set()
        self._complete.clear()
        self.owner.closed(self)

    def eof_received(self) -> bool:
        """The client sends no more; it still gets the responses to what it has sent."""
        self._ended = True
        if not self._running and not self._complete:
            return False
        return self._transport is not None and bool(self._transport.can_write_eof())

    def pause_writing(self) -> None:
        """The client does not take what was sent."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """The client takes more."""
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, whose callbacks collect requests."""
        if self._transport is None:
            self._early += data
            return
        if self._refused is not None or self._closing:
            return
        try:
            self._feed(data)
        except httptools.HttpParserUpgrade:
            # Upgrades are ignored (RFC 9110 section 7.8); what follows cannot be parsed.
            if self._complete:
                self._complete[-1].keep_alive = False
        except httptools.HttpParserError as error:
            cause = error.__context__
            found = (
                cause if isinstance(cause, RequestRefused) else rejection(error, bytes(self._start))
            )
            self._refuse(found)
        except RequestRefused as found:
            self._refuse(found)
        self._next()

    def _feed(self, data: bytes) -> None:
        before = self._request
        if not self._in_body and len(self._start) < START_BYTES:
            self._start += data[:START_BYTES]
        self._parser.feed_data(data)
        if self._reading and not self._in_body and self._request is before:
            # The parser reports a header when it is complete, however long it becomes.
            self._unparsed_bytes += len(data)
            self._check_head_size(self._unparsed_bytes)

    # -- of the parser ---------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request."""
        if len(self._complete) >= self.owner.limits.max_pipelined:
            raise RequestRefused(HTTPStatus.TOO_MANY_REQUESTS, "too many requests at once")
        self._reading = True
        self._began = self.owner.loop.time()
        if not self._running:
            self.deadline = self._began + self.owner.limits.request_s

    def on_url(self, target: bytes) -> None:
        """Collect the target, which may come in parts."""
        self._request.target += target
        self._count(len(target))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; those after a chunked body are ignored."""
        if not self._in_body:
            self._request.headers.append((name.lower(), value))
            self._count(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        """Check the head, and have the client send its body."""
        request = self._request
        request.method = self._parser.get_method()
        request.version = self._parser.get_http_version()
        request.keep_alive = self._parser.should_keep_alive()
        request.check_head(self.owner.limits.max_body_bytes)
        self._in_body = True
        if request.values(b"expect") and request.version == "1.1" and not self._running:
            self._transport.write(CONTINUE)

    def on_body(self, data: bytes) -> None:
        """Store a part of the body, and prolong the deadline as far as the least rate allows."""
        request, limits = self._request, self.owner.limits
        request.body_bytes += len(data)
        if request.body_bytes > limits.max_body_bytes:
            raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
        if request.body is None:
            request.body = tempfile.SpooledTemporaryFile(MAX_BODY_BYTES_IN_MEMORY)  # noqa: SIM115 - closed after the response
        request.body.write(data)
        if not self._running:
            self.deadline = (
                self._began + limits.request_s + request.body_bytes / limits.min_bytes_per_s
            )

    def on_message_complete(self) -> None:
        """Hand over the request once those before it have their responses."""
        if self._request.body is not None:
            self._request.body.seek(0)
        self._complete.append(self._request)
        self._request = Request()
        self._reading = self._in_body = False
        self._start.clear()
        self._head_bytes = self._unparsed_bytes = 0

    def _count(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        self._check_head_size(self._head_bytes)

    def _check_head_size(self, size_bytes: int) -> None:
        if size_bytes > self.owner.limits.max_head_bytes:
            if not self._request.headers:
                raise RequestRefused(HTTPStatus.REQUEST_URI_TOO_LONG, "the target is too long")
            raise RequestRefused(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too large"
            )

    # -- requests and responses ------------------------------------------------------------------

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function in the loop's thread; may be called by any thread."""
        try:
            self.owner.loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            raise ClientGone from None  # the loop is closed

    def _next(self) -> None:
        """Hand over the next request, refuse a broken one, or wait."""
        if self._running or self.lost:
            return
        if self._complete:
            self._running = True
            self.deadline = float("inf")
            if len(self._complete) > 1:
                self._transport.pause_reading()
            self.owner.handle(Exchange(self, self._complete.popleft()))
        elif self._refused is not None:
            self._send_rejection(self._refused)

    def _wait(self) -> None:
        self.deadline = self.owner.loop.time() + self.owner.limits.idle_s
        self.owner.waiting(self)

    def send(self, data: bytes) -> None:
        """Send a part of a response."""
        if not self.lost:
            self._transport.write(data)

    def complete(self, data: bytes, close: bool) -> None:
        """Send the last part of a response."""
        self._running = False
        if self.lost:
            return
        self._transport.write(data)
        if close or (self._ended and not self._complete and self._refused is None):
            self._close()
            return
        self._transport.resume_reading()
        if self._reading:
            # The next one has begun while this one was processed.
            self.deadline = self.owner.loop.time() + self.owner.limits.request_s
        else:
            self._wait()
        self._next()

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def expire(self, now: float) -> None:
        """Close the connection if its deadline is over; a request that is late gets a 408."""
        if now < self.deadline:
            return
        unsent_bytes = self._transport.get_write_buffer_size()
        if unsent_bytes and unsent_bytes != self._unsent_bytes:
            # The client is slow, but takes its response.
            self._unsent_bytes = unsent_bytes
            self.deadline = now + self.owner.limits.write_s
            return
        if self._reading and not self._closing and self._refused is None:
            self._refuse(RequestRefused(HTTPStatus.REQUEST_TIMEOUT, "the request took too long"))
            self._next()
        else:
            self.abort()

    def close_if_idle(self) -> bool:
        """Close the connection unless a request is being read or answered; return whether it was."""
        if self._running or self._reading or self._closing:
            return False
        self._close()
        return True

    def _refuse(self, found: RequestRefused) -> None:
        self._refused = found
        self._reading = False
        LOG.debug("HTTP: request of %s refused: %s", self.addresses[1][:1], found.reason)

    def _send_rejection(self, found: RequestRefused) -> None:
        text = f"{found.reason}\n".encode("latin-1", "replace")
        head = (
            f"HTTP/1.1 {found.status.value} {found.status.phrase}\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
            f"Date: {formatdate(usegmt=True)}\r\nConnection: close\r\n\r\n"
        )
        self._transport.write(head.encode() + text)
        if self._transport.can_write_eof():
            # Closing with unread data would reset the connection before the client reads the response.
            self._closing = True
            self.deadline = self.owner.loop.time() + LINGER_S
            self._transport.write_eof()
        else:
            self._close()

    def _close(self) -> None:
        """Close after what was written is sent, or when the client does not take it in time."""
        self._closing = True
        self.deadline = self.owner.loop.time() + self.owner.limits.write_s
        self._transport.close()
