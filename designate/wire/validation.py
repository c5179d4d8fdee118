"""Validation of stored RRs before they are sent: corrupt rows must not break a zone.

A secondary rejects a whole transfer over one RR that it cannot parse, so all RRs read for an answer are
validated first. The types of which large zones consist are checked by their shape only, since parsing
with dnspython takes ten times as long as everything else that is done with a record.
"""

from __future__ import annotations

import dns.rdataclass

from designate.wire import presentation
from designate.wire.names import APEX_POINTER

_IN = dns.rdataclass.IN.to_bytes(2)
_ADDRESS_BYTES = {b"\0\1": 4, b"\0\x1c": 16}
# NS, CNAME, PTR, MX and SRV: bytes before the name at their end.
_BEFORE_NAME_BYTES = {b"\0\2": 0, b"\0\5": 0, b"\0\x0c": 0, b"\0\x0f": 2, b"\0\x21": 6}
_TXT = b"\0\x10"


def readable(wire: object, count: int) -> tuple[int, bytes]:
    """Return (number, wire) of the RRs that can be sent.

    It is (0, b"") when the RRs cannot be separated or their number is not `count`, and the argument
    itself when all RRs are valid.
    """
    if type(wire) is not bytes:
        return 0, b""
    if _are_addresses(wire, count):
        return count, wire
    pieces = _pieces(wire)
    if not pieces or len(pieces) != count:
        return 0, b""
    valid = [piece for piece, owner_bytes in pieces if _is_readable(piece, owner_bytes)]
    return (count, wire) if len(valid) == count else (len(valid), b"".join(valid))


def all_readable(wire: bytes) -> bool:
    """Return whether all RRs of a journal step can be sent."""
    pieces = _pieces(wire)
    return bool(pieces) and all(_is_readable(piece, owner_bytes) for piece, owner_bytes in pieces)


def _are_addresses(wire: bytes, count: int) -> bool:
    """Return whether this is one RRset of addresses, its RRs equal except for the addresses."""
    owner_bytes = _owner_bytes(wire, 0)
    size = _ADDRESS_BYTES.get(wire[owner_bytes : owner_bytes + 2])
    if size is None or wire[owner_bytes + 2 : owner_bytes + 4] != _IN:
        return False
    head = owner_bytes + 10
    length = head + size
    if wire[head - 2 : head] != size.to_bytes(2) or len(wire) != count * length:
        return False
    return count == 1 or all(wire[at::length] == wire[at : at + 1] * count for at in range(head))


def _pieces(wire: bytes) -> list[tuple[bytes, int]]:
    """Return the single RRs, each with the length of its owner; empty when they cannot be separated."""
    found = []
    position = 0
    while position < len(wire):
        owner_bytes = _owner_bytes(wire, position)
        data = position + owner_bytes + 10
        end = data + int.from_bytes(wire[data - 2 : data])
        if not owner_bytes or data > len(wire) or end > len(wire):
            return []
        found.append((wire[position:end], owner_bytes))
        position = end
    return found


def _owner_bytes(wire: bytes, start: int) -> int:
    """Return the length of labels and the pointer to the apex; 0: these bytes are something else."""
    position = start
    while position < len(wire) and 0 < (length := wire[position]) < 64:
        position += 1 + length
    if wire[position : position + 2] != APEX_POINTER or position - start > 253:
        return 0
    return position - start + 2


def _is_readable(piece: bytes, owner_bytes: int) -> bool:
    rtype = piece[owner_bytes : owner_bytes + 2]
    data = piece[owner_bytes + 10 :]
    if piece[owner_bytes + 2 : owner_bytes + 4] != _IN or rtype == b"\0\0":
        return False
    size = _ADDRESS_BYTES.get(rtype)
    if size is not None:
        return len(data) == size
    if rtype == _TXT:
        return _end_of_texts(data) == len(data) > 0
    if rtype in _BEFORE_NAME_BYTES:
        return _is_name(data[_BEFORE_NAME_BYTES[rtype] :])
    try:
        presentation.parse_wire(int.from_bytes(rtype), data)
    except presentation.MALFORMED:
        return False
    return True


def _end_of_texts(data: bytes) -> int:
    position = 0
    while position < len(data):
        position += 1 + data[position]
    return position


def _is_name(data: bytes) -> bool:
    """Return whether this is exactly one uncompressed name."""
    position = 0
    while position < len(data) and 0 < (length := data[position]) < 64:
        position += 1 + length
    return position + 1 == len(data) <= 255 and data[position] == 0
