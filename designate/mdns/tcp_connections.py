"""MiniDNS's TCP connections , with limits of number, idle time and duration (RFC 7766)."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
from dataclasses import dataclass, field
from time import monotonic

from designate.mdns.handler import MessageHandler
from designate.mdns.tcp_connection import TcpConnection
from designate.mdns.tls import TlsClients

LOG = logging.getLogger(__name__)

# RFC 7766 section 6.2.3 requires a few seconds; shorter configured times apply only without room.
IDLE_S = 10.0
DRAIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpLimits:
    """Limits of TCP connections.

    Attributes:
        connections: open at the same time.
        idle_s: after this a connection may be closed to make room for another; otherwise it may be
            idle for IDLE_S.
        send_s: for one message.
        duration_s: of one connection.
        keepidle_s: idle time before TCP keep-alives; None: none are sent.
    """

    connections: int
    idle_s: float
    send_s: float
    duration_s: float
    keepidle_s: int | None


@dataclass(slots=True, eq=False)
class _OpenConnection:
    """An accepted connection; `serving` is None until its handshake is done."""

    sock: socket.socket
    peer: str
    since: float = field(default_factory=monotonic)
    serving: TcpConnection | None = None

    @property
    def idle_since(self) -> float | None:
        """When the last answer was sent; None while one is being sent."""
        return self.since if self.serving is None else self.serving.idle_since

    def stop(self) -> None:
        if self.serving is not None:
            self.serving.stop()
        _shut(self.sock, socket.SHUT_RD)


class TcpConnections:
    """The open connections of one MiniDNS, each with a thread of its own. Thread-safe."""

    def __init__(self, handler: MessageHandler, limits: TcpLimits) -> None:
        self._handler = handler
        self._limits = limits
        self._lock = threading.Lock()
        self._open: dict[_OpenConnection, threading.Thread] = {}
        self._stopping = False
        self._tls_clients = TlsClients()
        self.refused = 0

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, sock: socket.socket, peer: str) -> None:
        """Serve a connection, or close it when there is no room.

        It takes ownership of the socket, whose TLS handshake has not been done.
        """
        connection = _OpenConnection(sock, peer)
        thread = threading.Thread(
            target=self._serve, args=(connection,), name="mdns-tcp", daemon=True
        )
        with self._lock:
            if self._stopping or not self._make_room():
                self.refused += 1
                sock.close()
                return
            self._open[connection] = thread
        try:
            thread.start()
        except RuntimeError:
            LOG.warning("client %s: connection refused, no thread could be started", peer)
            self._forget(connection)

    def stop(self) -> None:
        """Read no further query, finish the answers in progress, then close what remains."""
        with self._lock:
            self._stopping = True
            remaining = dict(self._open)
        for connection in remaining:
            connection.stop()
        deadline = monotonic() + DRAIN_S
        for thread in remaining.values():
            thread.join(max(0.0, deadline - monotonic()))
        for connection, thread in remaining.items():
            if thread.is_alive():
                LOG.info(
                    "client %s: connection closed before its answers were complete", connection.peer
                )
                _shut(connection.sock, socket.SHUT_RDWR)
        for thread in remaining.values():
            thread.join(DRAIN_S)

    def _make_room(self) -> bool:
        """Return whether there is room for one more, after closing the longest idle one if needed."""
        if len(self._open) < self._limits.connections:
            return True
        idle = [
            (since, connection)
            for connection in self._open
            if (since := connection.idle_since) is not None
        ]
        if not idle:
            return False
        since, longest = min(idle, key=lambda found: found[0])
        if monotonic() - since < self._limits.idle_s:
            return False
        LOG.debug("client %s: idle connection closed to make room", longest.peer)
        del self._open[longest]
        _shut(longest.sock, socket.SHUT_RDWR)
        return True

    def _serve(self, connection: _OpenConnection) -> None:
        try:
            self._serve_queries(connection)
        except ssl.SSLError as error:
            self._tls_clients.failed(connection.peer, error)
        except OSError as error:
            LOG.debug("client %s: connection ended: %s", connection.peer, error)
        finally:
            self._forget(connection)

    def _forget(self, connection: _OpenConnection) -> None:
        with self._lock:
            self._open.pop(connection, None)
            connection.sock.close()

    def _serve_queries(self, connection: _OpenConnection) -> None:
        sock = connection.sock
        end = monotonic() + self._limits.duration_s
        idle_s = max(self._limits.idle_s, IDLE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._limits.keepidle_s:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, self._limits.keepidle_s)
        if isinstance(sock, ssl.SSLSocket) and not self._tls_clients.handshake(
            sock, connection.peer, idle_s
        ):
            return
        connection.serving = TcpConnection(
            sock,
            connection.peer,
            self._handler,
            idle_s=idle_s,
            send_s=self._limits.send_s,
            end=end,
        )
        if self._stopping:
            return
        connection.serving.run()


def _shut(sock: socket.socket, how: int) -> None:
    """Shut a socket down by a second descriptor: a TLS socket itself would continue in plain text."""
    try:
        with socket.socket(fileno=os.dup(sock.fileno())) as twin:
            twin.shutdown(how)
    except OSError:
        LOG.debug("connection already closed")
