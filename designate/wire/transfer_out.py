"""Zone transfers as streams of messages (RFC 5936 for whole zones, RFC 1995 for differences).

A body is (number of RRs, wire) without header and question. Owners end in a pointer to offset 12, where
every message repeats the zone's name, so the same body serves every client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from designate.wire import packet, rr, tsig_keys

Body = tuple[int, bytes]
# Header, the longest question, and an OPT record.
_FRAME_BYTES = 12 + 259 + packet.OPT_LENGTH


def room(message_bytes: int) -> int:
    """Bytes of records in a message of this size at most. The same body is sent with a signature and
    without, so the longest one has its place; where messages are so small that it would take most of
    them, signed ones may become larger."""
    records = message_bytes - _FRAME_BYTES
    return max(records - tsig_keys.MAX_SIGNATURE_BYTES, records // 2)


def whole(
    zone_ttl: int, soa: bytes, recordsets: Iterable[tuple[int | None, int, bytes]]
) -> Iterator[Body]:
    """The pieces of a whole zone: its SOA, everything else, the SOA (RFC 5936 section 2.2).

    soa: the SOA's data. recordsets: (ttl, number of RRs, wire); where ttl is None the zone's goes in.
    """
    framing = rr.soa(zone_ttl, soa)
    ttl_bytes = zone_ttl.to_bytes(4)
    with_ttl, owner_length = rr.with_ttl, rr.owner_length
    yield 1, framing
    for ttl, count, wire in recordsets:
        if ttl is not None:
            yield count, wire
        elif count == 1:
            at = owner_length(wire) + 4
            yield 1, wire[:at] + ttl_bytes + wire[at + 4 :]
        else:
            yield count, with_ttl(wire, zone_ttl)
    yield 1, framing


def difference(zone_ttl: int, soa: bytes, steps: Sequence[bytes]) -> list[Body]:
    """The pieces of an incremental transfer: the new SOA, the journal's steps from the oldest on, the
    new SOA (RFC 1995 section 4). Without steps one SOA, which says: you are current, or: use TCP."""
    framing = (1, rr.soa(zone_ttl, soa))
    if not steps:
        return [framing]
    return [framing, *((sum(1 for _ in rr.split(step)), step) for step in steps), framing]


def fill(pieces: Iterable[Body], largest_bytes: int) -> Iterator[Body]:
    """Pieces gathered into bodies of at most largest_bytes, in order. A piece that is larger is
    divided between its RRs; a single RR that is larger gets a body of its own."""
    parts: list[bytes] = []
    size = count = 0
    for number, wire in pieces:
        length = len(wire)
        if size + length > largest_bytes:
            if parts:
                yield count, b"".join(parts)
            parts, size, count = [], 0, 0
            if length > largest_bytes:
                if number == 1:
                    yield 1, wire
                else:
                    yield from fill(((1, piece) for piece in rr.split(wire)), largest_bytes)
                continue
        parts.append(wire)
        size += length
        count += number
    if parts:
        yield count, b"".join(parts)


def messages(
    number: int, flags: int, question: bytes, bodies: Iterable[Body], *, edns: bool
) -> Iterator[bytes]:
    """The messages, each with id, authority and question. edns: the query had an OPT record, so the
    first message has one too (RFC 5936 section 2.2.5).

    Raises ValueError at a record that no message can hold.
    """
    kept = packet.QR | packet.AA | (flags & packet.RD)
    extra = packet.opt() if edns else b""
    for count, body in bodies:
        header = packet.HEADER.pack(number, kept, 1, count, 0, bool(extra))
        message = b"".join((header, question, body, extra))
        if len(message) > packet.MAX_MESSAGE_BYTES:
            raise ValueError(f"a record of {len(body)} bytes does not fit into a message")
        extra = b""
        yield message
