"""A request as the event loop read it, and the rules that it must keep (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import IO
from urllib.parse import unquote_to_bytes

import httptools

from designate.runtime.wsgi import RETRY_AFTER_S, RETRY_CODES

VERSIONS = ("1.0", "1.1")
HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
METHOD = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+ ")


class RequestRefused(Exception):
    """Raised for a request that is not processed; the connection is closed after the response."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

    def response(self) -> bytes:
        """Return the whole response."""
        text = f"{self.reason}\n".encode("latin-1", "replace")
        lines = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            "Content-Type: text/plain",
            f"Content-Length: {len(text)}",
            f"Date: {formatdate(usegmt=True)}",
            "Connection: close",
        ]
        if self.status in RETRY_CODES:
            lines.append(f"Retry-After: {RETRY_AFTER_S}")
        return "\r\n".join([*lines, "", ""]).encode() + text


@dataclass(slots=True)
class Request:
    """One request.

    Attributes:
        method: in the client's case.
        target: the request target as sent.
        headers: names in lower case, in order.
        version: "1.0" or "1.1".
        body: the content, without transfer coding; None where there is none.
        body_bytes: its length.
        keep_alive: whether the client wants the connection to stay open.
        authority: the host of the target or of the header Host.
        path: the decoded path of the target.
        query: the part of the target after `?`.
    """

    target: bytes = b""
    method: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    version: str = "1.1"
    body: IO[bytes] | None = None
    body_bytes: int = 0
    keep_alive: bool = True
    authority: bytes = b""
    path: bytes = b""
    query: bytes = b""

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of a header, whose name is given in lower case."""
        return [value for header, value in self.headers if header == name]

    def check_head(self, max_body_bytes: int) -> None:
        """Check what the parser leaves open, and set authority, path and query.

        Raises:
            RequestRefused: the head breaks a rule, or asks for what this server does not have.
        """
        if self.version not in VERSIONS:
            raise RequestRefused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "use HTTP/1.1")
        if self.method == b"CONNECT":
            raise RequestRefused(HTTPStatus.NOT_IMPLEMENTED, "this is no proxy")
        self._check_length(max_body_bytes)
        self._check_host()
        if any(value.lower() != b"100-continue" for value in self.values(b"expect")):
            raise RequestRefused(HTTPStatus.EXPECTATION_FAILED, "unknown expectation")
        self._split_target()

    def _check_length(self, max_body_bytes: int) -> None:
        codings = b",".join(self.values(b"transfer-encoding")).lower()
        if codings and self.version == "1.0":
            raise RequestRefused(HTTPStatus.BAD_REQUEST, "Transfer-Encoding needs HTTP/1.1")
        if codings and codings.rpartition(b",")[2].strip() != b"chunked":
            raise RequestRefused(HTTPStatus.BAD_REQUEST, "the last transfer coding is chunked")
        if codings and codings != b"chunked":
            raise RequestRefused(HTTPStatus.NOT_IMPLEMENTED, "unknown transfer coding")
        # The parser has refused what is not a number, or stands there twice.
        if any(int(length) > max_body_bytes for length in self.values(b"content-length")):
            raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")

    def _check_host(self) -> None:
        hosts = self.values(b"host")
        if len(hosts) > 1 or (self.version == "1.1" and not hosts):
            raise RequestRefused(HTTPStatus.BAD_REQUEST, "one header Host is required")
        self.authority = hosts[0] if hosts else b""
        if not HOST.fullmatch(self.authority):
            raise RequestRefused(HTTPStatus.BAD_REQUEST, "the header Host is not a host")

    def _split_target(self) -> None:
        if self.target == b"*":
            if self.method != b"OPTIONS":
                raise RequestRefused(HTTPStatus.BAD_REQUEST, "the target * is for OPTIONS")
            self.path = b"*"
            return
        try:
            url = httptools.parse_url(self.target)
        except httptools.HttpParserInvalidURLError:
            raise RequestRefused(HTTPStatus.BAD_REQUEST, "the target is not a URL") from None
        if url.fragment is not None or url.userinfo is not None:
            raise RequestRefused(HTTPStatus.BAD_REQUEST, "the target has a fragment or a user")
        if url.schema is not None and url.schema.lower() not in (b"http", b"https"):
            raise RequestRefused(HTTPStatus.BAD_REQUEST, "the scheme of the target is not HTTP")
        if url.schema is not None:
            # An absolute form replaces the header (RFC 9112 section 3.2.2).
            host = b"[" + url.host + b"]" if b":" in url.host else url.host
            self.authority = host + (b":%d" % url.port if url.port else b"")
        self.path = unquote_to_bytes(url.path or b"/")
        self.query = url.query or b""


def rejection(error: httptools.HttpParserError, seen: bytes) -> RequestRefused:
    """Return the response to an error of the parser; seen: the first bytes of the request."""
    text = str(error)
    if isinstance(error, httptools.HttpParserInvalidMethodError) and METHOD.match(seen):
        return RequestRefused(HTTPStatus.NOT_IMPLEMENTED, "unknown method")
    if "HTTP version" in text or "PRI" in text:
        return RequestRefused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "use HTTP/1.1")
    return RequestRefused(HTTPStatus.BAD_REQUEST, text)
