"""An HTTP client for control APIs: pooled connections, one deadline per exchange, masked secrets.

It uses urllib3 for its bounded pool and adds a deadline for the whole exchange: urllib3's timeouts
apply to each wait, so a server that sends a byte now and then would never time out. Over 300 lines,
since the deadline and the masking of secrets concern every part of an exchange.
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
MAX_RESPONSE_BYTES = 8 * 1024 * 1024
MAX_QUOTED_CHARS = 200
# The server, or a proxy before it, is unavailable for now.
TEMPORARY = (429, 502, 503, 504)

Signing = Callable[[str, str, bytes | None], dict[str, str]]
"""Makes the authentication headers from the method, the whole URL and the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """A response of any status; redirections are not followed, `location` is their target."""

    status: int
    body: bytes
    retry_after: str | None = None
    location: str | None = None

    @property
    def good(self) -> bool:
        """Whether the status is a success (2xx)."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the decoded body, or None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def member(self, *names: str) -> Any:
        """Return a nested member of the body by its path of names, or None where there is none."""
        found = self.json()
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """The TLS settings of a client.

    Attributes:
        verify: whether the server's certificate is verified.
        ca_file: the trusted authorities; None uses the system's.
        cert_file: the client's certificate.
        key_file: the private key of cert_file.
    """

    verify: bool = True
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


class WebClient:
    """A client of one server, with a pool of at most WIDTH connections. Thread-safe.

    There is no I/O before the first call. A call that finds no free connection waits until its
    deadline.
    """

    def __init__(
        self,
        label: str,
        url: str,
        *,
        timeout_s: float,
        headers: dict[str, str] | None = None,
        tls: ClientTls | None = None,
        secrets: tuple[str | None, ...] = (),
        sign: Signing | None = None,
    ) -> None:
        """Make a client.

        Args:
            label: the beginning of every error text.
            url: scheme, host and port of the server.
            timeout_s: the default deadline of a call.
            headers: sent with every request.
            tls: the settings for https.
            secrets: strings to mask in error texts.
            sign: makes authentication headers for each request.

        Raises:
            ConfigurationError: the URL is not one of http or https.
        """
        parts = urllib3.util.parse_url(url)
        if parts.scheme not in ("http", "https") or not parts.host:
            raise errors.ConfigurationError(f"{label}: {url!r} is not an http or https URL")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.label = f"{label} {self.origin}"
        self._timeout_s = timeout_s
        self._sign = sign
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._secrets = tuple(sorted(filter(None, secrets), key=len, reverse=True))
        tls = tls or ClientTls()
        self._files = tuple(filter(None, (tls.ca_file, tls.cert_file, tls.key_file)))
        self._pool = _pool(parts, tls)
        if parts.scheme == "https" and not tls.verify:
            LOG.warning("%s: the certificate of the server is not verified", self.label)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        timeout_s: float | None = None,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> HttpResponse:
        """Send a request with a JSON body and return the response, whatever its status.

        A request on a pooled connection that the server had just closed is sent once more, since all
        calls of backends are idempotent.

        Args:
            method: the HTTP method.
            path: the encoded path with its query.
            body: encoded as JSON; None sends none.
            headers: in addition to those of the client.
            timeout_s: the deadline of this call.
            max_bytes: bound of the response's size.

        Raises:
            BackendUnavailable: no response came in time.
            BackendError: TLS failed, or the response cannot be read.
        """
        data = None if body is None else json.dumps(body).encode()
        sent = {**self._headers, **(headers or {})}
        if data is not None:
            sent["Content-Type"] = "application/json"
        deadline = monotonic() + (self._timeout_s if timeout_s is None else timeout_s)
        try:
            try:
                return self._exchange(method, path, data, sent, deadline, max_bytes)
            except ProtocolError:
                return self._exchange(method, path, data, sent, deadline, max_bytes)
        except TimeoutError:
            raise self.unavailable("no response in time") from None
        except (SSLError, ValueError) as error:
            raise self.error(_reason(error, self._files)) from None
        except (HTTPError, OSError) as error:
            raise self.unavailable(_reason(error, self._files)) from None

    def _exchange(
        self,
        method: str,
        path: str,
        data: bytes | None,
        headers: dict[str, str],
        deadline: float,
        max_bytes: int,
    ) -> HttpResponse:
        remaining_s = _remaining_s(deadline)
        if self._sign is not None:
            headers = {**headers, **self._sign(method, self.origin + path, data)}
        response = self._pool.urlopen(
            method,
            path,
            body=data,
            headers=headers,
            timeout=urllib3.Timeout(total=remaining_s),
            pool_timeout=remaining_s,  # type: ignore[arg-type] # It goes to Queue.get, which takes floats.
            retries=False,
            redirect=False,  # The credentials are for this server only.
            preload_content=False,
        )
        try:
            body = response.read(max_bytes + 1, decode_content=True)
            if len(body) > max_bytes:
                response.close()
                raise ValueError("the response is too large")
        finally:
            response.release_conn()
        return HttpResponse(
            status=response.status,
            body=body,
            retry_after=response.headers.get("Retry-After"),
            location=response.headers.get("Location"),
        )

    def error(self, reason: str) -> errors.BackendError:
        """Return an error to raise; secrets are masked, since servers quote what they were sent."""
        return errors.BackendError(self._masked(reason))

    def unavailable(self, reason: str) -> errors.BackendUnavailable:
        """Return the error to raise when the server does not respond or is unavailable for now."""
        return errors.BackendUnavailable(self._masked(reason))

    def _masked(self, reason: str) -> str:
        for secret in self._secrets:
            reason = reason.replace(secret, "***")
        return f"{self.label}: {reason}"

    def refused(self, doing: str, response: HttpResponse, *detail: str) -> errors.BackendError:
        """Return the error for a response that is not a success.

        Args:
            doing: the failed operation.
            response: its response.
            detail: path of the member of the body that has the reason.
        """
        quoted = response.member(*detail) if detail else None
        reason = f"{doing} failed with HTTP status {response.status}"
        if response.status in (401, 403):
            reason += ": check the credentials"
        elif response.status == 429:
            reason += f": too many requests, retry after {response.retry_after or 'some'} s"
        if quoted:
            reason += f" ({str(quoted)[:MAX_QUOTED_CHARS]})"
        return self.unavailable(reason) if response.status in TEMPORARY else self.error(reason)


def basic(username: str, password: str) -> dict[str, str]:
    """Return the header of HTTP basic authentication (RFC 7617)."""
    credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


def _reason(error: Exception, files: tuple[str, ...]) -> str:
    """Return the reason of an error; only the class where the text may quote the request."""
    if isinstance(error, SSLError):
        return f"TLS failed: {error}" + (f" (with {', '.join(files)})" if files else "")
    cause: BaseException = error
    while not isinstance(cause, OSError) and (cause.__cause__ or cause.__context__):
        cause = cause.__cause__ or cause.__context__ or cause
    if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, TimeoutError):
        return (
            f"{cause.filename}: {cause.strerror}" if cause.filename else errors.os_error_text(cause)
        )
    if isinstance(cause, TimeoutError) or isinstance(error, urllib3.exceptions.TimeoutError):
        return "no response in time"
    if isinstance(error, urllib3.exceptions.EmptyPoolError):
        return "no response in time: all connections are in use"
    return str(error) if type(error) is ValueError else type(error).__name__


def _remaining_s(deadline: float) -> float:
    remaining_s = deadline - monotonic()
    if remaining_s <= 0:
        raise TimeoutError
    return remaining_s


def _pool(parts: urllib3.util.Url, tls: ClientTls) -> urllib3.HTTPConnectionPool:
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
    """The input of a connection with a deadline for everything that is read from it.

    The timeout that urllib3 has set when the response begins is the remainder of the whole exchange.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # Keeps the socket open when http.client closes its own reference before the body is read.
        self._raw = sock.makefile("rb", buffering=0)
        remaining_s = sock.gettimeout()
        self._deadline = monotonic() + (remaining_s if remaining_s is not None else 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_remaining_s(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()

    def makefile(self, _mode: str) -> io.BufferedReader:
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
        # Otherwise urllib3 warns at every call; the client has warned once, when it was made.
        self.is_verified = True
