"""The HTTP server of processes on green threads: eventlet's own, where a connection is a green thread."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import eventlet
import eventlet.wsgi
from eventlet.support.greenlets import GreenletExit

from designate.http.exchange import HttpLimits
from designate.http.sockets import listen
from designate.http.tls import HttpsSettings
from designate.runtime.wsgi import WsgiApp

LOG = logging.getLogger(__name__)

STOP_S = 5.0
MAX_CONNECTIONS = 1024


class GreenHttpServer:
    """Serves one WSGI application on one address; see HttpServer, whose arguments it has."""

    def __init__(
        self,
        app: WsgiApp,
        host: str,
        port: int,
        threads: int,
        *,
        shared_port: bool = False,
        tls: HttpsSettings | None = None,
        drain_s: float = 0.0,  # noqa: ARG002 - part of the interface
        limits: HttpLimits | None = None,
        option: str = "listen",
    ) -> None:
        """Set up the server; it does not listen yet. drain_s has no meaning here."""
        self._app = app
        self._address = (host, port)
        self._pool = eventlet.GreenPool(max(threads, MAX_CONNECTIONS))
        self._shared_port = shared_port
        self._tls = tls
        self._limits = limits or HttpLimits()
        self._option = option
        self._listener: Any = None
        self._serving: Any = None

    def start(self) -> None:
        """Bind and serve. Raises OSError or ConfigurationError."""
        context = None if self._tls is None else self._tls.context()
        listener: Any = listen(*self._address, self._option, shared=self._shared_port)
        listener.setblocking(True)  # for its green thread
        self._address = listener.getsockname()[:2]
        if context is not None:
            listener = context.wrap_socket(
                listener, server_side=True, do_handshake_on_connect=False
            )
        self._listener = listener
        self._serving = eventlet.spawn(self._serve)
        LOG.info("HTTP server: listening on %s:%d", *self.address)

    def stop(self) -> None:
        """Close the port, and finish the running requests within STOP_S."""
        if self._serving is None:
            return
        # eventlet's server then closes idle connections, and waits for the others.
        eventlet.spawn_n(self._serving.kill)
        with eventlet.Timeout(STOP_S, False), contextlib.suppress(GreenletExit):
            self._serving.wait()
        self._listener.close()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the server listens on."""
        return str(self._address[0]), int(self._address[1])

    def _serve(self) -> None:
        eventlet.wsgi.server(
            self._listener,
            self._app,
            custom_pool=self._pool,
            socket_timeout=self._limits.request_s,
            log=LOG,
            log_output=False,
            debug=False,
        )
