"""Reads from a stream socket with a deadline (`time.monotonic`)."""

from __future__ import annotations

import errno
import socket
import time


def remaining_s(deadline: float) -> float:
    """Return the seconds until the deadline; raises TimeoutError when it has passed."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining


def receive_exactly(sock: socket.socket, size_bytes: int, deadline: float) -> bytes:
    """Receive this many bytes; raises TimeoutError, or OSError when the peer closes before."""
    received = bytearray()
    while len(received) < size_bytes:
        sock.settimeout(remaining_s(deadline))
        part = sock.recv(size_bytes - len(received))
        if not part:
            raise ConnectionAbortedError(errno.ECONNABORTED, "it closed the connection early")
        received += part
    return bytes(received)
