"""The layers around the resources: request ids, error bodies, size limits and the caller's context."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from oslo_config import cfg
from oslo_context.context import generate_request_id
from oslo_middleware import cors, http_proxy_to_wsgi
from oslo_middleware.request_id import ID_FORMAT
from webob import Request, Response
from webob import exc as webob_errors

from designate import errors, metrics
from designate.api import headers as request_headers
from designate.api import rate_limit as rate_limits
from designate.api.browser_guard import BrowserGuard
from designate.api.environ_keys import CONTEXT, REQUEST_ID, ROUTE, parse_roles
from designate.api.error_responses import error_response
from designate.context import Context
from designate.runtime.wsgi import WsgiApp, with_retry_after

if TYPE_CHECKING:
    from designate.api.project_rate import ProjectRateLimit

LOG = logging.getLogger(__name__)
ACCESS = logging.getLogger("designate.api.access")

IMPORTS = "/zones/tasks/imports"
KNOWN_APIS = ("v2", "admin")
MAX_PROJECT_ID = 36
# Of a path in the access log; other characters are percent-encoded, so that it is one word.
PATH_CHARACTERS = "/:@!$&'()*+,;=~"
GLOBAL_REQUEST_ID = re.compile(ID_FORMAT)
# What browsers of allowed origins may send.
ALLOWED_HEADERS = [
    "X-Auth-Token",
    *(parameter.name for parameter in request_headers.SUDO),
    *(flag.header for flag in request_headers.FLAGS),
]


def with_middleware(
    conf: cfg.ConfigOpts, apis: Mapping[str, WsgiApp], versions: WsgiApp, health: WsgiApp
) -> WsgiApp:
    """Return the APIs, each below the path segment of its name, with the layers around them.

    Errors become bodies outside of every layer that may raise them. Proxy headers and CORS are handled
    first, for links depend on the former, and preflight requests have no token.

    Args:
        conf: The configuration.
        apis: The applications by name.
        versions: The application that lists the versions.
        health: The application at /healthcheck.
    """
    inner = ApiSelector(apis)
    rate_limit = rate_limits.configured(conf)
    authenticated: WsgiApp
    if conf["service:api"].auth_strategy == "noauth":
        authenticated = ContextMiddleware(conf, inner, identity_from_headers, rate_limit)
    else:
        # Imported only if needed, for it imports a lot.
        from designate.api import keystone

        authenticated = keystone.with_authentication(
            conf, ContextMiddleware(conf, inner, keystone.identity_from_token, rate_limit)
        )
    app: WsgiApp = PathDispatcher(
        list(apis), RequestMiddleware(conf, authenticated), versions, health
    )
    conf.register_opts(http_proxy_to_wsgi.OPTS, group="oslo_middleware")
    if conf.oslo_middleware.enable_proxy_headers_parsing:
        app = http_proxy_to_wsgi.HTTPProxyToWSGI(app, conf)
    set_cors_defaults()
    conf.register_opts(cors.CORS_OPTS, group="cors")
    if conf["service:api"].auth_strategy == "noauth":
        app = BrowserGuard(conf, app, conf.cors.allowed_origin or ())
    if conf.cors.allowed_origin:
        app = cors.CORS(app, conf)
    return with_retry_after(app)


def set_cors_defaults() -> None:
    """Set this API's headers and methods as the defaults of [cors]."""
    cors.set_defaults(
        allow_headers=ALLOWED_HEADERS,
        expose_headers=["X-OpenStack-Request-ID", "Host"],
        allow_methods=["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"],
    )


class ApiSelector:
    """The innermost layer, which passes a request to its API."""

    def __init__(self, apis: Mapping[str, WsgiApp]) -> None:
        self._apis = apis

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass the request to the API that the path names."""
        name = environ["SCRIPT_NAME"].rpartition("/")[2]
        return self._apis[name](environ, start_response)


class PathDispatcher:
    """The layer that separates the APIs from the list of versions and the health check."""

    def __init__(
        self, names: Sequence[str], apis: WsgiApp, versions: WsgiApp, health: WsgiApp
    ) -> None:
        self._names = names
        self._apis = apis
        self._versions = versions
        self._health = health

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass the request to the application that its path belongs to."""
        path = environ.get("PATH_INFO", "").rstrip("/")
        if path == "":
            return self._versions(environ, start_response)
        if path == "/healthcheck":
            return self._health(environ, start_response)
        if path == "*":  # OPTIONS of the server as a whole
            return Response(status=204)(environ, start_response)  # type: ignore[no-any-return]  # webob is untyped
        name = path.removeprefix("/").partition("/")[0]
        if name in KNOWN_APIS:
            if name not in self._names:
                return Response(status=404, content_type=None)(environ, start_response)  # type: ignore[no-any-return]  # webob is untyped
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{name}"
            environ["PATH_INFO"] = path.removeprefix(f"/{name}") or "/"
            return self._apis(environ, start_response)
        return webob_errors.HTTPNotFound()(environ, start_response)  # type: ignore[no-any-return]  # webob is untyped


