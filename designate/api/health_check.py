"""The health check: whether this process serves; with ?full also whether a central and a worker live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from oslo_middleware import healthcheck
from webob import Request, Response

from designate.api.responses import json_response
from designate.rpc.liveness import LiveServices
from designate.runtime.wsgi import WsgiApp, has_parameter

SETTINGS = {
    "backends": "disable_by_file",
    "disable_by_file_path": "/etc/designate/healthcheck_disable",
}


class HealthCheck:
    """The application at /healthcheck. Without ?full it needs neither RPC nor the database."""

    def __init__(self, live: LiveServices) -> None:
        self._live = live
        self._own: WsgiApp = healthcheck.Healthcheck.app_factory(SETTINGS)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve the request."""
        if not has_parameter(environ, "full"):
            return self._own(environ, start_response)
        request = Request(environ)
        response: Response = request.get_response(self._own)
        if response.status_int == 200:
            response = self._full(request)
        body: Iterable[bytes] = response(environ, start_response)
        return body

    def _full(self, request: Request) -> Response:
        found = self._live.check()
        lines = ["OK", *found.lines] if found.healthy else list(found.lines)
        offers = request.accept.acceptable_offers(["text/plain", "application/json"])
        if offers and offers[0][0] == "application/json":
            response = json_response({"detailed": True, "reasons": lines})
        else:
            response = Response(text="\n".join(lines) + "\n", content_type="text/plain")
        if not found.healthy:
            response.status_int = 503
            response.headers["Retry-After"] = "5"
        return response
