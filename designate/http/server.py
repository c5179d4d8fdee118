"""HttpServer: one WSGI application on one address."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from designate.http import sockets, wsgi
from designate.http.connection import Connection
from designate.http.exchange import Exchange, HttpLimits
from designate.http.tls import HttpsSettings
from designate.runtime.wsgi import WsgiApp

LOG = logging.getLogger(__name__)

CHECK_INTERVAL_S = 0.5
POLL_S = 0.01
SHUTDOWN_S = 5.0
DRAIN_S = 1.0  # of a server with others on the same port


class HttpServer:
    """Serves one WSGI application on one address; port 0 selects a free port at start()."""

    def __init__(
        self,
        app: WsgiApp,
        host: str,
        port: int,
        threads: int,
        *,
        shared_port: bool = False,
        tls: HttpsSettings | None = None,
        drain_s: float = 0.0,
        limits: HttpLimits | None = None,
        option: str = "listen",
    ) -> None:
        """Set up the server; it does not listen yet.

        Args:
            app: The application.
            host: The address to listen on.
            port: The port; 0 selects a free one.
            threads: Number of requests handled at the same time.
            shared_port: Whether other processes listen on the same address.
            tls: Serve HTTPS with these settings.
            drain_s: How long idle connections stay open while the server stops. The response to the next
                request on such a connection closes it, so that the client connects to another server.
            limits: What a connection may take.
            option: Names the address in the error when it cannot be used.
        """
        self._app = app
        self._address = (host, port)
        self._threads = threads
        self._shared_port = shared_port
        self._tls = tls
        self._drain_s = drain_s
        self._limits = limits or HttpLimits()
        self._option = option
        self._listener: socket.socket | None = None
        self._front: _Front | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind and serve.

        Raises:
            OSError: The address is in use.
            ConfigurationError: A TLS file cannot be used.
        """
        context = None if self._tls is None else self._tls.context()
        self._listener = sockets.listen(*self._address, self._option, shared=self._shared_port)
        self._address = self._listener.getsockname()[:2]
        front = _Front(self._app, self._threads, context, self._limits, self._listener)
        self._thread = threading.Thread(target=front.serve, name="http", daemon=True)
        self._thread.start()
        self._front = front
        LOG.info("HTTP server: listening on %s:%d", *self.address)

    def stop(self) -> None:
        """Drain open connections for up to twice `drain_s`, then finish running requests and stop."""
        front, listener, thread = self._front, self._listener, self._thread
        self._front = self._listener = self._thread = None
        if front is None or listener is None or thread is None:
            return
        front.draining = True
        if self._drain_s:
            front.run(front.wait_for_clients(self._drain_s))
            sockets.drop_new_connections(listener)
            front.run(front.wait_for_clients(self._drain_s))
        front.run(front.shut_down())
        front.loop.call_soon_threadsafe(front.loop.stop)
        thread.join(timeout=10)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the server listens on."""
        return str(self._address[0]), int(self._address[1])

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return 0 if self._front is None else len(self._front.connections)


class _Front:
    """The event loop with its connections, and the threads of the application."""

    def __init__(
        self,
        app: WsgiApp,
        threads: int,
        context: ssl.SSLContext | None,
        limits: HttpLimits,
        listener: socket.socket,
    ) -> None:
        self.limits = limits
        self.loop = asyncio.new_event_loop()
        self.draining = False
        self.connections: set[Connection] = set()
        self._app = app
        self._context = context
        self._scheme = "https" if context else "http"
        self._listener = listener
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="http")
        self._running = 0
        # In the order in which they began to wait: the first ones make room where there are too many.
        self._waiting: dict[Connection, None] = {}
        self._max_connections = limits.max_connections or sockets.max_connections()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    # -- for other threads -----------------------------------------------------------------------

    def run(self, coroutine: Any) -> None:
        """Run a coroutine in the loop and wait for its end."""
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def serve(self) -> None:
        """Run the loop until it is shut down."""
        asyncio.set_event_loop(self.loop)
        factory: Callable[[], asyncio.Protocol] = self._new_connection
        if self._context is not None:
            factory = partial(_Handshake, partial(self._begin_tls, self._context))
        self._server = self.loop.run_until_complete(
            self.loop.create_server(factory, sock=self._listener, backlog=sockets.BACKLOG)
        )
        self.loop.call_later(CHECK_INTERVAL_S, self._check)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    # -- of the connections ----------------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        """Count a connection; where there are too many the longest waiting one is closed, or else it."""
        self.connections.add(connection)
        if not self._make_room():
            connection.abort()

    def _make_room(self) -> bool:
        """Where there are too many connections close the longest waiting one; return False without one."""
        if len(self.connections) + len(self._handshakes) <= self._max_connections:
            return True
        first = next(iter(self._waiting), None)
        if first is None:
            return False
        # It is closed soon, and must not be found again until then.
        del self._waiting[first]
        first.abort()
        return True

    def waiting(self, connection: Connection) -> None:
        """Record that the connection has no complete request."""
        self._waiting.pop(connection, None)
        self._waiting[connection] = None

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        self._waiting.pop(connection, None)

    def handle(self, exchange: Exchange) -> None:
        """Have a thread run the application."""
        self._waiting.pop(exchange.connection, None)
        self._running += 1
        self._workers.submit(self._run, exchange)

    def _run(self, exchange: Exchange) -> None:
        try:
            wsgi.run(self._app, exchange, self._scheme)
        finally:
            self.loop.call_soon_threadsafe(self._ran)

    def _ran(self) -> None:
        self._running -= 1

    def _new_connection(self) -> Connection:
        return Connection(self)

    def _begin_tls(self, context: ssl.SSLContext, transport: asyncio.Transport) -> None:
        if not self._make_room():
            transport.abort()
            return
        task = self.loop.create_task(self._start_tls(context, transport))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _start_tls(self, context: ssl.SSLContext, transport: asyncio.Transport) -> None:
        connection = self._new_connection()
        try:
            secured = await self.loop.start_tls(
                transport,
                connection,
                context,
                server_side=True,
                ssl_handshake_timeout=self.limits.handshake_s,
            )
        except (OSError, ssl.SSLError) as error:
            LOG.debug("HTTP: TLS handshake failed: %s", error)
            transport.abort()
            return
        # From here on it counts as a connection.
        self._handshakes.discard(cast("asyncio.Task[None]", asyncio.current_task()))
        if secured is not None:
            connection.connection_made(secured)

    # -- time ------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Close the connections whose deadlines are over."""
        now = self.loop.time()
        for connection in tuple(self.connections):
            connection.expire(now)
        self.loop.call_later(CHECK_INTERVAL_S, self._check)

    async def wait_for_clients(self, timeout_s: float) -> None:
        """Wait until no connection is open and stays so, at most for timeout_s."""
        deadline = self.loop.time() + timeout_s
        empty_polls = 0
        while empty_polls < 3 and self.loop.time() < deadline:
            await asyncio.sleep(POLL_S)
            empty_polls = 0 if self.connections or self._handshakes else empty_polls + 1

    async def shut_down(self) -> None:
        """Close the port, finish the running requests within SHUTDOWN_S, and end the loop."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.connections):
            connection.close_if_idle()
        deadline = self.loop.time() + SHUTDOWN_S
        while (self._running or self.connections) and self.loop.time() < deadline:
            await asyncio.sleep(POLL_S)
            if not self._running:
                for connection in tuple(self.connections):
                    connection.close_if_idle()
        for connection in tuple(self.connections):
            connection.abort()
        for task in tuple(self._handshakes):
            task.cancel()
        self._workers.shutdown(wait=False, cancel_futures=True)
        await asyncio.sleep(0)


class _Handshake(asyncio.Protocol):
    """The protocol of a connection until its TLS handshake begins."""

    def __init__(self, begin: Any) -> None:
        self._begin = begin

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake; what the client sends meanwhile stays in the socket."""
        transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport
        self._begin(transport)
