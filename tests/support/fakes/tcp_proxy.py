"""A TCP proxy between a client and a server that a test can break."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

from tests.support.deadlines import scaled

# Maps received bytes to those to forward; None breaks the connection.
Watcher = Callable[[bytes], bytes | None]


class TcpProxy:
    """Forwards connections of proxy.port to the server's port: `with TcpProxy(port) as proxy`.

    Attributes:
        up: called with what clients send before it is forwarded, on a thread per connection.
        down: the same for what the server sends.
        connections: how many were accepted.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.up: Watcher = lambda data: data
        self.down: Watcher = lambda data: data
        self._open: list[socket.socket] = []
        self._swallowing = threading.Event()
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self.connections = 0

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing a socket does not wake the thread that waits for it.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(timeout=scaled(10))
        self._listener.close()
        self.break_connections()

    def break_connections(self) -> None:
        """Break all connections; new ones are forwarded."""
        with self._lock:
            broken, self._open = self._open, []
        for sock in broken:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def swallow(self) -> None:
        """Drop all data in both directions without closing connections, as when a cable is cut."""
        self._swallowing.set()

    def restore(self) -> None:
        """End swallow(); the connections break and their data is lost."""
        self._swallowing.clear()
        self.break_connections()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(
                    ("127.0.0.1", self._server_port), timeout=scaled(5)
                )
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self.connections += 1
                self._open += [client, server]
            pair = (client, server)
            for source, sink, name in ((client, server, "up"), (server, client, "down")):
                threading.Thread(
                    target=self._forward, args=(source, sink, name, pair), daemon=True
                ).start()

    def _forward(
        self,
        source: socket.socket,
        sink: socket.socket,
        name: str,
        pair: tuple[socket.socket, socket.socket],
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self._swallowing.is_set():
                    continue
                forwarded = getattr(self, name)(data)
                if forwarded is None:
                    break
                sink.sendall(forwarded)
        if self._swallowing.is_set():
            return
        for sock in pair:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
