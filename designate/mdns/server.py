"""The server of MiniDNS: UDP and TCP on each address, with bounds on all resources of clients."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from time import monotonic

from oslo_config import cfg

from designate import errors, metrics
from designate.mdns import sockets
from designate.mdns.clients import in_networks, networks
from designate.mdns.handler import MessageHandler
from designate.mdns.rate_limit import RateLimit
from designate.mdns.tcp_connections import TcpConnections, TcpLimits
from designate.mdns.tls import TlsServerContext
from designate.rpc.interfaces import WorkerApi
from designate.storage.sqlalchemy.db.engine import Database
from designate.wire import packet

LOG = logging.getLogger(__name__)

GROUP = "service:mdns"
OPTS = [
    cfg.ListOpt(
        "listen",
        default=["0.0.0.0:5354"],
        help="Addresses to listen on, each over UDP and TCP: host:port, IPv6 in brackets. [::]:port "
        "includes IPv4, unless an IPv4 address with the same port is listed.",
    ),
    cfg.IntOpt(
        "threads",
        default=4,
        min=1,
        help="Number of threads per address that answer UDP queries; at most 16 are used.",
    ),
    cfg.IntOpt("workers", min=1, help="Number of designate-mdns processes. Unset: one."),
    cfg.IntOpt(
        "tcp_backlog",
        default=100,
        min=1,
        help="Maximum number of TCP connections waiting to be accepted.",
    ),
    cfg.IntOpt("tcp_keepidle", min=1, help="Idle seconds after which TCP keep-alives are sent."),
    cfg.FloatOpt(
        "tcp_recv_timeout",
        default=0.5,
        min=0.1,
        help="Idle seconds after which a TCP connection may be closed to make room for another one. "
        "Otherwise a connection is closed after 10 idle seconds, or after this time if it is longer "
        "(RFC 7766 section 6.2.3).",
    ),
    cfg.IntOpt(
        "tcp_max_connections",
        default=200,
        min=1,
        help="Maximum number of open TCP connections. A further one replaces the connection that has "
        "been idle for longest, or is closed at once.",
    ),
    cfg.FloatOpt(
        "tcp_send_timeout",
        default=10.0,
        min=0.1,
        help="Maximum seconds for a client to receive one message; then its transfer is aborted.",
    ),
    cfg.FloatOpt(
        "tcp_max_duration",
        default=900.0,
        min=1,
        help="Maximum duration of a TCP connection in seconds.",
    ),
]

MAX_THREADS = 16
WAKE_S = 0.02
# A stopping server accepts connections for this time after the last answer over UDP, because clients that
# received a new serial transfer the zone. BIND does not query a primary that refuses a connection, for any
# zone, for ten minutes.
SHUTDOWN_GRACE_S = 1.0
ERROR_PAUSE_S = 0.1
MAX_QUERY_BYTES = 65535
IPV4_MAPPED_PREFIX = "::ffff:"


def parse_address(text: str) -> tuple[str, int]:
    """Parse host:port or [IPv6]:port; raises ConfigurationError."""
    host, separator, port = text.strip().rpartition(":")
    if not (separator and host and port.isascii() and port.isdigit() and int(port) < 2**16):
        raise errors.ConfigurationError(f"[{GROUP}] listen: {text!r} is not host:port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise errors.ConfigurationError(f"[{GROUP}] listen: {text!r}: put brackets around IPv6")
    return host, int(port)


def client_address(host: str) -> str:
    """Return the address of a peer; an IPv4 client of an IPv6 socket without the prefix."""
    return host.removeprefix(IPV4_MAPPED_PREFIX) if "." in host else host


class MiniDns:
    """Serves the zones in the database over UDP, TCP and TLS.

    Attributes:
        addresses: (host, port) of each entry of listen, once started; for port 0 the chosen one.
        tls_addresses: the same of tls_listen.
    """

    def __init__(self, conf: cfg.ConfigOpts, database: Database, worker: WorkerApi) -> None:
        group = conf[GROUP]
        self._conf = group
        self._handler = MessageHandler(conf, database, worker)
        self._rate = RateLimit(group.rate_limit)
        self._rate_exempt = networks(group.rate_limit_exempt, f"[{GROUP}] rate_limit_exempt")
        self._connections = TcpConnections(
            self._handler,
            TcpLimits(
                connections=group.tcp_max_connections,
                idle_s=group.tcp_recv_timeout,
                send_s=group.tcp_send_timeout,
                duration_s=group.tcp_max_duration,
                keepidle_s=group.tcp_keepidle,
            ),
        )
        self._udp_stopping = threading.Event()
        self._stopping = threading.Event()
        self._tcp: list[socket.socket] = []
        self._udp: list[socket.socket] = []
        self._threads: dict[threading.Thread, socket.socket] = {}
        self._answered_s = -SHUTDOWN_GRACE_S
        self._tls = TlsServerContext(conf)
        self._tls_sockets: list[socket.socket] = []
        self.addresses: list[tuple[str, int]] = []
        self.tls_addresses: list[tuple[str, int]] = []

    def start(self) -> None:
        """Bind and serve; raises ConfigurationError or OSError and leaves nothing open then."""
        listen = [parse_address(text) for text in self._conf.listen]
        tls_listen = [parse_address(text) for text in self._conf.tls_listen]
        if tls_listen:
            self._tls.context()
        ipv4_ports = {port for host, port in listen if ":" not in host}
        try:
            for host, port in listen:
                tcp, udp = sockets.bind_both(host, port, self._conf, ipv6_only=port in ipv4_ports)
                self._tcp.append(tcp)
                self._udp.append(udp)
                for _ in range(1, min(self._conf.threads, MAX_THREADS)):
                    # A descriptor per thread, since only one green thread may wait for each.
                    self._udp.append(udp.dup())
                self.addresses.append((host, tcp.getsockname()[1]))
            ipv4_ports = {port for host, port in tls_listen if ":" not in host}
            for host, port in tls_listen:
                tcp = sockets.bind_tcp(host, port, self._conf, ipv6_only=port in ipv4_ports)
                self._tls_sockets.append(tcp)
                self.tls_addresses.append((host, tcp.getsockname()[1]))
        except OSError as error:
            self.stop()
            raise OSError(f"[{GROUP}] listen: {host}:{port}: {error.strerror}") from None
        for tcp in self._tcp:
            self._run(self._accept, tcp)
        for udp in self._udp:
            self._run(self._receive, udp)
        for tcp in self._tls_sockets:
            self._run(self._accept_tls, tcp)
        LOG.info("MiniDNS: listening on %s, for TLS on %s", self.addresses, self.tls_addresses)

    def stop(self) -> None:
        """Stop UDP, let clients that just received a serial transfer the zone, then stop TCP.

        Transfers in progress may finish for a short time, then they are aborted.
        """
        self._udp_stopping.set()
        self._close(self._udp)
        self._stopping.wait(max(0.0, self._answered_s + SHUTDOWN_GRACE_S - monotonic()))
        self._stopping.set()
        self._close(self._tcp)
        self._close(self._tls_sockets)
        self._connections.stop()
        self._handler.stop()

    def _close(self, listening: list[socket.socket]) -> None:
        running = {thread: sock for thread, sock in self._threads.items() if sock in listening}
        deadline = monotonic() + 2 * sockets.POLL_S
        while running and monotonic() < deadline:
            for sock in running.values():
                sockets.wake(sock)
            next(iter(running)).join(timeout=WAKE_S)
            running = {thread: sock for thread, sock in running.items() if thread.is_alive()}
        self._threads = {
            thread: sock for thread, sock in self._threads.items() if sock not in listening
        }
        for sock in listening:
            sock.close()
        listening.clear()

    def _run(self, target: Callable[[socket.socket], None], sock: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(sock,), name="mdns", daemon=True)
        self._threads[thread] = sock
        thread.start()

    def _receive(self, sock: socket.socket) -> None:
        """Reply to one message after the other.

        While all threads are busy, messages wait in the socket's buffer, and the system drops the rest.
        """
        while not self._udp_stopping.is_set():
            try:
                wire, peer = sock.recvfrom(MAX_QUERY_BYTES)
            except TimeoutError:
                continue
            except OSError:
                self._udp_stopping.wait(ERROR_PAUSE_S)
                continue
            if not wire:
                continue
            self._answered_s = monotonic()
            for reply in self._replies(wire, client_address(peer[0])):
                try:
                    sock.sendto(reply, peer)
                except OSError as error:
                    LOG.debug("client %s: reply not sent: %s", peer[0], error)

    def _replies(self, wire: bytes, peer: str) -> Iterable[bytes]:
        """Return the replies to a datagram within the rate limit of its sender."""
        exempt = not self._rate.enabled or in_networks(peer, self._rate_exempt)
        allowed = exempt or self._rate.allows(peer)
        if allowed:
            return self._handler.handle(wire, peer, tcp=False)
        metrics.RATE_LIMITED.inc()
        return () if allowed is False else packet.truncated_reply(wire)

    def _accept_tls(self, sock: socket.socket) -> None:
        self._accept(sock, self._tls)

    def _accept(self, sock: socket.socket, tls: TlsServerContext | None = None) -> None:
        while not self._stopping.is_set():
            try:
                connection, peer = sock.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if not self._stopping.is_set():
                    LOG.warning("connection not accepted: %s", error)
                # Otherwise "too many open files" would cause a tight loop.
                self._stopping.wait(ERROR_PAUSE_S)
                continue
            try:
                admitted = connection if tls is None else tls.wrap(connection)
            except (OSError, errors.ConfigurationError) as error:
                LOG.debug("client %s: connection failed before TLS: %s", peer[0], error)
                connection.close()
                continue
            self._connections.admit(admitted, client_address(peer[0]))
