"""Stored data that cannot be sent is left out and told of: the rest of its zone is served (see
`wire.soundness`). Thread-safe."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from time import monotonic

from designate import metrics
from designate.storage.sqlalchemy.serving import StoredRRset
from designate.wire.validation import readable

LOG = logging.getLogger(__name__)

COMPLAINT_GAP_S = 1.0
_quiet_until: dict[str, float] = {}
_MOST_REMEMBERED = 1000


def left_out(
    zone_id: str, rows: Iterable[tuple[str, int | None, int, bytes]]
) -> Iterator[tuple[int | None, int, bytes]]:
    """(ttl, number of RRs, wire) of what can be sent of a zone's (id, ttl, number of RRs, wire)."""
    for recordset_id, ttl, count, wire in rows:
        number, sound = readable(wire, count)
        if sound is not wire or not number:
            complain(zone_id, f"recordset {recordset_id}")
        if number:
            yield ttl, number, sound


def mended(zone_id: str, stored: Iterable[StoredRRset]) -> Iterator[StoredRRset]:
    """What can be sent of these recordsets; the SOA's data stands in the zone."""
    for one in stored:
        if one.type == "SOA":
            yield one
            continue
        number, sound = readable(one.wire, one.record_count)
        if sound is one.wire and number:
            yield one
            continue
        complain(zone_id, f"recordset {one.id}")
        if number:
            yield replace(one, record_count=number, wire=sound)


def complain(zone_id: str, what: str) -> None:
    """Counted each time, and logged once a second of each thing: anybody can ask for it again."""
    metrics.UNREADABLE.inc()
    now = monotonic()
    if now < _quiet_until.get(what, 0.0):
        return
    if len(_quiet_until) >= _MOST_REMEMBERED:
        _quiet_until.clear()
    _quiet_until[what] = now + COMPLAINT_GAP_S
    LOG.error("zone %s: %s cannot be sent and was left out; the rest is served", zone_id, what)
