"""Outgoing transfers: whole zones from the cache, differences from the journal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from designate import errors, metrics
from designate.context import admin_context
from designate.mdns import corrupt_records
from designate.mdns.zone_cache import ZoneCache
from designate.rpc.interfaces import WorkerApi
from designate.storage.sqlalchemy import journal, serving
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.serving import ServedZone, View
from designate.wire import names, packet, transfer_out, validation

LOG = logging.getLogger(__name__)

# One short message costs nobody anything, however small the zone is.
IXFR_ALWAYS_BYTES = 4096
IXFR_MOST_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A query for a transfer. peer: the client's address; payload: what its OPT says, None without
    one; serial: what an IXFR's client has; signature_bytes: what a signature adds to each message."""

    number: int
    flags: int
    question: packet.Question
    peer: str
    tcp: bool
    payload: int | None
    serial: int = 0
    signature_bytes: int = 0


class Expired(errors.Unavailable):
    """The zone is known and its data is too old to be given to anybody."""


class Transfers:
    """Thread-safe. Every method gives the messages of one answer, or None when the zone is not served.

    Raises Expired. After the last message was taken the workers get the hint that this client has the zone.
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

    def whole(self, request: Request, view: View) -> Iterator[bytes] | None:
        """The zone (RFC 5936); over TCP only."""
        with self._database.read() as connection:
            zone = _fresh(serving.find_zone(connection, view, [request.question.key]))
        return None if zone is None else self._whole(request, view, zone)

    def difference(self, request: Request, view: View) -> Iterator[bytes] | None:
        """What changed since the client's serial; one SOA when nothing did, or over UDP when the
        answer does not fit (RFC 1995 section 2); the whole zone when the journal does not reach back
        or would be the longer way (section 4)."""
        with self._database.read() as connection:
            zone = _fresh(serving.find_zone(connection, view, [request.question.key]))
            if zone is None:
                return None
            current = names.serial_ge(request.serial, zone.serial)
            steps = [] if current else self._steps(connection, zone, request)
        if steps is None and request.tcp:
            return self._whole(request, view, zone)
        pieces = transfer_out.ixfr_pieces(zone.ttl, zone.soa_wire, steps or ())
        # Over UDP it is one message, and has been found to fit.
        bodies = transfer_out.join_pieces(
            pieces, self._body_bytes if request.tcp else packet.MAX_MESSAGE_BYTES
        )
        return self._told(request, zone, bodies, "ixfr", hint=bool(steps))

    def _whole(self, request: Request, view: View, zone: ServedZone) -> Iterator[bytes] | None:
        found = self._cache.transfer(zone, view)
        return None if found is None else self._told(request, *found, "axfr", hint=True)

    def _steps(
        self, connection: sa.Connection, zone: ServedZone, request: Request
    ) -> list[bytes] | None:
        span = journal.find_span(connection, zone.id, request.serial)
        if span is None or not span.complete or span.steps > self._ixfr_max_steps:
            return None
        if span.size_bytes > self._largest(zone, request):
            return None
        steps = journal.read_steps(connection, zone.id, span.first, request.serial, zone.serial)
        if steps is not None and not all(map(validation.all_readable, steps)):
            corrupt_records.complain(zone.id, "a step of its journal")
            return None
        return steps

    def _largest(self, zone: ServedZone, request: Request) -> int:
        """Bytes of steps that may be sent."""
        if request.tcp:
            half = self._cache.size_of(zone) // 2
            return min(max(half, IXFR_ALWAYS_BYTES), IXFR_MOST_BYTES)
        room = packet.max_reply_bytes(tcp=False, payload=request.payload)
        framing = 2 * len(transfer_out.ixfr_pieces(zone.ttl, zone.soa_wire, ())[0][1])
        opt = 0 if request.payload is None else packet.OPT_LENGTH
        taken = packet.HEADER.size + len(request.question.wire) + framing + opt
        return room - taken - request.signature_bytes

    def _told(
        self,
        request: Request,
        zone: ServedZone,
        bodies: Iterator[transfer_out.Body],
        kind: str,
        *,
        hint: bool,
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
        if not hint:
            return
        LOG.debug("zone %s serial %d was sent to %s", zone.id, zone.serial, request.peer)
        try:
            self._worker.zone_served(admin_context(), zone.id, zone.serial, request.peer)
        except errors.DesignateError as error:
            LOG.warning("zone %s: no worker was told of a transfer: %s", zone.id, error)


def _fresh(zone: ServedZone | None) -> ServedZone | None:
    if zone is not None and zone.expired:
        raise Expired
    return zone
