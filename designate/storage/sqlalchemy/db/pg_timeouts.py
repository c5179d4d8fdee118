"""PostgreSQL connections whose every wait for the server has a deadline.

libpq knows deadlines for connecting only: a server that hangs, or a network that swallows what is sent,
would hold a thread until the kernel gives up. Imported only where PostgreSQL is used.
"""

from __future__ import annotations

import select
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.waiting import Ready, Wait

T = TypeVar("T")
SLACK_S = 1.0


class BoundedConnection(psycopg.Connection[Any]):
    """The server's own statement_timeout comes first, SLACK_S before this one: it keeps the
    connection."""

    limit_s: float | None = None

    def wait(self, gen: Generator[Wait, Ready | int, T], *args: Any, **kwargs: Any) -> T:
        """Drive one exchange with the server. Raises OperationalError after the deadline; the
        connection is closed then, for what is on its way cannot be told from the next answer."""
        if self.limit_s is None:
            return super().wait(gen, *args, **kwargs)
        deadline_s = time.monotonic() + self.limit_s + SLACK_S
        try:
            wanted = next(gen)
            while True:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    self.close()
                    raise psycopg.OperationalError("the server did not answer in time")
                wanted = gen.send(_ready(self.pgconn.socket, wanted, left_s))
        except StopIteration as done:
            result: T = done.value
            return result


def connect(limit_s: float | None, *args: Any, **kwargs: Any) -> BoundedConnection:
    connection = BoundedConnection.connect(*args, **kwargs)
    connection.limit_s = limit_s
    return connection


def _ready(socket: int, wanted: Wait, timeout_s: float) -> Ready:
    """What the socket is ready for; NONE after the timeout."""
    if not hasattr(select, "poll"):  # green threads have none, and few sockets
        readers = [socket] if wanted & Wait.R else []
        writers = [socket] if wanted & Wait.W else []
        readable, writable, _ = select.select(readers, writers, [], timeout_s)
        return Ready((Ready.R if readable else 0) | (Ready.W if writable else 0))
    poll = select.poll()
    poll.register(
        socket,
        (select.POLLIN if wanted & Wait.R else 0) | (select.POLLOUT if wanted & Wait.W else 0),
    )
    found = poll.poll(timeout_s * 1000)
    if not found:
        return Ready.NONE
    event = found[0][1]
    if event & (select.POLLHUP | select.POLLERR):
        # The driver finds out by trying.
        return Ready(int(wanted))
    return Ready(
        (Ready.R if event & select.POLLIN else 0) | (Ready.W if event & select.POLLOUT else 0)
    )
