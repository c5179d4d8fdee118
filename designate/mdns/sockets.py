"""Creation of MiniDNS's listening sockets, and waking of the threads that wait for them."""

from __future__ import annotations

import socket
from contextlib import suppress

from oslo_config import cfg

POLL_S = 2.0
RECEIVE_BUFFER = 4 * 2**20
FREE_PORT_TRIES = 20


def bind_both(
    host: str, port: int, conf: cfg.GroupAttr, *, ipv6_only: bool
) -> tuple[socket.socket, socket.socket]:
    """Return listening TCP and UDP sockets on one port; port 0: a free one. Raises OSError.

    Both have a timeout of POLL_S.
    """
    for attempt in range(1, FREE_PORT_TRIES + 1):
        try:
            return _bind(host, port, conf, ipv6_only)
        except OSError:
            # A port that is free for TCP may be taken for UDP; try another free one.
            if port or attempt == FREE_PORT_TRIES:
                raise
    raise AssertionError


def _bind(
    host: str, port: int, conf: cfg.GroupAttr, ipv6_only: bool
) -> tuple[socket.socket, socket.socket]:
    tcp = bind_tcp(host, port, conf, ipv6_only=ipv6_only)
    try:
        udp = _socket(host, socket.SOCK_DGRAM, conf, ipv6_only)
        try:
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            udp.bind((host, tcp.getsockname()[1]))
        except OSError:
            udp.close()
            raise
    except OSError:
        tcp.close()
        raise
    return tcp, udp


def bind_tcp(host: str, port: int, conf: cfg.GroupAttr, *, ipv6_only: bool) -> socket.socket:
    """Return a listening TCP socket; otherwise as bind_both()."""
    tcp = _socket(host, socket.SOCK_STREAM, conf, ipv6_only)
    try:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((host, port))
        tcp.listen(conf.tcp_backlog)
    except OSError:
        tcp.close()
        raise
    return tcp


def _socket(host: str, kind: int, conf: cfg.GroupAttr, ipv6_only: bool) -> socket.socket:
    version = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(version, kind)
    if version == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, ipv6_only)
    if (conf.workers or 1) > 1:
        # The system distributes queries and connections among the processes.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.settimeout(POLL_S)
    return sock


def wake(sock: socket.socket) -> None:
    """Wake one thread that waits for this socket.

    When several processes share the port the message may reach another one, so callers repeat it until
    the thread has ended.
    """
    with suppress(OSError):
        if sock.type == socket.SOCK_STREAM:
            sock.shutdown(socket.SHUT_RD)
            return
        # shutdown() would make it readable without data, and waiting threads would spin.
        with socket.socket(sock.family, socket.SOCK_DGRAM) as other:
            other.sendto(b"", sock.getsockname())
