"""HTTP to a nameserver's control side: kept connections, one deadline per exchange, no secrets told.

A client on urllib3, for its pool with a bound. What it lacks is added here: its timeouts hold for
each wait alone, so that a server which sends a byte now and then is never given up.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPResponse
from time import monotonic
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError, SSLError

from designate import errors

LOG = logging.getLogger(__name__)

WIDTH = 8
LARGEST_ANSWER_BYTES = 8 * 1024 * 1024
MOST_TOLD = 200
# Of a server, or of a proxy before it, that may do the same thing later.
CANNOT_NOW = (429, 502, 503, 504)

Signing = Callable[[str, str, bytes | None], dict[str, str]]
"""The headers that prove who sends: from the method, the whole URL and the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; any status. location: where a redirection points, which is never followed."""

    status: int
    body: bytes
    retry_after: str | None = None
    location: str | None = None

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The decoded body; None: it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def member(self, *names: str) -> Any:
        """A value of the body by the names that lead to it; None: there is none."""
        found = self.json()
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a server proves who it is. ca_file None: by the system's authorities. cert_file, key_file:
    what this side shows."""

    verify: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


class WebClient:
    """One server. Thread-safe; no I/O before the first call. At most WIDTH connections, which are
    kept; a caller that finds none waits within its deadline.

    label: what errors begin with. secrets: texts that never stand in an error.
    """

    def __init__(
        self,
        label: str,
        url: str,
        *,
        timeout_s: float,
        headers: dict[str, str] | None = None,
        tls: Tls | None = None,
        secrets: tuple[str | None, ...] = (),
        sign: Signing | None = None,
    ) -> None:
        """url: scheme, host and port count. sign: for every request anew. Raises
        ConfigurationError for another scheme."""
        parts = urllib3.util.parse_url(url)
        if parts.scheme not in ("http", "https") or not parts.host:
            raise errors.ConfigurationError(f"{label}: {url!r} is not an http or https URL")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._label = f"{label} {self.origin}"
        self._timeout_s = timeout_s
        self._sign = sign
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._secrets = tuple(sorted(filter(None, secrets), key=len, reverse=True))
        tls = tls or Tls()
        self._files = tuple(filter(None, (tls.ca_file, tls.cert_file, tls.key_file)))
        self._pool = _pool(parts, tls)
        if parts.scheme == "https" and not tls.verify:
            LOG.warning("%s: its certificate is not checked", self._label)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """One exchange of JSON. path: with its query, encoded. Whatever status comes is an answer.

        What was asked on a kept connection that the server had just closed is asked once more: all
        calls of backends can be repeated. Raises BackendUnavailable when no answer came in time, and
        BackendError when none can come: TLS failed, the answer cannot be read.
        """
        data = None if body is None else json.dumps(body).encode()
        sent = {**self._headers, **(headers or {})}
        if data is not None:
            sent["Content-Type"] = "application/json"
        deadline = monotonic() + (self._timeout_s if timeout_s is None else timeout_s)
        try:
            try:
                return self._exchange(method, path, data, sent, deadline)
            except ProtocolError:
                return self._exchange(method, path, data, sent, deadline)
        except TimeoutError:
            raise self.away("no answer in time") from None
        except (SSLError, ValueError) as error:
            raise self.error(_reason(error, self._files)) from None
        except (HTTPError, OSError) as error:
            raise self.away(_reason(error, self._files)) from None

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str], deadline: float
    ) -> Answer:
        left_s = _left_s(deadline)
        if self._sign is not None:
            headers = {**headers, **self._sign(method, self.origin + path, data)}
        response = self._pool.urlopen(
            method,
            path,
            body=data,
            headers=headers,
            timeout=urllib3.Timeout(total=left_s),
            pool_timeout=left_s,  # type: ignore[arg-type] # It goes to Queue.get, which takes floats.
            retries=False,
            redirect=False,  # The credentials are for this server alone.
            preload_content=False,
        )
        try:
            body = response.read(LARGEST_ANSWER_BYTES + 1, decode_content=True)
            if len(body) > LARGEST_ANSWER_BYTES:
                response.close()
                raise ValueError("the answer is too large")
        finally:
            response.release_conn()
        return Answer(
            status=response.status,
            body=body,
            retry_after=response.headers.get("Retry-After"),
            location=response.headers.get("Location"),
        )

    def error(self, reason: str) -> errors.BackendError:
        """To be raised. Secrets are masked, for servers like to quote what they were sent."""
        return errors.BackendError(self._told(reason))

    def away(self, reason: str) -> errors.BackendUnavailable:
        """To be raised when the server said nothing, or that it cannot now."""
        return errors.BackendUnavailable(self._told(reason))

    def _told(self, reason: str) -> str:
        for secret in self._secrets:
            reason = reason.replace(secret, "***")
        return f"{self._label}: {reason}"

    def refused(self, doing: str, answer: Answer, *detail: str) -> errors.BackendError:
        """The error for an answer that is no success. detail: the member of the body that says why."""
        told = answer.member(*detail) if detail else None
        reason = f"{doing} failed with HTTP status {answer.status}"
        if answer.status in (401, 403):
            reason += ": do the credentials fit?"
        elif answer.status == 429:
            reason += f": too many requests, again after {answer.retry_after or 'some'} s"
        if told:
            reason += f" ({str(told)[:MOST_TOLD]})"
        return self.away(reason) if answer.status in CANNOT_NOW else self.error(reason)


