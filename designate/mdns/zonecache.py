"""Whole zones as bodies of transfer messages, kept by revision and bounded in bytes.

A transfer asks with the revision that it has just read, so entries never have to be invalidated. What
is too large to keep is streamed from the database.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from oslo_config import cfg

from designate.storage import serving
from designate.storage.engine import Database
from designate.storage.serving import ServedZone
from designate.wire import packet, rr

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

FILL_WAIT_S = 30.0
Bodies = tuple[tuple[int, bytes], ...]


class ZoneCache:
    """Thread-safe. One fill per zone at a time; others wait for it, then look again."""

    def __init__(self, database: Database, size_bytes: int, body_bytes: int) -> None:
        self._database = database
        self._size_bytes = size_bytes
        self._body_bytes = body_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[int, int, Bodies]] = OrderedDict()
        self._filling: dict[str, threading.Lock] = {}
        self.used_bytes = 0

    def bodies(
        self, zone: ServedZone, pool_id: str
    ) -> tuple[ServedZone, Iterator[tuple[int, bytes]]]:
        """The zone between two SOAs, as (number of RRs, body); and the zone as of that moment.

        The iterator may hold a database snapshot until it is exhausted or closed.
        """
        kept = self._get(zone)
        if kept is not None:
            return zone, iter(kept)
        with self._lock:
            gate = self._filling.setdefault(zone.id, threading.Lock())
        waited = gate.acquire(timeout=FILL_WAIT_S)
        kept = self._get(zone)
        if kept is not None:
            if waited:
                gate.release()
            return zone, iter(kept)
        return self._read(zone, pool_id, gate if waited else None)

    def _read(
        self, zone: ServedZone, pool_id: str, gate: threading.Lock | None
    ) -> tuple[ServedZone, Iterator[tuple[int, bytes]]]:
        stream = self._stream(zone, pool_id, gate)
        fresh = next(stream)
        assert isinstance(fresh, ServedZone)  # noqa: S101 - what _stream gives first
        return fresh, stream  # type: ignore[return-value]  # the rest are bodies

    def _stream(
        self, zone: ServedZone, pool_id: str, gate: threading.Lock | None
    ) -> Iterator[ServedZone | tuple[int, bytes]]:
        kept: list[tuple[int, bytes]] = []
        size = 0
        try:
            with self._database.read() as connection:
                fresh = serving.find_zone(connection, pool_id, [zone.name.lower()]) or zone
                yield fresh
                pieces = _pieces(fresh, serving.stream(connection, fresh.id))
                for body in packet.fill(pieces, self._body_bytes):
                    size += len(body[1])
                    if size <= self._size_bytes // 2:
                        kept.append(body)
                    else:
                        kept.clear()
                    yield body
            if size <= self._size_bytes // 2:
                self._put(fresh, size, tuple(kept))
        finally:
            if gate is not None:
                gate.release()

    def _get(self, zone: ServedZone) -> Bodies | None:
        with self._lock:
            entry = self._entries.get(zone.id)
            if entry is None or entry[0] != zone.revision:
                return None
            self._entries.move_to_end(zone.id)
            return entry[2]

    def _put(self, zone: ServedZone, size: int, bodies: Bodies) -> None:
        with self._lock:
            old = self._entries.pop(zone.id, None)
            if old is not None:
                self.used_bytes -= old[1]
            self._entries[zone.id] = (zone.revision, size, bodies)
            self.used_bytes += size
            while self.used_bytes > self._size_bytes:
                zone_id, evicted = self._entries.popitem(last=False)
                self.used_bytes -= evicted[1]
                self._filling.pop(zone_id, None)


def _pieces(
    zone: ServedZone, rows: Iterator[tuple[int | None, int, bytes]]
) -> Iterator[tuple[int, bytes]]:
    """SOA, everything, SOA (RFC 5936 section 2.2)."""
    soa = rr.soa(zone.ttl, zone.soa_wire)
    zone_ttl = zone.ttl.to_bytes(4)
    with_ttl, owner_length = rr.with_ttl, rr.owner_length
    yield 1, soa
    for ttl, count, wire in rows:
        if ttl is not None:
            yield count, wire
        elif count == 1:
            at = owner_length(wire) + 4
            yield 1, wire[:at] + zone_ttl + wire[at + 4 :]
        else:
            yield count, with_ttl(wire, zone.ttl)
    yield 1, soa
