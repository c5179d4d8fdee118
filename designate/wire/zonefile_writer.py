r"""Writing of master files (RFC 1035 section 5) from RRs in wire form.

Whatever stands in a record, it is one line: octets that have a meaning in master files are escaped, and
what is not printable ASCII is \DDD.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from designate import domain_names
from designate.wire import portable_text, rr, rrsets, validation


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
    name = domain_names.canonical(origin)
    yield f"$ORIGIN {name}\n"
    yield f"$TTL {ttl}\n"
    yield "\n"
    yield f"{name}  IN {portable_text.type_and_data(rr.TYPE_SOA, soa)}\n"
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
            data = portable_text.type_and_data(rtype, rdata)
            yield f"{_owner_text(owner, name)} {shown} IN {data}\n"


def _owner_text(owner: bytes, zone: str) -> str:
    labels = []
    position = 0
    while (length := owner[position]) < 0xC0:
        labels.append(owner[position + 1 : position + 1 + length])
        position += 1 + length
    return f"{domain_names.text(labels)}{zone}" if labels else zone
