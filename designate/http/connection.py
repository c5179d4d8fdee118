"""One connection of a client, in the event loop: reads requests, writes responses, keeps deadlines.

The loop's thread alone calls the methods, but `call`. Over 300 lines, since the states of a connection
depend on each other.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import httptools

from designate.http.exchange import ClientGone, Exchange, HttpLimits
from designate.http.requests import Request, RequestRefused, rejection

LOG = logging.getLogger(__name__)

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# How much of a request is remembered to tell an unknown method from what is no HTTP.
START_BYTES = 64
# Larger bodies are written to a file while they come.
MAX_BODY_BYTES_IN_MEMORY = 2**20
LINGER_S = 2.0


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
        """Have a request processed by another thread; never blocks."""


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
        before, body_bytes = self._request, self._request.body_bytes
        if not self._in_body and len(self._start) < START_BYTES:
            self._start += data[:START_BYTES]
        self._parser.feed_data(data)
        if self._request.body_bytes > body_bytes:
            self._unparsed_bytes = 0
        elif self._reading and self._request is before:
            # The parser reports a header or trailer when it is complete, however long it becomes, and an
            # extension of a chunk not at all.
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
        limits = self.owner.limits
        has_unsent = self._transport.get_write_buffer_size() > 0
        self.deadline = self.owner.loop.time() + (limits.write_s if has_unsent else limits.idle_s)
        self.owner.waiting(self)

    def send(self, data: bytes, taken: threading.Event) -> None:
        """Send a part of a response, and set the event."""
        if not self.lost:
            self._transport.write(data)
        taken.set()

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
            # The next one has begun while this one was processed; its time begins now.
            self._began = self.owner.loop.time()
            self.deadline = self._began + self.owner.limits.request_s
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

    def close_if_idle(self) -> None:
        """Close the connection unless a request is being read or processed."""
        if not (self._running or self._reading or self._closing):
            self._close()

    def _refuse(self, found: RequestRefused) -> None:
        self._refused = found
        self._reading = False
        LOG.debug("HTTP: request of %s refused: %s", self.addresses[1][:1], found.reason)

    def _send_rejection(self, found: RequestRefused) -> None:
        self._transport.write(found.response())
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
