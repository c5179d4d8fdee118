"""The HTTP application: the declared resources in pecan, and the layers around them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import pecan.core
from oslo_config import cfg
from stevedore import extension
from webob import Request, Response
from webob.acceptparse import create_accept_header
from webob.exc import HTTPNotAcceptable

from designate.api import environ_keys, middleware, openapi
from designate.api.health_check import HealthCheck
from designate.api.operation import ApiCall
from designate.api.page_cache import PageCache
from designate.api.resources import (
    blacklists,
    exports,
    floatingips,
    imports,
    limits,
    nameservers,
    pools,
    quotas,
    recordsets,
    services,
    shares,
    tlds,
    transfers,
    tsigkeys,
    zones,
)
from designate.api.responses import json_response
from designate.api.routing import Route, RouteTable
from designate.context import Context
from designate.rpc.clients import CentralClient
from designate.rpc.liveness import LiveServices
from designate.runtime.wsgi import WsgiApp

LOG = logging.getLogger(__name__)

GROUP = "service:api"
OPTS = [
    cfg.BoolOpt(
        "enable_host_header",
        default=True,
        help="Make links from the Host header of the request; otherwise from api_base_uri.",
    ),
    cfg.StrOpt(
        "api_base_uri",
        default="http://127.0.0.1:9001/",
        help="URL that links start with if enable_host_header is off.",
    ),
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=["keystone", "noauth"],
        help="How callers are authenticated: by keystone, or (noauth) not at all: the identity in the "
        "request's headers is trusted.",
    ),
    cfg.IntOpt(
        "keystone_timeout",
        default=30,
        min=1,
        help="Seconds that the check of one token may take, with all requests to Keystone and their "
        "repetitions. Then the client gets a 503. Lower than the timeout of the clients.",
    ),
    cfg.BoolOpt("enable_api_v2", default=True, help="Serve /v2."),
    cfg.BoolOpt("enable_api_admin", default=False, help="Serve /admin."),
    cfg.ListOpt(
        "enabled_extensions_v2",
        default=[],
        help="Plug-ins in designate.api.v2.extensions whose resources are added to /v2.",
    ),
    cfg.ListOpt(
        "enabled_extensions_admin",
        default=[],
        help="Plug-ins in designate.api.admin.extensions whose resources are served at /admin.",
    ),
    cfg.BoolOpt(
        "quotas_verify_project_id",
        default=False,
        help="Check with Keystone that a project exists before its quotas are changed.",
    ),
    cfg.BoolOpt(
        "maintenance_mode",
        default=False,
        help="Reject requests with 503, except those of callers who have maintenance_mode_role.",
    ),
    cfg.StrOpt(
        "maintenance_mode_role",
        default="admin",
        help="Role that may send requests during maintenance.",
    ),
    cfg.IntOpt(
        "max_request_body_size",
        default=114688,
        min=1024,
        help="Maximum size of a request body in bytes; larger ones are rejected with 413.",
    ),
    cfg.IntOpt(
        "max_import_body_size",
        default=32 * 2**20,
        min=1024,
        help="Maximum size of an imported zone file in bytes; larger ones are rejected with 413.",
    ),
]

VERSIONS = (
    ("v2", "2022-06-29"),
    ("v2.0", "2022-06-29"),
    ("v2.1", "2023-01-25"),
    ("v2.2", "2025-08-25"),
    ("v2.3", "2026-04-06"),
    ("v2.4", "2026-04-13"),
)
ANYTHING = "*/*"
API_INFO = openapi.ApiInfo("DNS service", VERSIONS[-1][0].removeprefix("v"), "/v2")
ADMIN_API_INFO = openapi.ApiInfo("DNS service, for administrators", API_INFO.version, "/admin")


RESOURCES = (
    zones,
    nameservers,
    recordsets,
    imports,
    exports,
    floatingips,
    shares,
    transfers,
    tlds,
    blacklists,
    tsigkeys,
    services,
    pools,
    quotas,
    limits,
)


def build(conf: cfg.ConfigOpts, central: CentralClient) -> WsgiApp:
    """Return the whole application.

    Raises:
        ConfigurationError: The settings of authentication or of plug-ins cannot work.
    """
    api = conf[GROUP]
    apis = {}
    if api.enable_api_v2:
        routes = resources() + _extensions("designate.api.v2.extensions", api.enabled_extensions_v2)
        apis["v2"] = _pecan(conf, central, [*routes, openapi.document_route(routes, API_INFO)])
    if api.enable_api_admin:
        routes = _extensions("designate.api.admin.extensions", api.enabled_extensions_admin)
        apis["admin"] = _pecan(
            conf, central, [*routes, openapi.document_route(routes, ADMIN_API_INFO)]
        )
    health = HealthCheck(LiveServices(central.services))
    return middleware.with_middleware(conf, apis, _versions(conf), health)


def resources() -> list[Route]:
    """Return the routes of /v2 without those of plug-ins."""
    return [found for module in RESOURCES for found in module.routes()]


def admin_resources() -> list[Route]:
    """Return the routes of /admin with all extensions of this package enabled."""
    return _extensions("designate.api.admin.extensions", ["quotas", "reports", "zones"])


def _extensions(namespace: str, names: list[str]) -> list[Route]:
    """Return the routes of plug-ins, which are functions that return routes.

    An unknown name is not an error: old configurations name plug-ins that are part of the API today.
    """
    manager = extension.ExtensionManager(namespace, invoke_on_load=False)
    found = {plugin.name: plugin.plugin for plugin in manager}
    routes: list[Route] = []
    for name in names:
        if name in found:
            routes += found[name]()
        else:
            LOG.info("plug-in %s: not found in %s, ignored", name, namespace)
    return routes


class _Root:
    """Pecan's root, which finds the operation of any path in the table of routes."""

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient, routes: list[Route]) -> None:
        self._conf = conf
        self._pages = PageCache()
        self._central = central
        self._table = RouteTable(routes)

    def content_type(self, request: Request) -> str:
        """Return the content type of the path's responses."""
        return self._table.content_type(_segments(request))

    def serve(self, request: Request) -> Response:
        """Run the operation of the request."""
        segments = _segments(request)
        operation, ids = self._table.find(request.method, segments)
        names = ["{id}" if segment in ids else segment for segment in segments]
        request.environ[environ_keys.ROUTE] = "/" + "/".join(names)
        context: Context = request.environ[environ_keys.CONTEXT]
        if context.has_privileged_flag:
            self._central.access.check(context)
        return operation(ApiCall(request, context, self._central, self._conf, ids, self._pages))


