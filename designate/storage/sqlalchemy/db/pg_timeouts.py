"""PostgreSQL connections with a timeout for every wait for the server.

libpq has a timeout for connecting only: a server that hangs, or a network that drops what is sent, would
block a thread until the kernel gives up. Imported only where PostgreSQL is used.
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
    """A connection that raises when the server does not reply within `timeout_s` + SLACK_S.

    The server's own statement_timeout comes SLACK_S earlier and keeps the connection usable.
    """

    timeout_s: float | None = None

    def wait(self, gen: Generator[Wait, Ready | int, T], *args: Any, **kwargs: Any) -> T:
        """Drive one exchange with the server.

        Raises:
            OperationalError: The timeout has passed. The connection is closed then, because a late
                reply could not be distinguished from the next one.
        """
        if self.timeout_s is None:
            return super().wait(gen, *args, **kwargs)
        deadline_s = time.monotonic() + self.timeout_s + SLACK_S
        try:
            events = next(gen)
            while True:
                remaining_s = deadline_s - time.monotonic()
                if remaining_s <= 0:
                    self.close()
                    raise psycopg.OperationalError("the server did not reply in time")
                events = gen.send(_ready(self.pgconn.socket, events, remaining_s))
        except StopIteration as done:
            result: T = done.value
            return result


def connect(timeout_s: float | None, *args: Any, **kwargs: Any) -> BoundedConnection:
    """Connect with a timeout in seconds for each exchange; None: without."""
    connection = BoundedConnection.connect(*args, **kwargs)
    connection.timeout_s = timeout_s
    return connection


def _ready(socket: int, events: Wait, timeout_s: float) -> Ready:
    """Return what the socket is ready for; NONE after the timeout."""
    if not hasattr(select, "poll"):  # green threads have none
        readers = [socket] if events & Wait.R else []
        writers = [socket] if events & Wait.W else []
        readable, writable, _ = select.select(readers, writers, [], timeout_s)
        return Ready((Ready.R if readable else 0) | (Ready.W if writable else 0))
    poll = select.poll()
    poll.register(
        socket,
        (select.POLLIN if events & Wait.R else 0) | (select.POLLOUT if events & Wait.W else 0),
    )
    found = poll.poll(timeout_s * 1000)
    if not found:
        return Ready.NONE
    event = found[0][1]
    if event & (select.POLLHUP | select.POLLERR):
        # The driver gets the error by trying.
        return Ready(int(events))
    return Ready(
        (Ready.R if event & select.POLLIN else 0) | (Ready.W if event & select.POLLOUT else 0)
    )
