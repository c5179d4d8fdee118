"""Transfers in: a zone, or its changes, from one of its primaries over TCP.

A primary is any host that a user named, so all resources have a bound: the time in total and per message,
bytes, records, and memory (one message and one chunk). Every failure is TransferFailed. Records are
passed on in chunks while they arrive, and are valid only once `fetch` has returned.
"""

from __future__ import annotations

import logging
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Protocol

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig

from designate import errors
from designate.runtime.cooperative import yield_to_others
from designate.wire import tsig_keys
from designate.wire.primary_rules import PrimaryRules, RefusedPrimary
from designate.wire.sockets import receive_exactly, remaining_s
from designate.wire.transfer_assembler import TransferAssembler, TransferFailed, TransferKind
from designate.wire.transfer_messages import TransferMessages

LOG = logging.getLogger(__name__)

CHUNK_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLimits:
    """Limits of transfers from one primary.

    Attributes:
        deadline_s: for all attempts.
        read_s: for one message to arrive and be parsed.
        records: per transfer.
        size_bytes: per transfer.
    """

    deadline_s: float
    read_s: float
    records: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Primary:
    """A nameserver to transfer a zone from.

    Attributes:
        host: an address, or a name whose addresses are tried in turn.
        key: signs the query; the answer must be signed too.
        rules: which of its addresses may be connected to.
    """

    host: str
    port: int
    key: tsig_keys.SigningKey | None = None
    rules: PrimaryRules = field(default_factory=PrimaryRules, repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedTransfer:
    """The result of a transfer.

    Attributes:
        serial: serial of the primary.
        records: number passed to the sink, for a difference including deletions.
        size_bytes: size of these records.
    """

    kind: TransferKind
    serial: int
    records: int = 0
    size_bytes: int = 0


class TransferSink(Protocol):
    """Receives the records of a transfer."""

    def put(self, chunk: bytes) -> None:
        """Add about CHUNK_BYTES of whole stored RRs (see wire.transfer_assembler)."""
        ...

    def reset(self) -> None:
        """Discard all chunks, because the transfer starts again."""
        ...


def fetch(
    primary: Primary,
    zone: str,
    limits: TransferLimits,
    sink: TransferSink,
    *,
    since: int | None = None,
    newer_than: int | None = None,
) -> ReceivedTransfer:
    """Transfer the zone into the sink (RFC 1995 section 4). Thread-safe.

    Args:
        primary: the nameserver to transfer from.
        zone: name of the zone.
        limits: bounds of time and size.
        sink: receives the records; its content is invalid after an error and for CURRENT.
        since: request the difference from this serial, and the whole zone if that fails.
        newer_than: see TransferAssembler.

    Raises:
        TransferFailed: no transfer succeeded.
    """
    deadline = time.monotonic() + limits.deadline_s
    if since is not None:
        try:
            return _Transfer(primary, zone, limits, sink, since, newer_than).run(deadline)
        except TransferFailed as error:
            if error.final or time.monotonic() >= deadline:
                raise
            LOG.debug(
                "zone %s: IXFR from %s failed, falling back to AXFR: %s",
                zone,
                primary,
                error.message,
            )
    return _Transfer(primary, zone, limits, sink, None, newer_than).run(deadline)


class _Transfer:
    """One transfer: the query and all messages of its answer."""

    def __init__(
        self,
        primary: Primary,
        zone: str,
        limits: TransferLimits,
        sink: TransferSink,
        since: int | None,
        newer_than: int | None,
    ) -> None:
        self._primary = primary
        self._zone = dns.name.from_text(zone)
        self._limits = limits
        self._sink = sink
        self._assembler = TransferAssembler(self._zone, since, newer_than)
        self._messages = TransferMessages(self._zone, since, primary.key)
        self._records = 0
        self._received_bytes = 0
        self._zone_bytes = 0
        self._parts: list[bytes] = []
        self._parts_bytes = 0

    def run(self, deadline: float) -> ReceivedTransfer:
        self._sink.reset()
        query = self._messages.query_wire
        with self._connect(deadline) as sock:
            try:
                sock.settimeout(remaining_s(deadline))
                sock.sendall(struct.pack(">H", len(query)) + query)
                while not self._assembler.done:
                    until = min(deadline, time.monotonic() + self._limits.read_s)
                    self._take(self._message(sock, until), until)
                    yield_to_others()
            except TimeoutError:
                raise TransferFailed("it took too long", final=True) from None
            except OSError as error:
                raise TransferFailed(errors.os_error_text(error)) from None
        self._messages.check_end()
        if self._assembler.dropped:
            LOG.warning(
                "zone %s: omitted %d records outside the zone from the transfer from %s",
                self._zone, self._assembler.dropped, self._primary,
            )  # fmt: skip
        self._flush()
        return ReceivedTransfer(
            kind=self._assembler.kind,
            serial=self._assembler.serial,
            records=self._records,
            size_bytes=self._zone_bytes,
        )

    def _connect(self, deadline: float) -> socket.socket:
        host, port = self._primary.host, self._primary.port
        problem = "it has no address"
        try:
            addresses = self._primary.rules.socket_addresses(host, port)
        except RefusedPrimary as error:
            raise TransferFailed(str(error), final=True) from None
        for _, address in addresses:
            try:
                timeout_s = min(self._limits.read_s, remaining_s(deadline))
                return socket.create_connection((address, port), timeout_s)
            except TimeoutError:
                problem = "it cannot be reached in time"
            except OSError as error:
                problem = errors.os_error_text(error)
        raise TransferFailed(problem, final=True)

    def _message(self, sock: socket.socket, until: float) -> bytes:
        length = int.from_bytes(receive_exactly(sock, 2, until))
        self._received_bytes += length
        if self._received_bytes > self._limits.size_bytes:
            raise TransferFailed(f"it sends more than {self._limits.size_bytes} bytes", final=True)
        return receive_exactly(sock, length, until)

    def _take(self, wire: bytes, until: float) -> None:
        for rrset in self._messages.parse(wire).answer:
            for rdata in rrset:
                self._records += 1
                if self._records > self._limits.records:
                    problem = f"it sends more than {self._limits.records} records"
                    raise TransferFailed(problem, final=True)
                self._add(self._assembler.take(rrset.name, rrset.ttl, rdata))
                if self._assembler.kind is TransferKind.CURRENT:
                    return
        # Names that are expensive to parse must not occupy a worker for longer.
        remaining_s(until)

    def _add(self, wire: bytes) -> None:
        if not wire:
            return
        self._zone_bytes += len(wire)
        if self._zone_bytes > self._limits.size_bytes:
            problem = f"the zone is larger than {self._limits.size_bytes} bytes"
            raise TransferFailed(problem, final=True)
        self._parts.append(wire)
        self._parts_bytes += len(wire)
        if self._parts_bytes >= CHUNK_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._parts:
            self._sink.put(b"".join(self._parts))
        self._parts, self._parts_bytes = [], 0
