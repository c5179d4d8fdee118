"""DNS messages: headers by hand, the rest by dnspython."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from designate.wire import rr

HEADER = struct.Struct(">6H")
QR = 0x8000
AA = 0x0400
TC = 0x0200
RD = 0x0100
OPCODE = 0x7800
LARGEST = 65535


def bare_reply(query: bytes, rcode: int) -> bytes | None:
    """A reply that is only a header, for what cannot be read further; None: to be met with silence,
    because it is shorter than a header or is itself a reply (RFC 1035 section 4.1.1)."""
    if len(query) < HEADER.size:
        return None
    number, flags, *_ = HEADER.unpack_from(query)
    if flags & QR:
        return None
    return HEADER.pack(number, QR | (flags & (OPCODE | RD)) | rcode, 0, 0, 0, 0)


def question_bytes(query: bytes) -> bytes:
    """The question as the client spelled it. The message must have exactly one, uncompressed."""
    position = HEADER.size
    while length := query[position]:
        position += 1 + length
    return query[HEADER.size : position + 5]


def transfer_message(query_id: int, flags: int, question: bytes, count: int) -> bytes:
    """Header and question of one message of a transfer (RFC 5936 section 2.2)."""
    return HEADER.pack(query_id, QR | AA | (flags & RD), 1, count, 0, 0) + question


def rrset(name: dns.name.Name, wire: bytes, ttl: int | None) -> dns.rrset.RRset:
    """Stored RRs as dnspython holds them, with this owner; ttl None: the RRs' own."""
    found: dns.rrset.RRset | None = None
    for piece in rr.split(wire):
        at = rr.owner_length(piece)
        rtype, _, own_ttl, length = struct.unpack_from(">HHIH", piece, at)
        rdata = dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.RdataType(rtype), piece, at + 10, length
        )
        if found is None:
            found = dns.rrset.RRset(name, rdata.rdclass, rdata.rdtype)
            found.update_ttl(own_ttl if ttl is None else ttl)
        found.add(rdata)
    if found is None:
        raise ValueError("no RRs")
    return found


def fill(pieces: Iterable[tuple[int, bytes]], largest_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Pieces of (number of RRs, wire) gathered into bodies of at most largest_bytes, in order. A
    piece that is larger is divided between its RRs."""
    parts: list[bytes] = []
    size = count = 0
    for number, wire in pieces:
        length = len(wire)
        if size + length > largest_bytes:
            if parts:
                yield count, b"".join(parts)
            parts, size, count = [], 0, 0
            if length > largest_bytes:
                yield from _divide(wire, largest_bytes)
                continue
        parts.append(wire)
        size += length
        count += number
    if parts:
        yield count, b"".join(parts)


def _divide(wire: bytes, largest_bytes: int) -> Iterator[tuple[int, bytes]]:
    return fill(((1, piece) for piece in rr.split(wire)), largest_bytes)
