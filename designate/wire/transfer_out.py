"""Zone transfers as streams of messages (RFC 5936 for whole zones, RFC 1995 for differences).

A body is (number of RRs, wire) without header and question. Owners end in a pointer to offset 12, where
every message repeats the zone's name, so the same body serves every client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from designate.wire import packet, rr, tsig_keys

Body = tuple[int, bytes]
# Header, longest question and OPT record.
_FRAME_BYTES = 12 + 259 + packet.OPT_LENGTH


def max_body_bytes(message_bytes: int) -> int:
    """Return the size limit of the records in a message of at most this size.

    The same body is sent with and without a signature, so there is room for the longest one. Where that
    would be more than half of the records' room, signed messages may exceed the size.
    """
    records = message_bytes - _FRAME_BYTES
    return max(records - tsig_keys.MAX_SIGNATURE_BYTES, records // 2)


def axfr_pieces(
    zone_ttl: int, soa: bytes, recordsets: Iterable[tuple[int | None, int, bytes]]
) -> Iterator[Body]:
    """Yield the pieces of a whole zone: its SOA, all other records, the SOA (RFC 5936 section 2.2).

    Args:
        zone_ttl: used for recordsets whose ttl is None.
        soa: data of the SOA.
        recordsets: (ttl, number of RRs, wire) of each.
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


def ixfr_pieces(zone_ttl: int, soa: bytes, steps: Sequence[bytes]) -> list[Body]:
    """Return the pieces of an incremental transfer (RFC 1995 section 4).

    They are the new SOA, the journal's steps from the oldest on, and the new SOA. Without steps it is
    one SOA, which means that the client is current or must use TCP.
    """
    framing = (1, rr.soa(zone_ttl, soa))
    if not steps:
        return [framing]
    return [framing, *((sum(1 for _ in rr.split(step)), step) for step in steps), framing]


def join_pieces(pieces: Iterable[Body], max_bytes: int) -> Iterator[Body]:
    """Join pieces into bodies of at most max_bytes, in order.

    A larger piece is divided between its RRs; a larger RR gets a body of its own.
    """
    parts: list[bytes] = []
    size = count = 0
    for number, wire in pieces:
        length = len(wire)
        if size + length > max_bytes:
            if parts:
                yield count, b"".join(parts)
            parts, size, count = [], 0, 0
            if length > max_bytes:
                if number == 1:
                    yield 1, wire
                else:
                    yield from join_pieces(((1, piece) for piece in rr.split(wire)), max_bytes)
                continue
        parts.append(wire)
        size += length
        count += number
    if parts:
        yield count, b"".join(parts)


def messages(
    number: int, flags: int, question: bytes, bodies: Iterable[Body], *, edns: bool
) -> Iterator[bytes]:
    """Yield the messages of a transfer, each with id, AA flag and question.

    Args:
        number: id of the query.
        flags: flags of the query.
        question: question of the query, in wire form.
        bodies: records of each message.
        edns: the query had an OPT record, so the first message has one too (RFC 5936 section 2.2.5).

    Raises:
        ValueError: a record does not fit into a message.
    """
    reply_flags = packet.QR | packet.AA | (flags & packet.RD)
    extra = packet.opt() if edns else b""
    for count, body in bodies:
        header = packet.HEADER.pack(number, reply_flags, 1, count, 0, bool(extra))
        message = b"".join((header, question, body, extra))
        if len(message) > packet.MAX_MESSAGE_BYTES:
            raise ValueError(f"a record of {len(body)} bytes does not fit into a message")
        extra = b""
        yield message
