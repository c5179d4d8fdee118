"""A cache of whole zones as bodies of transfer messages, by revision and bounded in bytes.

A transfer first reads the zone's revision, so entries are never invalidated. A zone that fits into the
cache is read completely before its first byte is sent; a larger one is streamed. Both are read from an
up-to-date replica of the database if there is one. A slow client blocks neither a database snapshot
nor other clients.
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
        help="Size in bytes of the cache of rendered zones for transfers. A zone larger than half of it "
        "is read from the database for each transfer.",
    ),
]

MAX_WAIT_S = 30.0
MAX_FILLS = 4
MAX_STREAMS = 8
MAX_SIZES = 10_000
# Total time that the client of a streamed zone may block the snapshot; then the rest goes to a file.
MAX_CLIENT_WAIT_S = 5.0
# Pointer, fixed fields and an address.
MIN_RECORDSET_BYTES = 16
_SPOOL_HEADER = struct.Struct(">II")


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class CachedZone:
    """The bodies of one version of a zone; read_at_s: when it was read, by the monotonic clock."""

    zone: ServedZone
    read_at_s: float
    size: int
    bodies: tuple[Body, ...]


class ZoneCache:
    """Bodies of whole zones for transfers. Thread-safe.

    A zone is read by one thread at a time; others wait for its result.
    """

    def __init__(self, database: Database, size_bytes: int, body_bytes: int) -> None:
        self._database = database
        self._size_bytes = size_bytes
        self._max_zone_bytes = size_bytes // 2
        self._body_bytes = body_bytes
        self._changed = threading.Condition()
        self._entries: OrderedDict[str, CachedZone] = OrderedDict()
        self._evicted: list[weakref.ref[CachedZone]] = []
        self._filling: set[str] = set()
        self._sizes: BoundedCache[str, int] = BoundedCache(MAX_SIZES)
        self._fills = threading.BoundedSemaphore(MAX_FILLS)
        self._streams = threading.BoundedSemaphore(MAX_STREAMS)
        self.used_bytes = 0

    def transfer(self, zone: ServedZone, view: View) -> tuple[ServedZone, Iterator[Body]] | None:
        """Return the zone at this or a later revision with its bodies; None: it is no longer served.

        The iterator must be exhausted or closed. Raises Unavailable when too many zones are being read.
        """
        cached = self._cached_zone(zone, view)
        if cached is not None:
            return cached.zone, _bodies(cached)
        stream = self._stream(zone, view)
        fresh = next(stream, None)
        if fresh is None:
            return None
        assert isinstance(fresh, ServedZone)  # noqa: S101 - the first item of _stream
        return fresh, stream  # type: ignore[return-value]  # the rest are bodies

    def size_of(self, zone: ServedZone) -> int:
        """Return the size of the whole zone in bytes when it was last read, or an estimate."""
        known = self._sizes.get(zone.id)
        return known or zone.recordset_count * MIN_RECORDSET_BYTES * 2

    # -- cached zones ----------------------------------------------------------------------------

    def _cached_zone(self, zone: ServedZone, view: View) -> CachedZone | None:
        """Return the cached zone, after reading it if needed; None: it must be streamed."""
        requested_s = monotonic()
        deadline = requested_s + MAX_WAIT_S
        with self._changed:
            while True:
                entry = self._entries.get(zone.id)
                # Another revision is valid only if read after the request: a restored database goes back.
                if entry is not None and (
                    entry.zone.revision == zone.revision or entry.read_at_s > requested_s
                ):
                    self._entries.move_to_end(zone.id)
                    return entry
                if not self._has_room(zone):
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

    def _has_room(self, zone: ServedZone) -> bool:
        """Return whether there is room; evicted zones count while they are being sent."""
        self._evicted = [ref for ref in self._evicted if ref() is not None]
        still_sent = sum(cached.size for ref in self._evicted if (cached := ref()) is not None)
        size = self._sizes.get(zone.id)
        if size is None:
            size = zone.recordset_count * MIN_RECORDSET_BYTES
        return size <= self._max_zone_bytes and still_sent <= self._size_bytes

    def _fill(self, zone: ServedZone, view: View) -> CachedZone | None:
        bodies: list[Body] = []
        size = 0
        with self._reading(zone, view) as connection:
            read_at_s = monotonic()
            fresh = serving.find_zone(connection, view, [zone.name.lower()])
            if fresh is None:
                return None
            for body in self._read(connection, fresh):
                size += len(body[1])
                if size > self._max_zone_bytes:
                    self._set_size(fresh, size)
                    return None
                bodies.append(body)
        cached = CachedZone(fresh, read_at_s, size, tuple(bodies))
        self._set_size(fresh, size)
        self._store(cached)
        return cached

    def _store(self, cached: CachedZone) -> None:
        with self._changed:
            self._evict(self._entries.pop(cached.zone.id, None))
            self._entries[cached.zone.id] = cached
            self.used_bytes += cached.size
            while self.used_bytes > self._size_bytes:
                self._evict(self._entries.popitem(last=False)[1])

    def _evict(self, cached: CachedZone | None) -> None:
        if cached is not None:
            self.used_bytes -= cached.size
            self._evicted.append(weakref.ref(cached))

    def _set_size(self, zone: ServedZone, size: int) -> None:
        self._sizes.put(zone.id, size)

    # -- streamed zones --------------------------------------------------------------------------

    def _stream(self, zone: ServedZone, view: View) -> Iterator[ServedZone | Body]:
        """Yield the zone as of the snapshot, then its bodies while they are read."""
        size = 0
        spool: IO[bytes] | None = None
        with _slot(self._streams, monotonic() + MAX_WAIT_S):
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
                    if waited_s > MAX_CLIENT_WAIT_S:
                        LOG.debug(
                            "zone %s: slow client, spooled the rest to a file",
                            zone.id,
                        )
                        spool, more = _spool(bodies)
                        size += more
                        break
            self._set_size(fresh, size)
            if spool is not None:
                with spool:
                    yield from _read_spool(spool)

    def _reading(self, zone: ServedZone, view: View) -> AbstractContextManager[sa.Connection]:
        """Return a snapshot with the zone at this or a later revision.

        A replica that lags behind would give a serial older than the announced one.
        """

        def is_current(connection: sa.Connection) -> bool:
            found = serving.find_zone(connection, view, [zone.name.lower()])
            return found is not None and found.id == zone.id and found.revision >= zone.revision

        return self._database.read_replica(is_current)

    def _read(self, connection: sa.Connection, zone: ServedZone) -> Iterator[Body]:
        rows = corrupt_records.readable_rows(zone.id, serving.stream(connection, zone.id))
        return transfer_out.join_pieces(
            transfer_out.axfr_pieces(zone.ttl, zone.soa_wire, rows), self._body_bytes
        )


def _bodies(cached: CachedZone) -> Iterator[Body]:
    """Yield the bodies and hold a reference, so that the zone counts as being sent."""
    yield from cached.bodies


@contextmanager
def _slot(semaphore: threading.BoundedSemaphore, deadline: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=max(0.0, deadline - monotonic())):
        raise errors.Unavailable("too many zone transfers in progress")
    try:
        yield
    finally:
        semaphore.release()


def _spool(bodies: Iterator[Body]) -> tuple[IO[bytes], int]:
    """Return an unnamed file with the bodies, and their size in bytes."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    size = 0
    try:
        for count, body in bodies:
            spool.write(_SPOOL_HEADER.pack(count, len(body)) + body)
            size += len(body)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool, size


def _read_spool(spool: IO[bytes]) -> Iterator[Body]:
    while head := spool.read(_SPOOL_HEADER.size):
        count, length = _SPOOL_HEADER.unpack(head)
        yield count, spool.read(length)
