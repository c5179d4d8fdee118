"""Transfers in: a zone, or what changed in it, from one of its primaries over TCP.

A primary is whatever a user named, so everything that it can use up has a bound: the time for the whole
and for each message, bytes, records, and what is held in memory (one message and one chunk). Trouble of any
kind is TransferFailed. What arrived is handed on in chunks while it arrives, and counts only once `fetch`
has answered.
"""

from __future__ import annotations

import logging
import socket
import struct
import time
from dataclasses import dataclass
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
from designate.wire import resolver, tsig_keys
from designate.wire.transfer_assembler import TransferAssembler, TransferFailed, TransferKind

LOG = logging.getLogger(__name__)

CHUNK_BYTES = 512 * 1024
# RFC 8945 section 5.3.1: a primary signs at least each hundredth message.
MOST_UNSIGNED = 99
_MALFORMED = (
    dns.exception.DNSException,
    ValueError,
    IndexError,
    OverflowError,
    RecursionError,
    struct.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLimits:
    """deadline_s: for one primary, all attempts together. read_s: for one message to arrive and be
    read. records, size_bytes: of one transfer."""

    deadline_s: float
    read_s: float
    records: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Primary:
    """host: an address, or a name whose addresses are tried in turn. key: signs the query, and then
    every answer must be signed too."""

    host: str
    port: int
    key: tsig_keys.SigningKey | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedTransfer:
    """serial: the primary's. records, size_bytes: kept, for a difference deletions too."""

    kind: TransferKind
    serial: int
    records: int = 0
    size_bytes: int = 0


class TransferSink(Protocol):
    """Takes chunks of about CHUNK_BYTES of stored RRs (see wire.assembly), cut between RRs."""

    def put(self, chunk: bytes) -> None: ...

    def reset(self) -> None:
        """Forget all chunks: they are sent anew."""
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
    """Transfer the zone into the sink: the difference from `since` where the primary gives one, else
    the whole (RFC 1995 section 4). newer_than: see wire.assembly.

    Raises TransferFailed; then, and for CURRENT, the sink's content means nothing. Thread-safe.
    """
    deadline = time.monotonic() + limits.deadline_s
    if since is not None:
        try:
            return _Transfer(primary, zone, limits, sink, since, newer_than).run(deadline)
        except TransferFailed as error:
            if error.final or time.monotonic() >= deadline:
                raise
            LOG.debug("zone %s: %s gives no difference: %s", zone, primary, error.message)
    return _Transfer(primary, zone, limits, sink, None, newer_than).run(deadline)


class _Transfer:
    """One query and its answer."""

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
        self._since = since
        self._assembler = TransferAssembler(self._zone, since, newer_than)
        self._query = self._make_query()
        self._wire = self._query.to_wire()
        self._signing: dns.tsig.HMACTSig | None = None
        self._unsigned = 0
        self._seen = 0
        self._records = 0
        self._received_bytes = 0
        self._kept_bytes = 0
        self._parts: list[bytes] = []
        self._parts_bytes = 0

    def _make_query(self) -> dns.message.Message:
        rtype = dns.rdatatype.AXFR if self._since is None else dns.rdatatype.IXFR
        query = dns.message.make_query(self._zone, rtype, flags=0)
        if self._since is not None:
            text = f". . {self._since} 0 0 0 0"
            soa = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.SOA, text)
            query.authority.append(dns.rrset.from_rdata(self._zone, 0, soa))
        key = self._primary.key
        if key is not None:
            query.use_tsig(tsig_keys.for_dnspython(key))
        return query

    def run(self, deadline: float) -> ReceivedTransfer:
        self._sink.reset()
        with self._connect(deadline) as sock:
            try:
                sock.settimeout(_left(deadline))
                sock.sendall(struct.pack(">H", len(self._wire)) + self._wire)
                while not self._assembler.done:
                    until = min(deadline, time.monotonic() + self._limits.read_s)
                    self._take(self._message(sock, until), until)
                    yield_to_others()
            except TimeoutError:
                raise TransferFailed("it took too long", final=True) from None
            except OSError as error:
                raise TransferFailed(errors.said(error)) from None
        if self._query.keyring and self._unsigned:
            raise TransferFailed("its last message is not signed")
        if self._assembler.dropped:
            LOG.warning(
                "zone %s: %d records outside of it were left out of the transfer from %s",
                self._zone, self._assembler.dropped, self._primary,
            )  # fmt: skip
        self._flush()
        return ReceivedTransfer(
            kind=self._assembler.kind,
            serial=self._assembler.serial,
            records=self._records,
            size_bytes=self._kept_bytes,
        )

    def _connect(self, deadline: float) -> socket.socket:
        trouble = "it has no address"
        for address in resolver.addresses(self._primary.host):
            try:
                timeout_s = min(self._limits.read_s, _left(deadline))
                return socket.create_connection((address, self._primary.port), timeout_s)
            except TimeoutError:
                trouble = "it cannot be reached in time"
            except OSError as error:
                trouble = errors.said(error)
        raise TransferFailed(trouble, final=True)

    def _message(self, sock: socket.socket, until: float) -> bytes:
        length = int.from_bytes(_receive(sock, 2, until))
        self._received_bytes += length
        if self._received_bytes > self._limits.size_bytes:
            raise TransferFailed(f"it sends more than {self._limits.size_bytes} bytes", final=True)
        return _receive(sock, length, until)

    def _take(self, wire: bytes, until: float) -> None:
        for rrset in self._read(wire).answer:
            for rdata in rrset:
                self._records += 1
                if self._records > self._limits.records:
                    problem = f"it sends more than {self._limits.records} records"
                    raise TransferFailed(problem, final=True)
                self._keep(self._assembler.take(rrset.name, rrset.ttl, rdata))
                if self._assembler.kind is TransferKind.CURRENT:
                    return
        # Names that are dear to read are no way to hold a worker.
        _left(until)

    def _read(self, wire: bytes) -> dns.message.Message:
        """The message, after all checks that are not about its records."""
        if wire[:2] != self._wire[:2]:
            raise TransferFailed("its answer belongs to another question")
        try:
            message = dns.message.from_wire(
                wire,
                keyring=self._query.keyring,
                request_mac=self._query.mac,
                xfr=True,
                tsig_ctx=self._signing,
                multi=True,
                one_rr_per_rrset=True,
            )
        except dns.tsig.PeerError as error:
            raise TransferFailed(f"it refuses the TSIG key: {type(error).__name__}") from None
        except (dns.tsig.BadSignature, dns.tsig.BadTime, dns.message.UnknownTSIGKey) as error:
            raise TransferFailed(f"its signature is wrong: {type(error).__name__}") from None
        except _MALFORMED:
            raise TransferFailed("it sent a malformed message") from None
        self._check_signature(message)
        if message.rcode() != dns.rcode.NOERROR:
            raise TransferFailed(f"it answered {dns.rcode.to_text(message.rcode())}")
        if message.opcode() != dns.opcode.QUERY or not message.flags & dns.flags.QR:
            raise TransferFailed("it sent something else than an answer")
        if message.flags & dns.flags.TC:
            raise TransferFailed("its answer is truncated")
        self._check_question(message)
        if not message.answer:
            raise TransferFailed("it sent a message without records")
        self._seen += 1
        return message

    def _check_signature(self, message: dns.message.Message) -> None:
        if not self._query.keyring:
            return
        self._signing = message.tsig_ctx
        self._unsigned = 0 if message.had_tsig else self._unsigned + 1
        if self._unsigned > (MOST_UNSIGNED if self._seen else 0):
            raise TransferFailed("its answer is not signed")

    def _check_question(self, message: dns.message.Message) -> None:
        """Only the first message has to repeat it (RFC 5936 section 2.2.1)."""
        asked = self._query.question[0]
        if not message.question:
            if not self._seen:
                raise TransferFailed("its answer has no question")
            return
        found = message.question[0]
        if len(message.question) > 1 or (found.name, found.rdtype) != (asked.name, asked.rdtype):
            raise TransferFailed("its answer belongs to another question")

    def _keep(self, wire: bytes) -> None:
        if not wire:
            return
        self._kept_bytes += len(wire)
        if self._kept_bytes > self._limits.size_bytes:
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


def _receive(sock: socket.socket, size_bytes: int, until: float) -> bytes:
    received = bytearray()
    while len(received) < size_bytes:
        sock.settimeout(_left(until))
        part = sock.recv(size_bytes - len(received))
        if not part:
            raise TransferFailed("it closed the connection in the middle")
        received += part
    return bytes(received)


def _left(until: float) -> float:
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
