"""Resource records as stored: whole RRs whose owner ends in a pointer to offset 12 (RFC 1035 3.2.1).

The RRs of a recordset are one byte string. When the recordset has no TTL of its own, the field is
zero in storage and `with_ttl` writes the zone's TTL into a copy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

from designate.wire.names import APEX_POINTER, relative_owner

CLASS_IN = 1
TYPE_NS = 2
TYPE_SOA = 6
_FIXED = struct.Struct(">HHIH")
_U32 = struct.Struct(">I")


def pack(owner: bytes, rtype: int, ttl: int, rdatas: Iterable[bytes]) -> bytes:
    """Return the RRs of one owner and type; owner is in wire form, e.g. from names.relative_owner."""
    parts: list[bytes] = []
    for rdata in rdatas:
        parts += (owner, _FIXED.pack(rtype, CLASS_IN, ttl, len(rdata)), rdata)
    return b"".join(parts)


def rrset(name: str, zone: str, rtype: int, ttl: int | None, rdatas: Sequence[bytes]) -> bytes:
    """Return the value of the column `recordsets.wire`; ttl None: inherited from the zone."""
    return pack(relative_owner(name, zone), rtype, ttl or 0, rdatas)


def soa(zone_ttl: int, rdata: bytes) -> bytes:
    """Return the SOA RR at the zone's apex."""
    return pack(APEX_POINTER, TYPE_SOA, zone_ttl, (rdata,))


def soa_with_serial(rdata: bytes, serial: int) -> bytes:
    """Return the SOA's data with another serial, which is 20 bytes before the end (RFC 1035 3.3.13)."""
    return rdata[:-20] + _U32.pack(serial) + rdata[-16:]


def serial_of(rdata: bytes) -> int:
    """Return the serial in an SOA's data."""
    return int.from_bytes(rdata[-20:-16])


def soa_with_mname(rdata: bytes, mname: bytes) -> bytes:
    """Return the SOA's data with another MNAME, in wire form."""
    return mname + rdata[owner_length(rdata) :]


def is_same_soa(one: bytes, other: bytes) -> bool:
    """Return whether the data of two SOAs is equal, whatever the case of their names."""
    # The bytes of lengths in a name are below those of letters.
    return one[-20:] == other[-20:] and one[:-20].lower() == other[:-20].lower()


def first_rdata(wire: bytes) -> bytes:
    """Return the data of the first RR."""
    return next(split(wire))[owner_length(wire) + 10 :]


def owner_length(wire: bytes, start: int = 0) -> int:
    """Return the length of an owner name that ends in a pointer or in the root."""
    position = start
    while (length := wire[position]) and length < 0xC0:
        position += 1 + length
    return position - start + (2 if length else 1)


def split(wire: bytes) -> Iterator[bytes]:
    """Yield the single RRs, in order."""
    position = 0
    while position < len(wire):
        fixed = position + owner_length(wire, position)
        end = fixed + 10 + int.from_bytes(wire[fixed + 8 : fixed + 10])
        yield wire[position:end]
        position = end


def with_ttl(wire: bytes, ttl: int) -> bytes:
    """Return a copy with this TTL in every RR; all RRs must have the same owner."""
    if not wire:
        return wire
    at = owner_length(wire) + 4
    ttl_bytes = _U32.pack(ttl)
    if at + 6 + int.from_bytes(wire[at + 4 : at + 6]) == len(wire):
        return wire[:at] + ttl_bytes + wire[at + 4 :]
    return b"".join([rr[:at] + ttl_bytes + rr[at + 4 :] for rr in split(wire)])


def difference(old: bytes, new: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return (deleted, added): the RRs that only one of two RRsets has, in their order."""
    old_rrs, new_rrs = list(split(old)), list(split(new))
    old_set, new_set = set(old_rrs), set(new_rrs)
    return (
        [rr for rr in old_rrs if rr not in new_set],
        [rr for rr in new_rrs if rr not in old_set],
    )
