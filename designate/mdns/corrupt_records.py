"""Omission of stored records that cannot be sent, so that the rest of the zone is served.

See `wire.validation`. Thread-safe.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from time import monotonic

from designate import metrics
from designate.storage.sqlalchemy.serving import StoredRRset
from designate.wire.validation import readable

LOG = logging.getLogger(__name__)

LOG_GAP_S = 1.0
_quiet_until: dict[str, float] = {}
_MAX_LOGGED = 1000


def readable_rows(
    zone_id: str, rows: Iterable[tuple[str, int | None, int, bytes]]
) -> Iterator[tuple[int | None, int, bytes]]:
    """Yield (ttl, number of RRs, wire) with the valid RRs of rows (id, ttl, number of RRs, wire)."""
    for recordset_id, ttl, count, wire in rows:
        number, readable_wire = readable(wire, count)
        if readable_wire is not wire or not number:
            report(zone_id, f"recordset {recordset_id}")
        if number:
            yield ttl, number, readable_wire


def readable_rrsets(zone_id: str, stored: Iterable[StoredRRset]) -> Iterator[StoredRRset]:
    """Yield the recordsets with their valid RRs; an SOA unchanged, as its data is in the zone's row."""
    for rrset in stored:
        if rrset.type == "SOA":
            yield rrset
            continue
        number, readable_wire = readable(rrset.wire, rrset.record_count)
        if readable_wire is rrset.wire and number:
            yield rrset
            continue
        report(zone_id, f"recordset {rrset.id}")
        if number:
            yield replace(rrset, record_count=number, wire=readable_wire)


def report(zone_id: str, what: str) -> None:
    """Count each omission and log it at most once in LOG_GAP_S, since any query can repeat it."""
    metrics.UNREADABLE.inc()
    now = monotonic()
    if now < _quiet_until.get(what, 0.0):
        return
    if len(_quiet_until) >= _MAX_LOGGED:
        _quiet_until.clear()
    _quiet_until[what] = now + LOG_GAP_S
    LOG.error("zone %s: %s is corrupt and was omitted; the rest is served", zone_id, what)
