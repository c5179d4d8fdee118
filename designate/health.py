"""An optional HTTP listener in each daemon: /healthcheck for probes, /metrics for Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from oslo_config import cfg

from designate import errors
from designate.runtime.wsgi import WsgiApp, with_retry_after

LOG = logging.getLogger(__name__)

GROUP = "monitoring"
OPTS = [
    cfg.StrOpt(
        "listen",
        help="host:port on which a daemon serves /healthcheck and /metrics. Unset: not served. "
        "Where the port is in use, by another daemon of this host or by another worker process, the "
        "next free one of the 31 ports that follow is used.",
    ),
]

PORTS = 32
THREADS = 2
# Returns what is wrong with a part of the process, or None.
Check = Callable[[], str | None]


class MonitoringServer:
    """Serves the results of the checks and the metrics; does nothing without a configured address."""

    def __init__(self, conf: cfg.ConfigOpts, checks: Mapping[str, Check]) -> None:
        self._listen: str | None = conf[GROUP].listen
        self._checks = checks
        self._server: Any = None

    def start(self) -> None:
        """Serve on the first free port. Raises OSError when none is free."""
        if not self._listen:
            return
        from designate.http.factory import http_server

        host, _, first = self._listen.rpartition(":")
        app = application(self._checks)
        for port in range(int(first), int(first) + PORTS):
            server = http_server(app, host.strip("[]"), port, THREADS, option="[monitoring] listen")
            try:
                server.start()
            except OSError as error:
                if port == int(first) + PORTS - 1:
                    raise
                LOG.debug("monitoring: port %d is in use: %s", port, error)
                continue
            self._server = server
            return

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.stop()

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port, or None while it does not serve."""
        return None if self._server is None else self._server.address


def application(checks: Mapping[str, Check]) -> WsgiApp:
    """Return the application: /healthcheck gives 200, or 503 with a line per fault; /metrics."""
    from prometheus_client import make_wsgi_app

    metrics = make_wsgi_app()

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            response: Iterable[bytes] = metrics(environ, start_response)
            return response
        if path != "/healthcheck":
            return _text(start_response, "404 Not Found", "not found\n")
        faults = [f"{name}: {fault}" for name, fault in _faults(checks)]
        if faults:
            return _text(start_response, "503 Service Unavailable", "\n".join(faults) + "\n")
        return _text(start_response, "200 OK", "OK")

    return with_retry_after(serve)


def _faults(checks: Mapping[str, Check]) -> Iterable[tuple[str, str]]:
    for name, check in checks.items():
        try:
            fault = check()
        except errors.DesignateError as error:
            fault = error.message or error.type
        if fault:
            yield name, fault


def _text(start_response: Any, status: str, text: str) -> Iterable[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
