"""Whole zones as bodies of transfer messages, kept by revision and bounded in bytes.

A transfer first reads the zone's revision, so entries never have to be invalidated. A zone that may be
kept is read at the database's speed before its first byte is sent; a larger one is streamed. Both are read
from a replica of the database where there is one and it is not behind. Either way a client that reads
slowly holds neither a database snapshot nor the other clients.
"""

from __future__ import annotations

import logging
import struct
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import IO

import sqlalchemy as sa
from oslo_config import cfg

from designate import errors
from designate.mdns import corrupt_records
from designate.runtime.bounded_cache import BoundedCache
from designate.storage.sqlalchemy import serving
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.serving import ServedZone, View
from designate.wire import transfer_out
from designate.wire.transfer_out import Body

LOG = logging.getLogger(__name__)

GROUP = "service:mdns"
OPTS = [
    cfg.IntOpt(
        "zone_cache_bytes",
        default=64 * 2**20,
        min=0,
        help="Bytes of rendered zones that MiniDNS keeps for transfers. A zone over half of it is "
        "read from the database for each transfer.",
    ),
]

WAIT_S = 30.0
FILLS = 4
STREAMS = 8
SIZES_KNOWN = 10_000
# How long a streamed zone's clients may keep the snapshot waiting before the rest goes to a file.
PATIENCE_S = 5.0
# The least that a recordset takes: pointer, fixed fields, an address.
SMALLEST_RECORDSET = 16
_SPOOLED = struct.Struct(">II")


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Packed:
    """made_s: when it was read, by the monotonic clock."""

    zone: ServedZone
    made_s: float
    size: int
    bodies: tuple[Body, ...]


