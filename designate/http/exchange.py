"""A request and its response, as the thread that responds sees them; what a connection may take."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from designate.http.requests import Request

if TYPE_CHECKING:
    from designate.http.connection import Connection

NO_CONTENT = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
Headers = Iterable[tuple[str, str]]
_LINE_END = re.compile("[\r\n\0]")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """The bounds of a connection, and of the number of connections.

    Attributes:
        idle_s: how long it may wait for the next request.
        request_s: how long the head and body of a request may take, besides the time that a body needs
            at min_bytes_per_s.
        min_bytes_per_s: the slowest body.
        write_s: how long a client may take nothing of its response.
        max_head_bytes: the request line and all headers.
        max_body_bytes: the body.
        max_pipelined: requests that wait for the response of an earlier one.
        handshake_s: how long a TLS handshake may take.
        max_connections: of the server; None: what the process' limit of open files permits.
    """

    idle_s: float = 20.0
    request_s: float = 20.0
    min_bytes_per_s: float = 16384.0
    write_s: float = 20.0
    max_head_bytes: int = 65536
    max_body_bytes: int = 256 * 2**20
    max_pipelined: int = 64
    handshake_s: float = 10.0
    max_connections: int | None = None


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
        """Set the status line and the headers; they are sent with the first bytes of the body.

        Raises:
            ValueError: a header would end before its end.
        """
        headers = list(headers)
        if any(_LINE_END.search(text) for header in headers for text in header):
            raise ValueError("a header of the response has a line end")
        names = {name.lower(): value for name, value in headers}
        code = int(status[:3])
        self._bodiless = self.request.method == b"HEAD" or code in NO_CONTENT or code < 200
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if "date" not in names:
            lines.append(f"Date: {formatdate(usegmt=True)}")
        # It may be the second call, after an application that failed.
        self._chunked = False
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
        connection, timeout_s = self.connection, self.connection.owner.limits.write_s
        head, self._head = self._head, b""
        if not connection.writable.wait(timeout_s) or connection.lost:
            raise ClientGone
        self.sent = True
        # Only when the loop has the data it is known whether the client takes more.
        taken = threading.Event()
        connection.call(connection.send, head + data, taken)
        if not taken.wait(timeout_s):
            raise ClientGone