def basic(username: str, password: str) -> dict[str, str]:
    """The header of HTTP's basic authentication (RFC 7617)."""
    word = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {word}"}


def _reason(error: Exception, files: tuple[str, ...]) -> str:
    """Fit for an error. The class alone where a text might hold what was sent."""
    if isinstance(error, SSLError):
        return f"TLS failed: {error}" + (f" (with {', '.join(files)})" if files else "")
    cause: BaseException = error
    while not isinstance(cause, OSError) and (cause.__cause__ or cause.__context__):
        cause = cause.__cause__ or cause.__context__ or cause
    if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, TimeoutError):
        return f"{cause.filename}: {cause.strerror}" if cause.filename else errors.said(cause)
    if isinstance(cause, TimeoutError) or isinstance(error, urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, urllib3.exceptions.EmptyPoolError):
        return "no answer in time: all connections are taken"
    return str(error) if type(error) is ValueError else type(error).__name__


def _left_s(deadline: float) -> float:
    left_s = deadline - monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _pool(parts: urllib3.util.Url, tls: Tls) -> urllib3.HTTPConnectionPool:
    host = (parts.host or "").strip("[]")
    if parts.scheme == "http":
        pool = urllib3.HTTPConnectionPool(host, parts.port or 80, maxsize=WIDTH, block=True)
        pool.ConnectionCls = _Connection
        return pool
    secure = urllib3.HTTPSConnectionPool(
        host,
        parts.port or 443,
        maxsize=WIDTH,
        block=True,
        cert_reqs="CERT_REQUIRED" if tls.verify else "CERT_NONE",
        ca_certs=tls.ca_file,
        cert_file=tls.cert_file,
        key_file=tls.key_file,
        assert_hostname=None if tls.verify else False,
    )
    secure.ConnectionCls = _SecureConnection
    return secure


class _Source(io.RawIOBase):
    """A connection that is read until a moment and no longer. The timeout that urllib3 has set when
    the answer is waited for is what is left of the whole exchange."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # It keeps the socket open when http.client closes its own side before the body is read.
        self._raw = sock.makefile("rb", buffering=0)
        left_s = sock.gettimeout()
        self._deadline = monotonic() + (left_s if left_s is not None else 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left_s(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        source: Any = _Source(sock)
        super().__init__(source, *args, **kwargs)


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        super().connect()
        # Else urllib3 warns of every call; the client has warned once, when it was made.
        self.is_verified = True
