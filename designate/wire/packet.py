"""DNS messages as bytes: headers, questions and replies assembled from stored RRs.

Requests are parsed by dnspython. Replies are copied from RRs that are already in wire form. Stored
owners are labels below the zone's apex and a pointer to offset 12. In an ordinary reply the name at
offset 12 is the question's name, which ends in the apex, so the pointer is moved to the apex there.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import dns.name

from designate import domain_names
from designate.wire import rr

HEADER = struct.Struct(">6H")
QR = 0x8000
AA = 0x0400
TC = 0x0200
RD = 0x0100
OPCODE = 0x7800
MAX_MESSAGE_BYTES = 65535
UDP_PLAIN = 512
UDP_EDNS = 1232
OPT_LENGTH = 11
_OPT = struct.Struct(">BHHBBHH")
_PLAIN_LABEL = re.compile(rb"[-a-z0-9_*/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The single question of a query.

    Attributes:
        wire: name, type and class as the client spelled them.
        keys: the name and its ancestors below the root as lower-case text, longest first.
    """

    wire: bytes
    name: dns.name.Name
    keys: tuple[str, ...]
    rtype: int
    rclass: int

    @property
    def key(self) -> str:
        """The name as lower-case text."""
        return self.keys[0] if self.keys else "."


def question(query: bytes) -> Question:
    """Return the first question.

    Raises ValueError when its name is cut off, too long or compressed: nothing before it could be
    the target of a compression pointer (RFC 1035 section 4.1.2).
    """
    position = HEADER.size
    labels = []
    while True:
        if position + 5 > len(query) or (length := query[position]) > 63:
            raise ValueError("no question")
        position += 1 + length
        labels.append(query[position - length : position])
        if not length:
            break
    if position + 4 > len(query) or position - HEADER.size > 255:
        raise ValueError("no question")
    rtype, rclass = struct.unpack_from(">HH", query, position)
    name = dns.name.Name(labels)
    wire = query[HEADER.size : position + 4]
    return Question(wire=wire, name=name, keys=keys_of(name), rtype=rtype, rclass=rclass)


def keys_of(name: dns.name.Name) -> tuple[str, ...]:
    """Return an absolute name and its ancestors below the root as lower-case text, longest first."""
    found = []
    text = ""
    for label in reversed(name.labels[:-1]):
        lower = label.lower()
        if not _PLAIN_LABEL.fullmatch(lower):
            text = domain_names.label_text(lower) + "." + text
        else:
            text = lower.decode() + "." + text
        found.append(text)
    return tuple(reversed(found))


def bare_reply(query: bytes, rcode: int, question: bytes = b"") -> bytes | None:
    """Return a reply without records, with the question if one is given.

    None means that no reply must be sent: the query is shorter than a header or is itself a reply
    (RFC 1035 section 4.1.1).
    """
    if len(query) < HEADER.size:
        return None
    number, flags, *_ = HEADER.unpack_from(query)
    if flags & QR:
        return None
    reply_flags = QR | (flags & (OPCODE | RD)) | rcode
    return HEADER.pack(number, reply_flags, bool(question), 0, 0, 0) + question


def truncated_reply(query: bytes) -> Iterator[bytes]:
    """Yield a truncated reply, which makes a UDP client use TCP; nothing if this is no valid query."""
    try:
        reply = bare_reply(query, 0, question(query).wire) if not query[2] & 0xF8 else None
    except (ValueError, IndexError):
        return
    if reply is not None:
        yield reply[:2] + (int.from_bytes(reply[2:4]) | TC).to_bytes(2) + reply[4:]


def opt(rcode: int = 0) -> bytes:
    """Return the OPT record, with the high bits of an extended rcode (RFC 6891 section 6.1.2)."""
    return _OPT.pack(0, 41, UDP_EDNS, rcode >> 4, 0, 0, 0)


def max_reply_bytes(*, tcp: bool, payload: int | None) -> int:
    """Return the size limit of a reply; payload: the size in the client's OPT, None without one."""
    if tcp:
        return MAX_MESSAGE_BYTES
    return UDP_PLAIN if payload is None else max(UDP_PLAIN, min(payload, UDP_EDNS))


@dataclass(slots=True, kw_only=True)
class ReplyBuilder:
    """The reply to one query, while it is assembled.

    Attributes:
        number: id of the query.
        flags: flags of the query.
        max_bytes: size limit of the message.
        edns: whether the query had an OPT record, so the reply has one too.
    """

    number: int
    flags: int
    question: bytes
    max_bytes: int
    edns: bool
    rcode: int = 0
    authoritative: bool = False
    answer: list[bytes] = field(default_factory=list)
    authority: list[bytes] = field(default_factory=list)
    additional: list[bytes] = field(default_factory=list)

    def to_wire(self) -> bytes:
        """Return the message.

        When it exceeds the size limit, the reply is truncated (TC) and has no records except OPT:
        clients need the whole, including the addresses of a delegation (RFC 2181 section 9, RFC 9471).
        """
        extra = [opt(self.rcode)] if self.edns else []
        sections = (self.answer, self.authority, [*self.additional, *extra])
        body = b"".join(wire for section in sections for wire in section)
        flags = QR | (self.flags & RD) | (AA if self.authoritative else 0) | (self.rcode & 15)
        if HEADER.size + len(self.question) + len(body) > self.max_bytes:
            sections = ([], [], extra)
            body = b"".join(extra)
            flags |= TC
        counts = (len(section) for section in sections)
        return HEADER.pack(self.number, flags, 1, *counts) + self.question + body


def owner(labels: Sequence[bytes], apex_offset: int) -> bytes:
    """Return the wire form of an owner: labels and a pointer to the apex at this offset."""
    below = b"".join(bytes((len(label),)) + label for label in labels)
    return below + (0xC000 | apex_offset).to_bytes(2)


def with_owner(wire: bytes, owner: bytes, ttl: int | None) -> Iterable[bytes]:
    """Yield the stored RRs of one owner as single RRs with another owner; ttl None: the RRs' own."""
    at = rr.owner_length(wire)
    for piece in rr.split(wire):
        if ttl is None:
            yield owner + piece[at:]
        else:
            yield owner + piece[at : at + 4] + ttl.to_bytes(4) + piece[at + 8 :]
