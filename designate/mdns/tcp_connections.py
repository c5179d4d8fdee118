"""MiniDNS's TCP connections (RFC 7766): how many, how silent and how slow they may be."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
from dataclasses import dataclass, field
from time import monotonic

from designate.mdns import tls
from designate.mdns.handler import Handler
from designate.mdns.tcp_connection import Conversation

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
    """conversation: None until it has begun."""

    sock: socket.socket
    peer: str
    since: float = field(default_factory=monotonic)
    conversation: Conversation | None = None

    @property
    def silent_since(self) -> float | None:
        """When it was last answered; None while it is being answered."""
        return self.since if self.conversation is None else self.conversation.silent_since

    def stop(self) -> None:
        if self.conversation is not None:
            self.conversation.stop()
        _shut(self.sock, socket.SHUT_RD)


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
        """Serve a connection, or close it when there is no room; takes ownership of the socket. TLS's
        handshake is still to be done."""
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
            connection.stop()
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
            (since, connection)
            for connection in self._open
            if (since := connection.silent_since) is not None
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
        sock = connection.sock
        end = monotonic() + self._limits.duration_s
        silence_s = max(self._limits.silence_s, SILENCE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._limits.keepidle_s:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, self._limits.keepidle_s)
        if isinstance(sock, ssl.SSLSocket) and not tls.shake_hands(sock, silence_s):
            LOG.debug("connection of %s was closed: its TLS is not for DNS", connection.peer)
            return
        connection.conversation = Conversation(
            sock,
            connection.peer,
            self._handler,
            silence_s=silence_s,
            send_s=self._limits.send_s,
            end=end,
        )
        if self._stopping:
            return
        connection.conversation.run()


def _shut(sock: socket.socket, how: int) -> None:
    """By a second descriptor: a TLS socket that is shut itself would go on in plain text."""
    try:
        with socket.socket(fileno=os.dup(sock.fileno())) as twin:
            twin.shutdown(how)
    except OSError:
        LOG.debug("a connection was already closed")
