"""A network between a client and a server that can be broken where a test wants it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

from tests.support.deadlines import scaled

# Bytes from the client: what to send on instead, or None to break the connection right there.
Watcher = Callable[[bytes], bytes | None]


class TcpProxy:
    """`with TcpProxy(port) as proxy`: connects to proxy.port are led to the server's port.

    up: sees what clients send before the server does. down: the same for the answers. Either is called
    on a thread of its own for each connection. swallow(): from now on nothing gets through in either
    direction and nobody is told, as when a cable is cut.
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
        # Who waits for a socket would not notice that it was closed.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(timeout=scaled(10))
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Break all connections; new ones are let through."""
        with self._lock:
            broken, self._open = self._open, []
        for sock in broken:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def swallow(self) -> None:
        self._swallowing.set()

    def restore(self) -> None:
        """End of swallow(): what was underway is lost for good."""
        self._swallowing.clear()
        self.cut()

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
                    target=self._pass_on, args=(source, sink, name, pair), daemon=True
                ).start()

    def _pass_on(
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
                passed = getattr(self, name)(data)
                if passed is None:
                    break
                sink.sendall(passed)
        if self._swallowing.is_set():
            return
        for sock in pair:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
