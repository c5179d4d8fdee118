"""A small HTTP listener in each daemon, by option: /healthcheck for probes, /metrics for Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from oslo_config import cfg

from designate import errors

LOG = logging.getLogger(__name__)

GROUP = "monitoring"
OPTS = [
    cfg.StrOpt(
        "listen",
        help="host:port on which a daemon serves /healthcheck and /metrics. Unset: it does not. "
        "Where it is taken, by another daemon of this host or by another worker process, the next "
        "free one of the 31 ports that follow is.",
    ),
]

PORTS = 32
THREADS = 2
# What is wrong with a part of the process; None: nothing.
Check = Callable[[], str | None]
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Listener:
    """Serves what the checks find. Does nothing where no address is configured."""

    def __init__(self, conf: cfg.ConfigOpts, checks: Mapping[str, Check]) -> None:
        self._listen: str | None = conf[GROUP].listen
        self._checks = checks
        self._server: Any = None

    def start(self) -> None:
        """Raises OSError when none of the ports is free."""
        if not self._listen:
            return
        from designate.api.server import HttpServer

        host, _, first = self._listen.rpartition(":")
        app = application(self._checks)
        for port in range(int(first), int(first) + PORTS):
            server = HttpServer(app, host.strip("[]"), port, THREADS)
            try:
                server.start()
            except OSError as error:
                if port == int(first) + PORTS - 1:
                    raise
                LOG.debug("port %d is taken: %s", port, error)
                continue
            self._server = server
            return

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()

    @property
    def address(self) -> tuple[str, int] | None:
        return None if self._server is None else self._server.address


def application(checks: Mapping[str, Check]) -> WsgiApp:
    """/healthcheck: 200 OK, or 503 and a line for each part that is not well. /metrics."""
    from prometheus_client import make_wsgi_app

    metrics = make_wsgi_app()

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            found: Iterable[bytes] = metrics(environ, start_response)
            return found
        if path != "/healthcheck":
            return _text(start_response, "404 Not Found", "not found\n")
        faults = [f"{name}: {fault}" for name, fault in _found(checks)]
        if faults:
            return _text(start_response, "503 Service Unavailable", "\n".join(faults) + "\n")
        return _text(start_response, "200 OK", "OK")

    return serve


def _found(checks: Mapping[str, Check]) -> Iterable[tuple[str, str]]:
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