class RequestMiddleware:
    """The layer that adds request ids, limits bodies, renders errors and writes the access log."""

    def __init__(self, conf: cfg.ConfigOpts, app: WsgiApp) -> None:
        self._max_body_bytes = conf["service:api"].max_request_body_size
        self._max_import_bytes = conf["service:api"].max_import_body_size
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve the request; no exception leaves this layer."""
        started_s = monotonic()
        request = Request(environ)
        request_id = environ[REQUEST_ID] = generate_request_id()
        try:
            response = self._respond(request)
        except errors.DesignateError as error:
            response = error_response(error, request_id)
            metrics.ERRORS.labels(error.type).inc()
        except Exception:
            LOG.exception(
                "request %s: %s %r failed", request_id, request.method, environ["PATH_INFO"]
            )
            response = error_response(errors.DesignateError(), request_id)
        response.headers["X-Openstack-Request-Id"] = request_id
        took_s = monotonic() - started_s
        route = environ["SCRIPT_NAME"] + environ.get(ROUTE, "/other")
        code = str(response.status_int)
        metrics.API_SECONDS.labels(request.method, route, code).observe(took_s)
        ACCESS.info(
            "%s %s %d %.1f ms %d bytes %s",
            request.method,
            _encoded(environ["SCRIPT_NAME"] + environ["PATH_INFO"]),
            response.status_int,
            took_s * 1000,
            response.content_length or 0,
            request_id,
        )
        return response(environ, start_response)  # type: ignore[no-any-return]  # webob is untyped

    def _respond(self, request: Request) -> Response:
        try:
            query = unquote_to_bytes(request.query_string).decode("utf-8")
            request.path_info.encode("utf-8")
        except UnicodeError:
            raise errors.BadRequest("The URL is not UTF-8") from None
        if "\0" in query or "\0" in request.path_info:
            raise errors.BadRequest("The URL contains a null character")
        length = request.content_length or 0
        importing = request.path_info.rstrip("/") == IMPORTS
        max_bytes = self._max_import_bytes if importing else self._max_body_bytes
        if length > max_bytes:
            return Response(status=413, text="Request is too large.", content_type="text/plain")
        if length:
            # An announced body is read completely here, so that the inner layers have it; the server
            # times out one that never arrives.
            request.make_body_seekable()
        elif request.headers.get("Transfer-Encoding"):
            body = request.body_file.read(max_bytes + 1)
            if len(body) > max_bytes:
                return Response(status=413, text="Request is too large.", content_type="text/plain")
            request.body = body
        response: Response = request.get_response(self._app)
        error = request.environ.get("pecan.original_exception")
        if response.status_int == 404 and error is not None:
            raise errors.NotFound
        return response


def identity_from_headers(request: Request) -> dict[str, Any]:
    """Return the identity that the headers claim, unverified; only for loopback and tests."""
    headers = request.headers
    return {
        "user_id": headers.get("X-Auth-User-ID", "noauth-user"),
        "project_id": headers.get("X-Auth-Project-ID", "noauth-project") or None,
        "domain_id": headers.get("X-Domain-Id"),
        "system_scope": headers.get("OpenStack-System-Scope"),
        "roles": parse_roles(headers.get("X-Roles", "admin")),
    }


class ContextMiddleware:
    """The layer that adds the context of the caller to the request."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        app: WsgiApp,
        identify: Callable[[Request], dict[str, Any]],
        rate_limit: ProjectRateLimit | None,
    ) -> None:
        """Set up the layer.

        Args:
            conf: The configuration.
            app: The next layer.
            identify: Returns the caller's identity for a request.
            rate_limit: Counts requests by the caller's own project, not by the one that it acts as.
        """
        self._conf = conf
        self._app = app
        self._identify = identify
        self._rate_limit = rate_limit

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Add the context, and reject the request during maintenance or where there are too many."""
        request = Request(environ)
        identity = self._identify(request)
        if self._rate_limit is not None:
            self._rate_limit.check(identity["project_id"], identity["user_id"])
        context = context_of(request, **identity)
        api = self._conf["service:api"]
        if api.maintenance_mode and api.maintenance_mode_role not in context.roles:
            unavailable = Response(status=503, content_type=None, headers={"Retry-After": "60"})
            return unavailable(environ, start_response)  # type: ignore[no-any-return]  # webob is untyped
        environ[CONTEXT] = context
        return self._app(environ, start_response)


def context_of(request: Request, **identity: Any) -> Context:
    """Return the context of a request with its flags, which central permits or rejects.

    Raises:
        BadRequest: The project's id is too long.
    """
    context = Context(
        request_id=request.environ[REQUEST_ID],
        global_request_id=_global_request_id(request),
        **{flag.attribute: flag.is_set(request) for flag in request_headers.FLAGS},
        **identity,
    )
    sudo = request_headers.sudo_project(request)
    if len(sudo or context.project_id or "") > MAX_PROJECT_ID:
        raise errors.BadRequest("The project's id is too long")
    if sudo:
        context.sudo = True
        context.project_id = sudo
    context.update_store()  # for the log lines of this thread
    return context


def _global_request_id(request: Request) -> str | None:
    """Return the id that another service gave the request, if it has the form of one."""
    sent = request.headers.get("X-OpenStack-Request-ID", "")
    return sent if GLOBAL_REQUEST_ID.fullmatch(sent) else None


def _encoded(path: str) -> str:
    """Return a path of the environment percent-encoded."""
    return quote(path, PATH_CHARACTERS, "latin-1", "replace")
