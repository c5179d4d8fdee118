"""Listening sockets, and how many connections the process may have."""

from __future__ import annotations

import ctypes
import logging
import resource
import socket
import struct

LOG = logging.getLogger(__name__)

BACKLOG = 1024
# Files that a process needs besides the connections of clients.
RESERVED_FILES = 256
MAX_CONNECTIONS = 16384
SO_ATTACH_FILTER = 26


def max_connections() -> int:
    """Return how many connections a server may have, of the files that the process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(64, min(MAX_CONNECTIONS, soft - RESERVED_FILES))


def listen(host: str, port: int, option: str, *, shared: bool) -> socket.socket:
    """Return a listening socket that does not block. Raises OSError, which names option and address."""
    [(version, _, _, _, address), *_] = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listener = socket.socket(version, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if version == socket.AF_INET6:
            # Both families on ::, as most servers do.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise OSError(f"{option}: {host}:{port}: {error.strerror}") from None
    return listener


def drop_new_connections(listener: socket.socket) -> None:
    """Drop the packets of new connections, so that clients retry until the port is closed.

    Closing the port directly would reset connections accepted a moment before. The classic BPF program
    `return 0` drops the packets (Linux; elsewhere nothing changes).
    """
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(instruction))
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    except OSError as error:
        LOG.debug("HTTP server: new connections are not dropped: %s", error)
