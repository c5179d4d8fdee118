"""Transfers out: whole zones from the cache, differences from the journal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from designate import errors, metrics
from designate.context import admin_context
from designate.mdns import corrupt_records
from designate.mdns.zone_cache import ZoneCache
from designate.model.zones import ZoneType
from designate.rpc.interfaces import WorkerApi
from designate.storage.sqlalchemy import journal, serving
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.serving import ServedZone, View
from designate.wire import names, packet, rr, transfer_out, validation

LOG = logging.getLogger(__name__)

# A difference of one short message is always sent, however small the zone is.
IXFR_MIN_BYTES = 4096
IXFR_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferQuery:
    """A query for a transfer.

    Attributes:
        number: id of the query.
        flags: flags of the query.
        peer: address of the client.
        payload: size in the client's OPT record; None without one.
        soa: data of the SOA of an IXFR's client.
        signature_bytes: maximum size of the signature of each message.
    """

    number: int
    flags: int
    question: packet.Question
    peer: str
    tcp: bool
    payload: int | None
    soa: bytes = b""
    signature_bytes: int = 0

    @property
    def serial(self) -> int:
        """The serial of an IXFR's client."""
        return rr.serial_of(self.soa)


class ZoneExpired(errors.Unavailable):
    """Raised when the zone has expired, so its data must not be served."""


class Transfers:
    """Answers transfer queries. Thread-safe.

    The methods return the messages of one answer, or None when the zone is not served; they raise
    ZoneExpired. After the last message a worker is notified that the client has the zone.
    """

    def __init__(
        self,
        database: Database,
        cache: ZoneCache,
        worker: WorkerApi,
        *,
        body_bytes: int,
        ixfr_max_steps: int,
    ) -> None:
        self._database = database
        self._cache = cache
        self._worker = worker
        self._body_bytes = body_bytes
        self._ixfr_max_steps = ixfr_max_steps

    def axfr(self, request: TransferQuery, view: View) -> Iterator[bytes] | None:
        """Return the messages of a whole zone (RFC 5936); over TCP only."""
        with self._database.read() as connection:
            zone = _check_expiry(serving.find_zone(connection, view, [request.question.key]))
        return None if zone is None else self._whole(request, view, zone)

    def ixfr(self, request: TransferQuery, view: View) -> Iterator[bytes] | None:
        """Return the messages of the changes since the client's serial (RFC 1995).

        It is one SOA when nothing changed, or over UDP when the answer does not fit (section 2). It is
        the whole zone when the journal does not reach back or would be larger (section 4).
        """
        with self._database.read() as connection:
            zone = _check_expiry(serving.find_zone(connection, view, [request.question.key]))
            if zone is None:
                return None
            current = names.serial_ge(request.serial, zone.serial)
            steps = [] if current else self._steps(connection, zone, request)
        if steps is None and request.tcp:
            return self._whole(request, view, zone)
        pieces = transfer_out.ixfr_pieces(zone.ttl, zone.soa_wire, steps or ())
        # Over UDP it is one message, whose size has been checked.
        bodies = transfer_out.join_pieces(
            pieces, self._body_bytes if request.tcp else packet.MAX_MESSAGE_BYTES
        )
        return self._send(request, zone, bodies, "ixfr", notify=bool(steps))

    def _whole(
        self, request: TransferQuery, view: View, zone: ServedZone
    ) -> Iterator[bytes] | None:
        found = self._cache.transfer(zone, view)
        return None if found is None else self._send(request, *found, "axfr", notify=True)

    def _steps(
        self, connection: sa.Connection, zone: ServedZone, request: TransferQuery
    ) -> list[bytes] | None:
        span = journal.find_span(connection, zone.id, request.serial)
        if span is None or not span.complete or span.steps > self._ixfr_max_steps:
            return None
        if span.size_bytes > self._max_steps_bytes(zone, request):
            return None
        steps = journal.read_steps(connection, zone.id, span.first, request.serial, zone.serial)
        if steps is not None and not all(map(validation.all_readable, steps)):
            corrupt_records.report(zone.id, "a journal step")
            return None
        if steps and zone.type == ZoneType.CATALOG and not _begins_at(steps[0], request.soa):
            return None
        return steps

    def _max_steps_bytes(self, zone: ServedZone, request: TransferQuery) -> int:
        """Return the size limit of the journal steps in an answer."""
        if request.tcp:
            half = self._cache.size_of(zone) // 2
            return min(max(half, IXFR_MIN_BYTES), IXFR_MAX_BYTES)
        reply_bytes = packet.max_reply_bytes(tcp=False, payload=request.payload)
        framing = 2 * len(transfer_out.ixfr_pieces(zone.ttl, zone.soa_wire, ())[0][1])
        opt = 0 if request.payload is None else packet.OPT_LENGTH
        used_bytes = packet.HEADER.size + len(request.question.wire) + framing + opt
        return reply_bytes - used_bytes - request.signature_bytes

    def _send(
        self,
        request: TransferQuery,
        zone: ServedZone,
        bodies: Iterator[transfer_out.Body],
        kind: str,
        *,
        notify: bool,
    ) -> Iterator[bytes]:
        metrics.TRANSFERS.labels(kind).inc()
        sent = metrics.TRANSFER_BYTES.labels(kind)
        for message in transfer_out.messages(
            request.number,
            request.flags,
            request.question.wire,
            bodies,
            edns=request.payload is not None,
        ):
            sent.inc(len(message))
            yield message
        if not notify:
            return
        LOG.debug("zone %s: serial %d sent to %s", zone.id, zone.serial, request.peer)
        try:
            self._worker.zone_served(admin_context(), zone.id, zone.serial, request.peer)
        except errors.DesignateError as error:
            LOG.warning("zone %s: no worker notified of a transfer: %s", zone.id, error)


def _begins_at(step: bytes, soa: bytes) -> bool:
    """Return whether a journal step is one from this SOA, not from another with its serial.

    A difference would be added to another database's catalog of that serial.
    """
    return rr.is_same_soa(rr.first_rdata(step), soa)


def _check_expiry(zone: ServedZone | None) -> ServedZone | None:
    if zone is not None and zone.expired:
        raise ZoneExpired
    return zone
