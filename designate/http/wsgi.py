"""WSGI (PEP 3333): runs an application for the requests of the event loop, in threads."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any

from designate.http.exchange import ClientGone, Exchange
from designate.http.requests import Request
from designate.runtime.wsgi import WsgiApp

LOG = logging.getLogger(__name__)

FAILED = ("500 Internal Server Error", [("Content-Type", "text/plain"), ("Content-Length", "0")])


def environ_of(request: Request, addresses: tuple[Any, Any], scheme: str) -> dict[str, Any]:
    """Return the WSGI environment of a request.

    Headers with an underscore in their names are left out: they would look like those with a hyphen.
    """
    own, client = addresses
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method.decode("latin-1"),
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.decode("latin-1"),
        "QUERY_STRING": request.query.decode("latin-1"),
        "REQUEST_URI": request.target.decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{request.version}",
        "SERVER_NAME": str(own[0]) if own else "",
        "SERVER_PORT": str(own[1]) if own else "",
        "REMOTE_ADDR": str(client[0]) if client else "",
        "REMOTE_PORT": str(client[1]) if client else "",
        "CONTENT_LENGTH": str(request.body_bytes),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": request.body or io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        if b"_" in name or name in (b"content-length", b"transfer-encoding"):
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        if key != "CONTENT_TYPE":
            key = "HTTP_" + key
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    if request.authority:
        environ["HTTP_HOST"] = request.authority.decode("latin-1")
    return environ


def run(app: WsgiApp, exchange: Exchange, scheme: str) -> None:
    """Run the application for one request and send its response. Raises nothing."""
    if exchange.gone:
        return
    body: Iterable[bytes] = ()
    try:
        environ = environ_of(exchange.request, exchange.addresses, scheme)
        try:
            body = app(environ, _Starter(exchange))
            _send(body, exchange)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
            if exchange.request.body is not None:
                exchange.request.body.close()
    except ClientGone:
        LOG.debug("HTTP: the client was gone before its response")
        exchange.abort()
    except Exception:
        LOG.exception("HTTP: the application failed")
        if exchange.sent:
            exchange.abort()
        else:
            exchange.start(*FAILED)
            exchange.finish()


def _send(body: Iterable[bytes], exchange: Exchange) -> None:
    """Send the parts; one that has no successor is sent with the end."""
    if isinstance(body, list | tuple):
        exchange.finish(b"".join(body))
        return
    last: bytes | None = None
    for part in body:
        if last:
            exchange.write(last)
        last = part
    exchange.finish(last or b"")


class _Starter:
    """The callable start_response of one request."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if exc_info is not None and self._exchange.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        self._exchange.start(status, headers)
        return self._exchange.write
