"""MiniDNS's sockets: UDP and TCP on each address, with bounds on everything that a peer can use up."""

from __future__ import annotations

import logging
import socket
import threading
from time import monotonic

from oslo_config import cfg

from designate.mdns.handler import Handler
from designate.rpc.interfaces import WorkerApi
from designate.storage.engine import Database

LOG = logging.getLogger(__name__)

GROUP = "service:mdns"
OPTS = [
    cfg.ListOpt(
        "listen",
        default=["0.0.0.0:5354"],
        help="Addresses to serve on, UDP and TCP each: host:port, IPv6 in brackets.",
    ),
    cfg.IntOpt("threads", default=4, min=1, help="Threads per address that answer UDP queries."),
    cfg.IntOpt("tcp_backlog", default=100, min=1, help="Connections waiting to be accepted."),
    cfg.IntOpt("tcp_keepidle", help="Seconds of silence before TCP keep-alives are sent."),
    cfg.FloatOpt(
        "tcp_recv_timeout",
        default=10.0,
        min=0.1,
        help="Seconds that a TCP connection may be silent, and that reading one message may take "
        "(RFC 7766 section 6.2.3 asks for a few seconds).",
    ),
    cfg.IntOpt(
        "tcp_max_connections",
        default=200,
        min=1,
        help="Open TCP connections; further ones are closed at once.",
    ),
    cfg.FloatOpt(
        "tcp_send_timeout",
        default=10.0,
        min=0.1,
        help="Seconds that a peer may refuse to read before its transfer is given up.",
    ),
    cfg.FloatOpt(
        "tcp_max_duration", default=900.0, min=1, help="Seconds that one TCP connection may last."
    ),
]

POLL_S = 0.5
RECEIVE_BUFFER = 4 * 2**20


def parse_address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


class MiniDns:
    """Serves what the database holds. start() binds; port 0 takes the same free one for both."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, worker: WorkerApi) -> None:
        self._conf = conf[GROUP]
        self._handler = Handler(conf, database, worker)
        self._stopping = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._room = threading.BoundedSemaphore(self._conf.tcp_max_connections)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.addresses: list[tuple[str, int]] = []

    def start(self) -> None:
        for listen in self._conf.listen:
            host, port = parse_address(listen)
            tcp, udp = _bind(host, port, self._conf.tcp_backlog)
            self._sockets += (tcp, udp)
            self.addresses.append((host, tcp.getsockname()[1]))
            self._run(self._accept, tcp)
            for _ in range(min(self._conf.threads, 16)):
                self._run(self._receive, udp)
        LOG.info("MiniDNS serves on %s", self.addresses)

    def stop(self) -> None:
        """Stop accepting, cut what is still being sent after a moment, close."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=5)
        with self._lock:
            remaining = list(self._connections)
        for connection in remaining:
            _shut(connection)
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()

    def _run(self, target: object, sock: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(sock,), name="mdns", daemon=True)  # type: ignore[arg-type]  # bound methods of one socket
        self._threads.append(thread)
        thread.start()

    def _receive(self, sock: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                wire, peer = sock.recvfrom(65535)
            except TimeoutError:
                continue
            except OSError:
                # An ICMP error of an earlier answer, or the socket was closed.
                continue
            for reply in self._handler.handle(wire, peer[0], tcp=False):
                try:
                    sock.sendto(reply, peer)
                except OSError as error:
                    LOG.debug("answer to %s was not sent: %s", peer[0], error)

    def _accept(self, sock: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, peer = sock.accept()
            except OSError:
                continue
            if not self._room.acquire(blocking=False):
                connection.close()
                continue
            with self._lock:
                self._connections.add(connection)
            threading.Thread(
                target=self._converse, args=(connection, peer[0]), name="mdns-tcp", daemon=True
            ).start()

    def _converse(self, connection: socket.socket, peer: str) -> None:
        """Answer the connection's queries in order (RFC 7766 section 6.2.1)."""
        end = monotonic() + self._conf.tcp_max_duration
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._conf.tcp_keepidle:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                connection.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, self._conf.tcp_keepidle
                )
            while not self._stopping.is_set() and monotonic() < end:
                wire = self._read(connection)
                if wire is None:
                    return
                connection.settimeout(self._conf.tcp_send_timeout)
                replies = self._handler.handle(wire, peer, tcp=True)
                for reply in replies:
                    connection.sendall(len(reply).to_bytes(2) + reply)
                    if monotonic() > end:
                        return
        except OSError as error:
            LOG.debug("connection of %s ended: %s", peer, error)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()
            self._room.release()

    def _read(self, connection: socket.socket) -> bytes | None:
        """One message; None: the peer closed, or took too long."""
        deadline = monotonic() + self._conf.tcp_recv_timeout
        length = _exactly(connection, 2, deadline)
        return length and _exactly(connection, int.from_bytes(length), deadline)


def _exactly(connection: socket.socket, size: int, deadline: float) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        left_s = deadline - monotonic()
        if left_s <= 0:
            return None
        connection.settimeout(left_s)
        piece = connection.recv(size - len(received))
        if not piece:
            return None
        received += piece
    return bytes(received)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        LOG.debug("a connection was already closed")


def _bind(host: str, port: int, backlog: int) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tcp = socket.socket(family, socket.SOCK_STREAM)
    udp = socket.socket(family, socket.SOCK_DGRAM)
    try:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((host, port))
        tcp.listen(backlog)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        udp.bind((host, tcp.getsockname()[1]))
    except OSError:
        tcp.close()
        udp.close()
        raise
    tcp.settimeout(POLL_S)
    udp.settimeout(POLL_S)
    return tcp, udp
