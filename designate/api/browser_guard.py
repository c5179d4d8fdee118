"""Protects an API without authentication from web pages that the same person has open.

A page may resolve its own name to this machine (DNS rebinding), or send requests that browsers send
without asking. So the Host must be a name of this service, and requests of other sites are refused. (The
resources accept bodies only with content types that such requests cannot have.)
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from oslo_config import cfg
from oslo_context.context import generate_request_id
from webob import Request

from designate import errors
from designate.api.environ_keys import REQUEST_ID
from designate.api.error_responses import error_response
from designate.runtime.wsgi import WsgiApp

GROUP = "service:api"
OPTS = [
    cfg.ListOpt(
        "allowed_hosts",
        default=[],
        help="Names under which clients reach an API with auth_strategy = noauth, besides localhost and "
        "the addresses that it listens on; requests with another Host are refused. No effect with "
        "Keystone.",
    ),
]

WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104 - not a bind


class BrowserGuard:
    """The layer that refuses what a web page of another site may send."""

    def __init__(self, conf: cfg.ConfigOpts, app: WsgiApp, allowed_origins: Iterable[str]) -> None:
        """Create the layer; requests of the allowed origins pass ([cors] allowed_origin)."""
        self._app = app
        group = conf[GROUP]
        listening = {_host(listen) for listen in group.listen}
        self._any_address = not listening.isdisjoint(WILDCARDS)
        self._hosts = {"localhost", *(name.lower() for name in group.allowed_hosts), *listening}
        self._origins = set(allowed_origins)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass the request on, or refuse it."""
        request = Request(environ)
        try:
            self._check(request)
        except errors.DesignateError as error:
            # The layer that gives requests their ids is further in.
            request_id = environ[REQUEST_ID] = generate_request_id()
            response = error_response(error, request_id)
            response.headers["X-Openstack-Request-Id"] = request_id
            return response(environ, start_response)  # type: ignore[no-any-return]  # webob is untyped
        return self._app(environ, start_response)

    def _check(self, request: Request) -> None:
        if not self._is_own(_host(request.host)):
            raise errors.Forbidden(
                f"The Host {request.host[:100]!r} is not a name of this service; "
                f"add it to [{GROUP}] allowed_hosts"
            )
        origin = request.headers.get("Origin")
        if origin in self._origins:
            return
        foreign = request.headers.get("Sec-Fetch-Site") == "cross-site"
        if foreign or (origin is not None and not self._is_own(_host_of_url(origin))):
            raise errors.Forbidden(
                "Requests of other web sites are refused; allow them by [cors] allowed_origin"
            )

    def _is_own(self, host: str) -> bool:
        if host.lower() in self._hosts:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return address.is_loopback or self._any_address


def _host(text: str) -> str:
    """Return the host of host:port, where the port may be missing."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        host = text
    return host.strip("[]").lower()


def _host_of_url(text: str) -> str:
    """Return the host of a URL, or "" if it is none."""
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""
