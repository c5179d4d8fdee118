"""The HTTP server of designate-api and of the standalone service: cheroot, bounded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from cheroot import wsgi
from oslo_config import cfg

LOG = logging.getLogger(__name__)

GROUP = "service:api"
OPTS = [
    cfg.ListOpt(
        "listen",
        default=["0.0.0.0:9001"],
        help="Addresses to serve on: host:port, IPv6 in brackets.",
    ),
    cfg.IntOpt("threads", default=16, min=1, help="Requests that are worked on at the same time."),
    cfg.IntOpt("workers", min=1, help="Processes of designate-api. Unset: one."),
]

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
TIMEOUT_S = 20
LARGEST_HEADER = 65536
LARGEST_BODY = 256 * 2**20
WAITING = 1024


class HttpServer:
    """Serves one WSGI application on one address; port 0 takes a free one at start()."""

    def __init__(
        self, app: WsgiApp, host: str, port: int, threads: int, *, shared_port: bool = False
    ) -> None:
        """shared_port: other processes serve on the same address."""
        self._server = wsgi.Server(
            (host, port),
            app,
            numthreads=threads,
            max=threads,
            request_queue_size=WAITING,
            timeout=TIMEOUT_S,
            shutdown_timeout=5,
            reuse_port=shared_port,
        )
        self._server.max_request_header_size = LARGEST_HEADER
        self._server.max_request_body_size = LARGEST_BODY
        self._server.error_log = _log  # type: ignore[method-assign,assignment]  # how cheroot is told where to log
        self._server.expiration_interval = 0.05
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Bind and serve. Raises OSError when the address is taken."""
        self._server.prepare()
        self._thread.start()
        LOG.info("the API serves on %s:%d", *self.address)

    def stop(self) -> None:
        """Finish the requests that run; take no new ones."""
        self._server.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._server.bind_addr[:2]
        return str(host), int(port)

    def _serve(self) -> None:
        self._server.serve()


def _log(message: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
    LOG.log(level, "%s", message, exc_info=traceback)
