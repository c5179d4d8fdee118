"""One TCP connection of MiniDNS, which reads queries while transfers are being sent.

Ordinary queries are answered at once and in order. Transfers run in parallel, so an answer may be sent
before that to an earlier query (RFC 7766 section 6.2.1.1) and between its messages. One thread reads.
Every call on the socket holds one lock, since a TLS session cannot be read and written at the same time;
waiting does not hold it.
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from time import monotonic

from designate.mdns.handler import TRANSFERS, MessageHandler
from designate.runtime.cooperative import yield_to_others
from designate.wire import packet

LOG = logging.getLogger(__name__)

MAX_TRANSFERS = 4
PIECE_BYTES = 65536
# TimeoutError: from a non-blocking TLS socket of green threads.
_NOT_YET = (BlockingIOError, TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class TcpConnection:
    """Answers the queries of one connection; `run` is called in one thread."""

    def __init__(
        self,
        sock: socket.socket,
        peer: str,
        handler: MessageHandler,
        *,
        idle_s: float,
        send_s: float,
        end: float,
    ) -> None:
        """Serve a socket, which the caller closes.

        Args:
            sock: the connection.
            peer: address of the client.
            handler: answers the queries.
            idle_s: maximum time between queries, and for each to arrive.
            send_s: maximum time for each message of an answer.
            end: when the connection ends, by the monotonic clock.
        """
        self._sock = sock
        self._peer = peer
        self._handler = handler
        self._idle_s = idle_s
        self._send_s = send_s
        self._end = end
        self._lock = threading.Lock()
        self._transfers: list[threading.Thread] = []
        self._received = bytearray()
        self._stopping = False
        self._idle_since: float | None = monotonic()

    @property
    def idle_since(self) -> float | None:
        """When the last answer was sent; None while one is being sent."""
        return None if any(map(threading.Thread.is_alive, self._transfers)) else self._idle_since

    def run(self) -> None:
        """Serve until the peer closes, is idle or too slow, or the time is up. Raises OSError.

        The transfers in progress are sent completely before it returns.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            try:
                while not self._stopping and monotonic() < self._end:
                    wire = self._message(selector)
                    if wire is None:
                        return
                    self._idle_since = None
                    self._handle(wire)
                    self._idle_since = monotonic()
            finally:
                for thread in self._transfers:
                    thread.join()

    def stop(self) -> None:
        """Read no further query."""
        self._stopping = True

    def _handle(self, wire: bytes) -> None:
        """Answer a query, or start its transfer; beyond MAX_TRANSFERS wait until one has ended."""
        if not _is_transfer(wire):
            self._answer(wire)
            return
        while len(self._transfers) >= MAX_TRANSFERS:
            self._transfers.pop(0).join()
        thread = threading.Thread(
            target=self._transfer, args=(wire,), name="mdns-transfer", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            LOG.warning(
                "client %s: no thread could be started for a transfer",
                self._peer,
            )
            self._answer(wire)
            return
        self._transfers = [other for other in self._transfers if other.is_alive()]
        self._transfers.append(thread)

    def _transfer(self, wire: bytes) -> None:
        try:
            self._answer(wire)
        except OSError as error:
            LOG.debug("client %s: transfer aborted: %s", self._peer, error)
            # A message may have been sent in part, so the connection is unusable.
            self._stopping = True
        finally:
            self._idle_since = monotonic()

    def _answer(self, wire: bytes) -> None:
        replies: Iterator[bytes] = self._handler.handle(wire, self._peer, tcp=True)
        with closing(replies):  # type: ignore[type-var]  # handle is a generator
            for number, reply in enumerate(replies):
                if number:
                    yield_to_others()  # locks are not fair, and another thread may wait for this one
                with self._lock:
                    remaining_s = self._end - monotonic()
                    if remaining_s <= 0:
                        raise TimeoutError("the connection's time is up")
                    self._sock.settimeout(min(self._send_s, remaining_s))
                    self._sock.sendall(len(reply).to_bytes(2) + reply)

    # -- reading ---------------------------------------------------------------------------------

    def _message(self, selector: selectors.BaseSelector) -> bytes | None:
        """Return the next query; None at the end."""
        length = self._exactly(2, selector)
        if length is None:
            return None
        size = int.from_bytes(length)
        return None if size < packet.HEADER.size else self._exactly(size, selector)

    def _exactly(self, size: int, selector: selectors.BaseSelector) -> bytes | None:
        deadline = monotonic() + self._idle_s
        while len(self._received) < size:
            piece = self._piece()
            if piece == b"" or self._stopping:
                return None
            if piece is None:
                # A client that is receiving a transfer is not idle.
                deadline = max(deadline, (self.idle_since or monotonic()) + self._idle_s)
                remaining_s = min(deadline, self._end) - monotonic()
                if remaining_s <= 0:
                    return None
                selector.select(remaining_s)
            else:
                self._received += piece
        found = bytes(self._received[:size])
        del self._received[:size]
        return found

    def _piece(self) -> bytes | None:
        """Return received bytes; None: nothing yet; empty: the peer has closed."""
        with self._lock:
            self._sock.settimeout(0)
            try:
                return self._sock.recv(PIECE_BYTES)
            except _NOT_YET:
                return None


def _is_transfer(wire: bytes) -> bool:
    try:
        return packet.question(wire).rtype in TRANSFERS
    except ValueError:
        return False