class _Pecan(pecan.core.ExplicitPecan):
    """Pecan without its lookup of controllers and without the arguments made from parameters and bodies.

    The table has the routes, and bodies are parsed once, with limits, where they are used. Pecan's lookup
    took a quarter of a request's time.
    """

    def find_controller(self, state: Any) -> tuple[Callable[..., Any], list[Any], dict[str, Any]]:
        _check_acceptable(state.request, self.root.content_type(state.request))
        return self.root.serve, [state.request], {}

    def invoke_controller(
        self, controller: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], state: Any
    ) -> None:
        state.response = controller(*args, **kwargs)


def _check_acceptable(request: Request, content_type: str) -> None:
    """Raise HTTPNotAcceptable if the client accepts only other content types."""
    accepted = request.headers.get("Accept", ANYTHING) or ANYTHING
    if accepted in (ANYTHING, content_type) or accepted.startswith(content_type):
        return
    if not create_accept_header(accepted).acceptable_offers([content_type]):
        raise HTTPNotAcceptable


def _segments(request: Request) -> list[str]:
    return [segment for segment in request.path_info.split("/") if segment]


def _pecan(conf: cfg.ConfigOpts, central: CentralClient, routes: list[Route]) -> WsgiApp:
    app: WsgiApp = _Pecan(_Root(conf, central, routes))
    return app


def _versions(conf: cfg.ConfigOpts) -> WsgiApp:
    def show(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        api = conf[GROUP]
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            return Response(status=405)(environ, start_response)  # type: ignore[no-any-return]  # webob is untyped
        base = (
            request.host_url + request.script_name
            if api.enable_host_header
            else str(api.api_base_uri).rstrip("/")
        )
        links = [
            {"rel": "self", "href": f"{base}/v2"},
            {"rel": "help", "href": "https://docs.openstack.org/api-ref/dns"},
        ]
        newest = VERSIONS[-1][0]
        versions = [
            {
                "id": name,
                "status": "CURRENT" if name == newest else "SUPPORTED",
                "updated": f"{day}T00:00:00Z",
                "links": links,
            }
            for name, day in VERSIONS
        ]
        return json_response({"versions": versions})(environ, start_response)  # type: ignore[no-any-return]  # as above

    return show
