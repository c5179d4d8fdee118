"""Digests of RRsets in canonical form (RFC 4034 section 6), by which nameservers are compared.

Names in data are in lower case also where the canonical form leaves them as they are, since servers do so.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable

from designate.wire import rr

_TTL = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_TYPE_NAPTR = 35
# Where the names of the types in RFC 4034 section 6.2 begin; nothing else follows them.
_NAMES_AT = {
    2: 0, 3: 0, 4: 0, 5: 0, 7: 0, 8: 0, 9: 0, 12: 0, 14: 0, 17: 0, 39: 0,
    15: 2, 18: 2, 21: 2, 26: 2, 36: 2, 33: 6,
}  # fmt: skip
# Where one name of a newer type begins; NSD serves it in lower case, as it does those above.
_ONE_NAME_AT = {45: 3, 64: 2, 65: 2, 107: 2, 260: 2}
# IPSECKEY and AMTRELAY have a name if these bits of the second byte say so (RFC 4025 2.3, RFC 8777 4.2.3).
_KIND_BITS = {45: 0xFF, 260: 0x7F}
_KIND_IS_NAME = 3


def has_names(rtype: int) -> bool:
    """Return whether the data of a type may have compressed names."""
    return rtype in _NAMES_AT or rtype == _TYPE_NAPTR or rtype == rr.TYPE_SOA


def of_soa(ttl: int, rdata: bytes) -> str:
    """Return the digest of an SOA without its serial, which is 20 bytes before the end."""
    # The bytes of lengths in a name are below those of letters.
    return _digest((_TTL.pack(ttl), rdata[:-20].lower(), rdata[-16:]))


def of_rrset(rtype: int, ttl: int, rdatas: Iterable[bytes]) -> str:
    """Return the digest of an RRset, whatever the order of its records; data without compression."""
    parts = [_TTL.pack(ttl)]
    for rdata in sorted({_canonical(rtype, rdata) for rdata in rdatas}):
        parts += (_LENGTH.pack(len(rdata)), rdata)
    return _digest(parts)


def of_stored(wire: bytes) -> str:
    """Return the digest of stored RRs, which have the TTL that nameservers serve."""
    at = rr.owner_length(wire)
    rtype, _, ttl = struct.unpack_from(">HHI", wire, at)
    return of_rrset(rtype, ttl, (piece[at + 10 :] for piece in rr.split(wire)))


def _canonical(rtype: int, rdata: bytes) -> bytes:
    at = _NAMES_AT.get(rtype)
    if rtype == _TYPE_NAPTR:
        at = 4
        for _ in range(3):
            at += 1 + rdata[at]
    if at is not None:
        return rdata[:at] + rdata[at:].lower()
    at = _ONE_NAME_AT.get(rtype)
    if at is None or (rtype in _KIND_BITS and rdata[1] & _KIND_BITS[rtype] != _KIND_IS_NAME):
        return rdata
    end = at + rr.owner_length(rdata[at:])
    return rdata[:at] + rdata[at:end].lower() + rdata[end:]


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
