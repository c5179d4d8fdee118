"""The HTTP application: the declared resources behind pecan, and the layers around them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import pecan
from oslo_config import cfg
from webob import Request, Response

from designate import errors
from designate.api import middleware
from designate.api.resource import Call, Handler, Route, answer, canonical_id
from designate.api.resources import limits, recordsets, zones
from designate.context import Context
from designate.rpc.clients import CentralClient

LOG = logging.getLogger(__name__)

GROUP = "service:api"
OPTS = [
    cfg.BoolOpt(
        "enable_host_header", default=True, help="Make links from the Host header of the request."
    ),
    cfg.StrOpt(
        "api_base_uri",
        default="http://127.0.0.1:9001/",
        help="What links start with when enable_host_header is off.",
    ),
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        choices=["keystone", "noauth"],
        help="Who is believed about who asks: keystone, or (noauth) the caller itself.",
    ),
    cfg.BoolOpt("enable_api_v2", default=True, help="Serve /v2."),
    cfg.IntOpt("default_limit_v2", default=20, min=1, help="Items on a page that asks for none."),
    cfg.IntOpt("max_limit_v2", default=1000, min=1, help="What limit=max stands for."),
    cfg.BoolOpt(
        "maintenance_mode",
        default=False,
        help="Answer 503 to everybody without the role of maintenance_mode_role.",
    ),
    cfg.StrOpt(
        "maintenance_mode_role", default="admin", help="Role that maintenance lets through."
    ),
    cfg.IntOpt(
        "max_request_body_size",
        default=114688,
        min=1024,
        help="Largest request body in bytes; larger ones get a 413.",
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
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


def build(conf: cfg.ConfigOpts, central: CentralClient) -> WsgiApp:
    """The whole application. Raises ConfigurationError for settings that cannot work."""
    routes = [*zones.routes(), *recordsets.routes(), *limits.routes()]
    return middleware.wrapped(conf, _pecan(conf, central, routes), _versions(conf))


class _Request(pecan.core.Request):
    """Keeps pecan from parsing bodies and from making arguments of parameters: bodies are parsed
    once, with limits, where they are used."""

    @property
    def json(self) -> Any:
        raise ValueError("bodies are parsed by designate.api.body")

    @property
    def params(self) -> Any:
        return self.GET


class _Root:
    """Pecan's root: asks the table of routes, whatever the path."""

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient, routes: list[Route]) -> None:
        self._conf = conf
        self._central = central
        self._routes = routes

    @pecan.expose()
    def _route(self, args: list[str], request: Request) -> tuple[Any, list[str]]:
        return self.serve, []

    @pecan.expose(content_type="application/json")
    def serve(self, request: Request, response: Response, **_parameters: Any) -> Response:
        segments = [segment for segment in request.path_info.split("/") if segment]
        handler, ids = self._match(request.method, segments)
        context: Context = request.environ[middleware.CONTEXT]
        return handler(Call(request, context, self._central, self._conf, ids))

    def _match(self, method: str, segments: list[str]) -> tuple[Handler, tuple[str, ...]]:
        """The handler and the ids of the path. NotFound: no such path; MethodNotAllowed: the path
        is known, or it goes on behind one that is and only reads could mean that."""
        for known in self._routes:
            if len(known.path) != len(segments):
                continue
            pairs = list(zip(known.path, segments, strict=True))
            if any(want != got for want, got in pairs if not want.startswith("{")):
                continue
            if self._is_task(segments):
                continue
            handler = known.handlers.get(method)
            if handler is None:
                raise errors.MethodNotAllowed
            ids = tuple(
                canonical_id(want[1:-1], got) for want, got in pairs if want.startswith("{")
            )
            return handler, ids
        singletons = {("limits",)} | {
            known.path
            for known in self._routes
            if len(known.path) == 3 and known.path[-1] == "nameservers"
        }
        if any(self._below(known, segments) for known in singletons):
            raise errors.MethodNotAllowed
        if (
            method == "POST"
            and len(segments) == 3
            and segments[0] == "zones"
            and segments[1] != "tasks"
        ):
            raise errors.MethodNotAllowed
        raise errors.NotFound

    @staticmethod
    def _is_task(segments: list[str]) -> bool:
        """Words that stand where an id would: collections that need their parent's id."""
        return len(segments) == 2 and segments[0] == "zones" and segments[1] in (
            "recordsets", "nameservers", "tasks",
        )  # fmt: skip

    @staticmethod
    def _below(known: tuple[str, ...], segments: list[str]) -> bool:
        return len(segments) == len(known) + 1 and all(
            want == got or want.startswith("{") for want, got in zip(known, segments, strict=False)
        )


def _pecan(conf: cfg.ConfigOpts, central: CentralClient, routes: list[Route]) -> WsgiApp:
    app: WsgiApp = pecan.make_app(
        _Root(conf, central, routes),
        request_cls=_Request,
        use_context_locals=False,
        force_canonical=False,
        guess_content_type_from_ext=False,
        debug=False,
    )
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
        return answer({"versions": versions})(environ, start_response)  # type: ignore[no-any-return]  # as above

    return show
