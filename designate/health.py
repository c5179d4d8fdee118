"""An optional HTTP listener in each daemon: /healthcheck for probes, /metrics for Prometheus.

Each daemon has a port of its own by its name, which all its processes share: any of them serves a request,
and /metrics has the values of all.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oslo_config import cfg

from designate import errors, metrics
from designate.rpc.liveness import LiveServices
from designate.runtime.wsgi import WsgiApp, has_parameter, with_retry_after
from designate.version import VERSION

GROUP = "monitoring"
# In the order of their ports. designate-standalone serves on the first one.
DAEMONS = ("api", "central", "mdns", "producer", "sink", "worker")
OPTS = [
    cfg.StrOpt(
        "listen",
        help="host:port on which designate-api and designate-standalone serve /healthcheck and /metrics; "
        "designate-central serves them on the next port, then designate-mdns, -producer, -sink and "
        "-worker. Unset: a daemon serves them only where its own option names an address.",
    ),
    *(
        cfg.StrOpt(
            f"listen_{name}",
            help=f"host:port on which designate-{name} serves /healthcheck and /metrics. Unset: "
            + ("that of listen." if name == "api" else f"{number} above the port of listen."),
        )
        for number, name in enumerate(DAEMONS)
    ),
]

THREADS = 2
# Returns what is wrong with a part of the process, or None.
Check = Callable[[], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChecks:
    """The checks that make up the health of a process.

    Attributes:
        quick: by name, what this process knows of itself.
        slow: by name, what only /healthcheck?full asks.
        live: which services live, for /healthcheck?full.
    """

    quick: Mapping[str, Check]
    slow: Mapping[str, Check]
    live: LiveServices


def address_of(conf: cfg.ConfigOpts, daemon: str) -> tuple[str, int, str] | None:
    """Return host, port and the option that says so, or None if the daemon has no listener.

    Raises:
        ConfigurationError: The option is not host:port.
    """
    group = conf[GROUP]
    own = f"listen_{daemon}" if daemon in DAEMONS else "listen"
    option = own if group[own] else "listen"
    if not group[option]:
        return None
    host, _, port = group[option].rpartition(":")
    if not host or not port.isdecimal():
        raise errors.ConfigurationError(
            f"[{GROUP}] {option} = {group[option]}: give host and port, as 127.0.0.1:9110"
        )
    offset = DAEMONS.index(daemon) if option != own and int(port) else 0
    return host.strip("[]"), int(port) + offset, f"[{GROUP}] {option}"


def share_metrics(conf: cfg.ConfigOpts, daemon: str) -> None:
    """Let the processes of a daemon share their metrics; called in their parent before it forks them.

    Where the environment names a folder for them already (PROMETHEUS_MULTIPROC_DIR), they share that one.
    """
    if address_of(conf, daemon) is None or metrics.shared_registry() is not None:
        return
    folder, parent = tempfile.mkdtemp(prefix="designate-metrics-"), os.getpid()

    def remove() -> None:
        if os.getpid() == parent:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    metrics.share_between_processes(Path(folder))


class MonitoringServer:
    """Serves the results of the checks and the metrics; does nothing without a configured address."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        daemon: str,
        checks: HealthChecks,
        *,
        shared_port: bool = False,
    ) -> None:
        """Set up the server; it does not listen yet.

        Args:
            conf: the options.
            daemon: one of DAEMONS, or standalone.
            checks: of the process.
            shared_port: whether other processes of the daemon serve on the port.
        """
        self._address = address_of(conf, daemon)
        self._daemon = daemon
        self._shared_port = shared_port
        self._app = application(checks)
        self._server: Any = None

    def start(self) -> None:
        """Serve. Raises OSError when the port is in use."""
        if self._address is None:
            return
        from designate.http.factory import http_server

        host, port, option = self._address
        server = http_server(
            self._app, host, port, THREADS, shared_port=self._shared_port, option=option
        )
        server.start()
        self._server = server
        metrics.PROCESSES.labels(self._daemon, VERSION).set(1)

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.stop()

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port, or None while it does not serve."""
        return None if self._server is None else self._server.address


def application(checks: HealthChecks) -> WsgiApp:
    """Return the application of the listener.

    /healthcheck gives 200, or 503 with a line per fault, of what this process knows of itself;
    /healthcheck?full also asks the database, and central which services live. /metrics is for Prometheus.
    """

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return _metrics(environ, start_response)
        if path != "/healthcheck":
            return _text(start_response, "404 Not Found", "not found\n")
        full = has_parameter(environ, "full")
        lines = _faults({**checks.quick, **checks.slow} if full else checks.quick)
        healthy = not lines
        if full:
            found = checks.live.check()
            lines += found.lines
            healthy = healthy and found.healthy
        if not healthy:
            return _text(start_response, "503 Service Unavailable", "\n".join(lines) + "\n")
        return _text(start_response, "200 OK", "\n".join(["OK", *lines]))

    return with_retry_after(serve)


def _metrics(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    from prometheus_client import REGISTRY, make_wsgi_app

    app = make_wsgi_app(metrics.shared_registry() or REGISTRY)
    response: Iterable[bytes] = app(environ, start_response)
    return response


def _faults(checks: Mapping[str, Check]) -> list[str]:
    found = []
    for name, check in checks.items():
        try:
            fault = check()
        except errors.DesignateError as error:
            fault = error.message or error.type
        if fault:
            found.append(f"{name}: {fault}")
    return found


def _text(start_response: Any, status: str, text: str) -> Iterable[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
