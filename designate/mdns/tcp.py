"""MiniDNS's TCP connections (RFC 7766): how many, how silent and how slow they may be."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic

from designate.mdns.handler import Handler
from designate.wire import packet

LOG = logging.getLogger(__name__)

# A few seconds, as RFC 7766 section 6.2.3 asks, whatever shorter time is configured.
SILENCE_S = 10.0
DRAIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """connections: open at once. silence_s: after which a connection may be closed to make room for
    another; without such need it may be silent for SILENCE_S. send_s: for one message. duration_s:
    of one connection. keepidle_s: silence before keep-alives; None: none are sent."""

    connections: int
    silence_s: float
    send_s: float
    duration_s: float
    keepidle_s: int | None


@dataclass(slots=True, eq=False)
class Connection:
    """silent_since: when it was last answered; None while it is being answered."""

    sock: socket.socket
    peer: str
    silent_since: float | None = field(default_factory=monotonic)


class Connections:
    """The open connections of one MiniDNS, each with a thread of its own. Thread-safe."""

    def __init__(self, handler: Handler, limits: Limits) -> None:
        self._handler = handler
        self._limits = limits
        self._lock = threading.Lock()
        self._open: dict[Connection, threading.Thread] = {}
        self._stopping = False
        self.refused = 0

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, sock: socket.socket, peer: str) -> None:
        """Serve a connection, or close it when there is no room; takes ownership of the socket."""
        connection = Connection(sock, peer)
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
            LOG.warning("connection of %s refused: no thread could be started", peer)
            self._forget(connection)

    def stop(self) -> None:
        """Read no further query, finish the answers that are under way, then cut the rest."""
        with self._lock:
            self._stopping = True
            remaining = dict(self._open)
        for connection in remaining:
            _shut(connection.sock, socket.SHUT_RD)
        deadline = monotonic() + DRAIN_S
        for thread in remaining.values():
            thread.join(max(0.0, deadline - monotonic()))
        for connection, thread in remaining.items():
            if thread.is_alive():
                LOG.info("connection of %s was cut", connection.peer)
                _shut(connection.sock, socket.SHUT_RDWR)
        for thread in remaining.values():
            thread.join(DRAIN_S)

    def _make_room(self) -> bool:
        """Whether there is room for one more, closing the longest silent one if need be."""
        if len(self._open) < self._limits.connections:
            return True
        silent = [
            (connection.silent_since, connection)
            for connection in self._open
            if connection.silent_since is not None
        ]
        if not silent:
            return False
        since, longest = min(silent, key=lambda found: found[0])
        if monotonic() - since < self._limits.silence_s:
            return False
        LOG.debug("connection of %s was closed for another one", longest.peer)
        del self._open[longest]
        _shut(longest.sock, socket.SHUT_RDWR)
        return True

    def _serve(self, connection: Connection) -> None:
        try:
            self._converse(connection)
        except OSError as error:
            LOG.debug("connection of %s ended: %s", connection.peer, error)
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            self._open.pop(connection, None)
            connection.sock.close()

    def _converse(self, connection: Connection) -> None:
        """Answer the connection's queries in order (RFC 7766 section 6.2.1)."""
        sock = connection.sock
        end = monotonic() + self._limits.duration_s
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._limits.keepidle_s:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, self._limits.keepidle_s)
        while not self._stopping and monotonic() < end:
            wire = _message(sock, max(self._limits.silence_s, SILENCE_S))
            if wire is None:
                return
            connection.silent_since = None
            replies = self._handler.handle(wire, connection.peer, tcp=True)
            with closing(replies):  # type: ignore[type-var]  # handle is a generator
                if not self._send(sock, replies, end):
                    LOG.info("transfer to %s took too long and was cut", connection.peer)
                    return
            connection.silent_since = monotonic()

    def _send(self, sock: socket.socket, replies: Iterator[bytes], end: float) -> bool:
        """Send each within its deadline (OSError otherwise); False: the connection's time is up."""
        for reply in replies:
            left_s = end - monotonic()
            if left_s <= 0:
                return False
            sock.settimeout(min(self._limits.send_s, left_s))
            sock.sendall(len(reply).to_bytes(2) + reply)
        return True


def _message(sock: socket.socket, timeout_s: float) -> bytes | None:
    """The next message; None: the peer closed, was silent or slow, or sends what is no message."""
    length = _exactly(sock, 2, monotonic() + timeout_s)
    if length is None:
        return None
    size = int.from_bytes(length)
    if size < packet.HEADER.size:
        return None
    return _exactly(sock, size, monotonic() + timeout_s)


def _exactly(sock: socket.socket, size: int, deadline: float) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        left_s = deadline - monotonic()
        if left_s <= 0:
            return None
        sock.settimeout(left_s)
        piece = sock.recv(size - len(received))
        if not piece:
            return None
        received += piece
    return bytes(received)


def _shut(sock: socket.socket, how: int) -> None:
    try:
        sock.shutdown(how)
    except OSError:
        LOG.debug("a connection was already closed")
