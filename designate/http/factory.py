"""The HTTP server for the kind of threads that this process runs on."""

from __future__ import annotations

from typing import Any, Protocol

from designate.runtime import concurrency
from designate.runtime.wsgi import WsgiApp


class Server(Protocol):
    """What the servers for both kinds of threads have."""

    def start(self) -> None:
        """Bind and serve. Raises OSError when the address is in use."""

    def stop(self) -> None:
        """Finish running requests and stop."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the server listens on."""


def http_server(app: WsgiApp, host: str, port: int, threads: int, **settings: Any) -> Server:
    """Return a server of the application; see HttpServer for the settings. It does not listen yet."""
    if concurrency.choice() == "eventlet":
        from designate.http.green import GreenHttpServer

        return GreenHttpServer(app, host, port, threads, **settings)
    from designate.http.server import HttpServer

    return HttpServer(app, host, port, threads, **settings)
