"""One TCP connection of MiniDNS: queries are read while transfers are still being sent.

Ordinary queries are answered at once and in order; transfers go on beside them, so that an answer may
overtake one that was asked for earlier (RFC 7766 section 6.2.1.1) and come between its messages. One thread
reads. Every call on the socket is under one lock and the waiting is not, since a TLS session can be read
or written at a time, not both.
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

from designate.mdns.handler import TRANSFERS, Handler
from designate.runtime.cooperative import yield_to_others
from designate.wire import packet

LOG = logging.getLogger(__name__)

MOST_TRANSFERS = 4
PIECE_BYTES = 65536
# TimeoutError: a TLS socket of green threads that is not to wait.
_NOT_YET = (BlockingIOError, TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Conversation:
    """The queries of one connection and their answers. `run` in one thread.

    silence_s: between queries, and for each to arrive. send_s: for each message of an answer. end: of
    the whole, by the monotonic clock.
    """

    def __init__(
        self,
        sock: socket.socket,
        peer: str,
        handler: Handler,
        *,
        silence_s: float,
        send_s: float,
        end: float,
    ) -> None:
        self._sock = sock
        self._peer = peer
        self._handler = handler
        self._silence_s = silence_s
        self._send_s = send_s
        self._end = end
        self._lock = threading.Lock()
        self._transfers: list[threading.Thread] = []
        self._received = bytearray()
        self._stopping = False
        self._since: float | None = monotonic()

    @property
    def silent_since(self) -> float | None:
        """When the last answer was sent; None while there is one to send."""
        return None if any(map(threading.Thread.is_alive, self._transfers)) else self._since

    def run(self) -> None:
        """Until the peer has closed, was silent or slow, or the time is up; then the transfers that
        are under way are sent to their end. Raises OSError."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            try:
                while not self._stopping and monotonic() < self._end:
                    wire = self._message(selector)
                    if wire is None:
                        return
                    self._since = None
                    self._take(wire)
                    self._since = monotonic()
            finally:
                for thread in self._transfers:
                    thread.join()

    def stop(self) -> None:
        """Read nothing further."""
        self._stopping = True

    def _take(self, wire: bytes) -> None:
        """Answer a query, or begin to; beyond MOST_TRANSFERS wait for one to be done."""
        if not _is_transfer(wire):
            self._answer(wire)
            return
        while len(self._transfers) >= MOST_TRANSFERS:
            self._transfers.pop(0).join()
        thread = threading.Thread(
            target=self._transfer, args=(wire,), name="mdns-transfer", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            LOG.warning("a transfer to %s got no thread of its own", self._peer)
            self._answer(wire)
            return
        self._transfers = [other for other in self._transfers if other.is_alive()]
        self._transfers.append(thread)

    def _transfer(self, wire: bytes) -> None:
        try:
            self._answer(wire)
        except OSError as error:
            LOG.debug("a transfer to %s ended: %s", self._peer, error)
            # Half a message may have been sent, so there is nothing left to say.
            self._stopping = True
        finally:
            self._since = monotonic()

    def _answer(self, wire: bytes) -> None:
        replies: Iterator[bytes] = self._handler.handle(wire, self._peer, tcp=True)
        with closing(replies):  # type: ignore[type-var]  # handle is a generator
            for number, reply in enumerate(replies):
                if number:
                    yield_to_others()  # locks are not fair: one may wait for this one
                with self._lock:
                    left_s = self._end - monotonic()
                    if left_s <= 0:
                        raise TimeoutError("the connection's time is up")
                    self._sock.settimeout(min(self._send_s, left_s))
                    self._sock.sendall(len(reply).to_bytes(2) + reply)

    # -- reading ---------------------------------------------------------------------------------

    def _message(self, selector: selectors.BaseSelector) -> bytes | None:
        """The next query; None: there is none to come."""
        length = self._exactly(2, selector)
        if length is None:
            return None
        size = int.from_bytes(length)
        return None if size < packet.HEADER.size else self._exactly(size, selector)

    def _exactly(self, size: int, selector: selectors.BaseSelector) -> bytes | None:
        deadline = monotonic() + self._silence_s
        while len(self._received) < size:
            piece = self._piece()
            if piece == b"" or self._stopping:
                return None
            if piece is None:
                # Who waits for a transfer to arrive is not silent.
                deadline = max(deadline, (self.silent_since or monotonic()) + self._silence_s)
                left_s = min(deadline, self._end) - monotonic()
                if left_s <= 0:
                    return None
                selector.select(left_s)
            else:
                self._received += piece
        found = bytes(self._received[:size])
        del self._received[:size]
        return found

    def _piece(self) -> bytes | None:
        """What has arrived; None: nothing yet; empty: the peer has closed."""
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
