r"""Writing of master files (RFC 1035 section 5) from RRs in wire form.

Whatever stands in a record, it is one line: octets that have a meaning in master files are escaped, and
what is not printable ASCII is \DDD.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import dns.name

from designate.wire import presentation, rr, rrsets, types, validation


class CorruptRecordSet(ValueError):
    """Raised when stored RRs cannot be read; the message names them."""


class WrittenRecordSet(NamedTuple):
    """A recordset to write.

    Attributes:
        ttl: None: its records have no TTL of their own.
        record_count: how many RRs it has.
        wire: its RRs as stored.
    """

    name: str
    type: str
    ttl: int | None
    record_count: int
    wire: bytes


def render(
    origin: str, ttl: int, soa: bytes, recordsets: Iterable[WrittenRecordSet]
) -> Iterator[str]:
    """Yield the file's lines, each with its newline.

    Args:
        origin: name of the zone.
        ttl: TTL of the zone.
        soa: data of its SOA.
        recordsets: all others, in order.

    Raises:
        CorruptRecordSet: a recordset cannot be read.
    """
    zone = dns.name.from_text(origin)
    name = zone.to_text()
    yield f"$ORIGIN {name}\n"
    yield f"$TTL {ttl}\n"
    yield "\n"
    yield f"{name}  IN SOA {presentation.to_text(rr.TYPE_SOA, soa)}\n"
    for recordset in recordsets:
        if not recordset.record_count:
            continue
        count, wire = validation.readable(recordset.wire, recordset.record_count)
        if count != recordset.record_count:
            raise CorruptRecordSet(
                f"the stored recordset {recordset.name} {recordset.type} cannot be read"
            )
        own_ttl = recordset.ttl is not None
        for owner, rtype, rr_ttl, rdata in rrsets.split(wire):
            shown = str(rr_ttl) if own_ttl else ""
            text = presentation.to_text(rtype, rdata)
            yield f"{_owner_text(owner, name)} {shown} IN {types.name_of(rtype)} {text}\n"


def _owner_text(owner: bytes, zone: str) -> str:
    labels = []
    position = 0
    while (length := owner[position]) < 0xC0:
        labels.append(owner[position + 1 : position + 1 + length])
        position += 1 + length
    return f"{dns.name.Name(labels).to_text()}.{zone}" if labels else zone
