"""MiniDNS's sockets: UDP and TCP on each address, with bounds on everything that a peer can use up."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from time import monotonic

from oslo_config import cfg

from designate import errors, metrics
from designate.mdns import sockets
from designate.mdns.clients import is_in, networks
from designate.mdns.handler import Handler
from designate.mdns.rate_limit import RateLimit
from designate.mdns.tcp_connections import Connections, Limits
from designate.mdns.tls import Tls
from designate.rpc.interfaces import WorkerApi
from designate.storage.sqlalchemy.db.engine import Database
from designate.wire import packet

LOG = logging.getLogger(__name__)

GROUP = "service:mdns"
OPTS = [
    cfg.ListOpt(
        "listen",
        default=["0.0.0.0:5354"],
        help="Addresses to serve on, UDP and TCP each: host:port, IPv6 in brackets. [::]:port serves "
        "IPv4 too, unless an IPv4 address with that port is listed as well.",
    ),
    cfg.IntOpt(
        "threads",
        default=4,
        min=1,
        help="Threads per address that answer UDP queries; more than 16 are taken as 16.",
    ),
    cfg.IntOpt("workers", min=1, help="Processes of designate-mdns. Unset: one."),
    cfg.IntOpt("tcp_backlog", default=100, min=1, help="Connections waiting to be accepted."),
    cfg.IntOpt("tcp_keepidle", min=1, help="Seconds of silence before TCP keep-alives are sent."),
    cfg.FloatOpt(
        "tcp_recv_timeout",
        default=0.5,
        min=0.1,
        help="Seconds of silence after which a TCP connection is closed when another one needs its "
        "place. While there is room, silence of 10 seconds is borne, or of this time if it is longer "
        "(RFC 7766 section 6.2.3).",
    ),
    cfg.IntOpt(
        "tcp_max_connections",
        default=200,
        min=1,
        help="Open TCP connections. When all are taken a further one takes the place of the longest "
        "silent one, or is closed at once.",
    ),
    cfg.FloatOpt(
        "tcp_send_timeout",
        default=10.0,
        min=0.1,
        help="Seconds that a peer may take to read one message before its transfer is given up.",
    ),
    cfg.FloatOpt(
        "tcp_max_duration", default=900.0, min=1, help="Seconds that one TCP connection may last."
    ),
]

MOST_THREADS = 16
WAKE_S = 0.02
# So long after the last answer over UDP a stopping server still takes connections: whoever was told a
# serial comes for the zone. BIND does not ask a primary that refuses it then, for any zone, for ten
# minutes.
FAREWELL_S = 1.0
PAUSE_S = 0.1
LARGEST_QUERY = 65535
MAPPED = "::ffff:"


def parse_address(text: str) -> tuple[str, int]:
    """host:port or [IPv6]:port. Raises ConfigurationError."""
    host, separator, port = text.strip().rpartition(":")
    if not (separator and host and port.isascii() and port.isdigit() and int(port) < 2**16):
        raise errors.ConfigurationError(f"[{GROUP}] listen: {text!r} is not host:port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise errors.ConfigurationError(f"[{GROUP}] listen: {text!r}: put brackets around IPv6")
    return host, int(port)


def plain_peer(host: str) -> str:
    """The address as pools name it: an IPv4 client of an IPv6 socket without its prefix."""
    return host.removeprefix(MAPPED) if "." in host else host


class MiniDns:
    """Serves what the database holds. start() binds; port 0 takes the same free one for both.

    addresses, tls_addresses: (host, port) of each entry of listen and tls_listen, once started.
    """

    def __init__(self, conf: cfg.ConfigOpts, database: Database, worker: WorkerApi) -> None:
        group = conf[GROUP]
        self._conf = group
        self._handler = Handler(conf, database, worker)
        self._rate = RateLimit(group.rate_limit)
        self._rate_exempt = networks(group.rate_limit_exempt, f"[{GROUP}] rate_limit_exempt")
        self._connections = Connections(
            self._handler,
            Limits(
                connections=group.tcp_max_connections,
                silence_s=group.tcp_recv_timeout,
                send_s=group.tcp_send_timeout,
                duration_s=group.tcp_max_duration,
                keepidle_s=group.tcp_keepidle,
            ),
        )
        self._leaving = threading.Event()
        self._stopping = threading.Event()
        self._tcp: list[socket.socket] = []
        self._udp: list[socket.socket] = []
        self._threads: dict[threading.Thread, socket.socket] = {}
        self._answered_s = -FAREWELL_S
        self._tls = Tls(conf)
        self._tls_sockets: list[socket.socket] = []
        self.addresses: list[tuple[str, int]] = []
        self.tls_addresses: list[tuple[str, int]] = []

    def start(self) -> None:
        """Bind and serve, or raise ConfigurationError or OSError with nothing left open."""
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
                for _ in range(1, min(self._conf.threads, MOST_THREADS)):
                    # A descriptor for each thread: of green ones only one may wait for each.
                    self._udp.append(udp.dup())
                self.addresses.append((host, tcp.getsockname()[1]))
            ipv4_ports = {port for host, port in tls_listen if ":" not in host}
            for host, port in tls_listen:
                tcp = sockets.bind_tcp(host, port, self._conf, ipv6_only=port in ipv4_ports)
                self._tls_sockets.append(tcp)
                self.tls_addresses.append((host, tcp.getsockname()[1]))
        except OSError:
            self.stop()
            raise
        for tcp in self._tcp:
            self._run(self._accept, tcp)
        for udp in self._udp:
            self._run(self._receive, udp)
        for tcp in self._tls_sockets:
            self._run(self._accept_tls, tcp)
        LOG.info("MiniDNS serves on %s, over TLS on %s", self.addresses, self.tls_addresses)

    def stop(self) -> None:
        """Answer nothing over UDP any more, let those who were just told a serial come for the zone, then
        finish the transfers under way and cut what is still sent after a moment."""
        self._leaving.set()
        self._close(self._udp)
        self._stopping.wait(max(0.0, self._answered_s + FAREWELL_S - monotonic()))
        self._stopping.set()
        self._close(self._tcp)
        self._close(self._tls_sockets)
        self._connections.stop()
        self._handler.stop()

    def _close(self, listening: list[socket.socket]) -> None:
        waiting = {thread: sock for thread, sock in self._threads.items() if sock in listening}
        deadline = monotonic() + 2 * sockets.POLL_S
        while waiting and monotonic() < deadline:
            for sock in waiting.values():
                sockets.wake(sock)
            next(iter(waiting)).join(timeout=WAKE_S)
            waiting = {thread: sock for thread, sock in waiting.items() if thread.is_alive()}
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
        """One message after the other; while all threads are busy the socket's buffer holds what it
        can and the system drops the rest."""
        while not self._leaving.is_set():
            try:
                wire, peer = sock.recvfrom(LARGEST_QUERY)
            except TimeoutError:
                continue
            except OSError:
                self._leaving.wait(PAUSE_S)
                continue
            if not wire:
                continue
            self._answered_s = monotonic()
            for reply in self._replies(wire, plain_peer(peer[0])):
                try:
                    sock.sendto(reply, peer)
                except OSError as error:
                    LOG.debug("answer to %s was not sent: %s", peer[0], error)

    def _replies(self, wire: bytes, peer: str) -> Iterable[bytes]:
        """Of a datagram, as far as its sender's rate allows."""
        exempt = not self._rate.is_on or is_in(peer, self._rate_exempt)
        allowed = exempt or self._rate.allows(peer)
        if allowed:
            return self._handler.handle(wire, peer, tcp=False)
        metrics.RATE_LIMITED.inc()
        return () if allowed is False else packet.truncated_reply(wire)

    def _accept_tls(self, sock: socket.socket) -> None:
        self._accept(sock, self._tls)

    def _accept(self, sock: socket.socket, tls: Tls | None = None) -> None:
        while not self._stopping.is_set():
            try:
                connection, peer = sock.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if not self._stopping.is_set():
                    LOG.warning("a connection could not be accepted: %s", error)
                # Too many open files would otherwise be met in a tight loop.
                self._stopping.wait(PAUSE_S)
                continue
            try:
                admitted = connection if tls is None else tls.wrap(connection)
            except (OSError, errors.ConfigurationError) as error:
                LOG.debug("connection of %s ended before it began: %s", peer[0], error)
                connection.close()
                continue
            self._connections.admit(admitted, plain_peer(peer[0]))