class ZoneCache:
    """Thread-safe. One fill per zone at a time; others wait for it, then look again."""

    def __init__(self, database: Database, size_bytes: int, body_bytes: int) -> None:
        self._database = database
        self._size_bytes = size_bytes
        self._limit = size_bytes // 2
        self._body_bytes = body_bytes
        self._changed = threading.Condition()
        self._entries: OrderedDict[str, Packed] = OrderedDict()
        self._evicted: list[weakref.ref[Packed]] = []
        self._filling: set[str] = set()
        self._sizes: BoundedCache[str, int] = BoundedCache(SIZES_KNOWN)
        self._fills = threading.BoundedSemaphore(FILLS)
        self._streams = threading.BoundedSemaphore(STREAMS)
        self.used_bytes = 0

    def transfer(self, zone: ServedZone, view: View) -> tuple[ServedZone, Iterator[Body]] | None:
        """The zone at this or a later revision with its bodies; None: it is served no longer.

        The iterator must be exhausted or closed. Raises Unavailable when too many zones are being
        read already.
        """
        packed = self._packed(zone, view)
        if packed is not None:
            return packed.zone, _bodies(packed)
        stream = self._stream(zone, view)
        fresh = next(stream, None)
        if fresh is None:
            return None
        assert isinstance(fresh, ServedZone)  # noqa: S101 - what _stream gives first
        return fresh, stream  # type: ignore[return-value]  # the rest are bodies

    def size_of(self, zone: ServedZone) -> int:
        """About how many bytes the whole zone has: as it was read last, or a guess."""
        known = self._sizes.get(zone.id)
        return known or zone.recordset_count * SMALLEST_RECORDSET * 2

    # -- zones that are kept ---------------------------------------------------------------------

    def _packed(self, zone: ServedZone, view: View) -> Packed | None:
        """From memory, or read into it; None: to be streamed."""
        asked_s = monotonic()
        deadline = asked_s + WAIT_S
        with self._changed:
            while True:
                entry = self._entries.get(zone.id)
                # A later revision counts only when it is news: a restored database goes back.
                if entry is not None and (
                    entry.zone.revision == zone.revision or entry.made_s > asked_s
                ):
                    self._entries.move_to_end(zone.id)
                    return entry
                if not self._may_keep(zone):
                    return None
                if zone.id not in self._filling:
                    self._filling.add(zone.id)
                    break
                if not self._changed.wait(deadline - monotonic()):
                    return None
        try:
            with _slot(self._fills, deadline):
                return self._fill(zone, view)
        finally:
            with self._changed:
                self._filling.discard(zone.id)
                self._changed.notify_all()

    def _may_keep(self, zone: ServedZone) -> bool:
        """Whether there is room for it: evicted zones count for as long as they are being sent."""
        self._evicted = [ref for ref in self._evicted if ref() is not None]
        still_sent = sum(packed.size for ref in self._evicted if (packed := ref()) is not None)
        size = self._sizes.get(zone.id)
        if size is None:
            size = zone.recordset_count * SMALLEST_RECORDSET
        return size <= self._limit and still_sent <= self._size_bytes

    def _fill(self, zone: ServedZone, view: View) -> Packed | None:
        bodies: list[Body] = []
        size = 0
        with self._reading(zone, view) as connection:
            made_s = monotonic()
            fresh = serving.find_zone(connection, view, [zone.name.lower()])
            if fresh is None:
                return None
            for body in self._read(connection, fresh):
                size += len(body[1])
                if size > self._limit:
                    self._know(fresh, size)
                    return None
                bodies.append(body)
        packed = Packed(fresh, made_s, size, tuple(bodies))
        self._know(fresh, size)
        self._keep(packed)
        return packed

    def _keep(self, packed: Packed) -> None:
        with self._changed:
            self._evict(self._entries.pop(packed.zone.id, None))
            self._entries[packed.zone.id] = packed
            self.used_bytes += packed.size
            while self.used_bytes > self._size_bytes:
                self._evict(self._entries.popitem(last=False)[1])

    def _evict(self, packed: Packed | None) -> None:
        if packed is not None:
            self.used_bytes -= packed.size
            self._evicted.append(weakref.ref(packed))

    def _know(self, zone: ServedZone, size: int) -> None:
        self._sizes.put(zone.id, size)

    # -- zones that are not ----------------------------------------------------------------------

    def _stream(self, zone: ServedZone, view: View) -> Iterator[ServedZone | Body]:
        """The zone as of the snapshot, then its bodies while they are read."""
        size = 0
        spool: IO[bytes] | None = None
        with _slot(self._streams, monotonic() + WAIT_S):
            with self._reading(zone, view) as connection:
                fresh = serving.find_zone(connection, view, [zone.name.lower()])
                if fresh is None:
                    return
                yield fresh
                waited_s = 0.0
                bodies = self._read(connection, fresh)
                for body in bodies:
                    size += len(body[1])
                    before = monotonic()
                    yield body
                    waited_s += monotonic() - before
                    if waited_s > PATIENCE_S:
                        LOG.debug("zone %s: the rest of a slow transfer was put aside", zone.id)
                        spool, more = _put_aside(bodies)
                        size += more
                        break
            self._know(fresh, size)
            if spool is not None:
                with spool:
                    yield from _taken_back(spool)

    def _reading(self, zone: ServedZone, view: View) -> AbstractContextManager[sa.Connection]:
        """A snapshot that holds the zone as the database itself had it just now, or a later one: a
        replica that lags behind would give a serial older than what was announced."""

        def suffices(connection: sa.Connection) -> bool:
            found = serving.find_zone(connection, view, [zone.name.lower()])
            return found is not None and found.id == zone.id and found.revision >= zone.revision

        return self._database.read_replica(suffices)

    def _read(self, connection: sa.Connection, zone: ServedZone) -> Iterator[Body]:
        rows = corrupt_records.left_out(zone.id, serving.stream(connection, zone.id))
        return transfer_out.join_pieces(
            transfer_out.axfr_pieces(zone.ttl, zone.soa_wire, rows), self._body_bytes
        )


def _bodies(packed: Packed) -> Iterator[Body]:
    """A generator, so that the zone counts as being sent until it is done."""
    yield from packed.bodies


@contextmanager
def _slot(semaphore: threading.BoundedSemaphore, deadline: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=max(0.0, deadline - monotonic())):
        raise errors.Unavailable("too many zones are being transferred")
    try:
        yield
    finally:
        semaphore.release()


def _put_aside(bodies: Iterator[Body]) -> tuple[IO[bytes], int]:
    """The bodies in an unnamed file, and their size in bytes."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    size = 0
    try:
        for count, body in bodies:
            spool.write(_SPOOLED.pack(count, len(body)) + body)
            size += len(body)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool, size


def _taken_back(spool: IO[bytes]) -> Iterator[Body]:
    while head := spool.read(_SPOOLED.size):
        count, length = _SPOOLED.unpack(head)
        yield count, spool.read(length)
