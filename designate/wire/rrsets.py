"""Stored RRs grouped into RRsets: the content of a transfer, to be compared with the stored zone.

The RRs are those of `wire.transfer_assembler` and of the journal.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import dns.exception
import dns.name

from designate import domain_names, mailboxes
from designate.runtime.cooperative import yielding
from designate.wire import packet, presentation, rr, types

_FIXED = struct.Struct(">HHIH")
_TYPE_RRSIG = 46
_NUMBERS = struct.Struct(">5I")
# An RRset must fit into one message (RFC 2181 section 9), with a header, the longest question and room
# for a signature. Owners are pointers there.
MAX_RRSET_BYTES = packet.MAX_MESSAGE_BYTES - 12 - 259 - 512

MAX_TTL = 2**32 - 1

RRsetKey = tuple[str, int]


@dataclass(slots=True)
class RRset:
    """The records of one name and type.

    The signatures of a name are several RRsets, one for each type covered, with the TTLs of the RRsets
    that they cover (RFC 4034 section 3); they are stored as one recordset.

    Attributes:
        owner: relative to the zone, as in storage.
        ttl: of signatures the lowest one.
        rdatas: in order, each once.
        covered_ttls: TTLs of signatures by the type covered; empty for other types.
    """

    owner: bytes
    name: str
    rtype: int
    ttl: int
    rdatas: dict[bytes, None] = field(default_factory=dict)
    covered_ttls: dict[int, int] = field(default_factory=dict)

    def add(self, rdata: bytes, ttl: int) -> None:
        """Add a record; its TTL becomes that of all records, of signatures all of the type covered."""
        self.rdatas[rdata] = None
        if self.rtype == _TYPE_RRSIG:
            self.covered_ttls[covered_type(rdata)] = ttl
            self.ttl = min(self.covered_ttls.values())
        else:
            self.ttl = ttl

    def ttl_of(self, rdata: bytes) -> int:
        """Return the TTL of a record, which the set need not have yet."""
        if self.rtype == _TYPE_RRSIG:
            return self.covered_ttls.get(covered_type(rdata), MAX_TTL)
        return self.ttl

    @property
    def wire(self) -> bytes:
        """The stored RRs."""
        if self.rtype == _TYPE_RRSIG:
            return pack_signatures(self.owner, self.rdatas, self.covered_ttls)
        return rr.pack(self.owner, self.rtype, self.ttl, self.rdatas)

    def texts(self) -> tuple[str, ...]:
        """Return the data as canonical text."""
        return tuple(presentation.to_text(self.rtype, rdata) for rdata in self.rdatas)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoaRecord:
    """The data of an SOA (RFC 1035 section 3.3.13), times in seconds.

    Attributes:
        wire: the whole data.
        email: RNAME as an email address (designate.mailboxes).
    """

    ttl: int
    wire: bytes
    mname: str
    email: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


@dataclass(slots=True)
class IxfrStep:
    """One difference sequence of an IXFR, from one SOA to the next; RRs as (owner, type, TTL, data)."""

    old: SoaRecord
    new: SoaRecord
    deleted: list[tuple[bytes, int, int, bytes]] = field(default_factory=list)
    added: list[tuple[bytes, int, int, bytes]] = field(default_factory=list)


def split(wire: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Yield the RRs as (owner, type, TTL, data), in order."""
    position = 0
    while position < len(wire):
        at = position + rr.owner_length(wire, position)
        rtype, _, ttl, length = _FIXED.unpack_from(wire, at)
        end = at + _FIXED.size + length
        yield wire[position:at], rtype, ttl, wire[at + _FIXED.size : end]
        position = end


class OwnerNames:
    """Names of owners in one zone; caches the last one, as RRs of one owner follow each other."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._owner = b""
        self._name = ""

    def name(self, owner: bytes) -> str:
        """Return the absolute name; raises ValueError when its text is too long to be stored."""
        if owner != self._owner:
            labels = []
            position = 0
            while (length := owner[position]) < 0xC0:
                labels.append(owner[position + 1 : position + 1 + length])
                position += 1 + length
            below = domain_names.text(labels) if labels else ""
            if len(below) + len(self._zone) > domain_names.MAX_CHARS:
                raise ValueError(f"the name {below[:60]}... is too long to be stored")
            self._owner, self._name = owner, below + self._zone
        return self._name


def parse_zone(wire: bytes, zone: str) -> tuple[SoaRecord, dict[RRsetKey, RRset]]:
    """Return a whole zone's SOA and its other RRsets, in order.

    An RRset with different TTLs gets the lowest (RFC 2181 section 5.2), signatures get that of the
    RRset that they cover, and an RRset with different spellings of the owner gets the first. Raises
    ValueError for records that cannot be stored.
    """
    owner_names = OwnerNames(zone)
    records = split(wire)
    _, rtype, ttl, data = next(records, (b"", 0, 0, b""))
    if rtype != rr.TYPE_SOA:
        raise ValueError("the zone has no SOA")
    found: dict[RRsetKey, RRset] = {}
    for owner, rtype, own_ttl, rdata in yielding(records):
        name = owner_names.name(owner)
        key = (name.lower(), rtype)
        rrset = found.get(key)
        if rrset is None:
            rrset = found[key] = RRset(owner, name, rtype, own_ttl)
        rrset.add(rdata, min(rrset.ttl_of(rdata), own_ttl))
    align_signatures(found, zone, ttl)
    return _soa(ttl, data), found


def align_signatures(found: dict[RRsetKey, RRset], zone: str, soa_ttl: int) -> None:
    """Give signatures the TTLs of the RRsets that they cover (RFC 4034 section 3).

    Args:
        found: all RRsets, except the SOA, of each name that occurs.
        zone: name of the zone.
        soa_ttl: TTL of its SOA.
    """
    apex = zone.lower()
    for (name, rtype), rrset in found.items():
        if rtype != _TYPE_RRSIG:
            continue
        ttls = rrset.covered_ttls
        rrset.covered_ttls = {}
        for covered in {covered_type(rdata) for rdata in rrset.rdatas}:
            target = found.get((name, covered))
            if target is not None:
                rrset.covered_ttls[covered] = target.ttl
            else:
                is_soa = covered == rr.TYPE_SOA and name == apex
                rrset.covered_ttls[covered] = soa_ttl if is_soa else ttls[covered]
        rrset.ttl = min(rrset.covered_ttls.values())


def pack_signatures(
    owner: bytes, rdatas: Iterable[bytes], covered_ttls: Mapping[int, int]
) -> bytes:
    """Return the stored RRs of signatures, with the TTLs of the types covered."""
    return b"".join(
        rr.pack(owner, _TYPE_RRSIG, covered_ttls[covered_type(rdata)], (rdata,)) for rdata in rdatas
    )


def covered_type(rrsig: bytes) -> int:
    """Return the type that a signature covers (RFC 4034 section 3.1.1)."""
    return int.from_bytes(rrsig[:2])


def parse_steps(wire: bytes) -> list[IxfrStep]:
    """Return the steps of a difference, oldest first; raises ValueError for anything else."""
    found: list[IxfrStep] = []
    old: SoaRecord | None = None
    for owner, rtype, ttl, data in split(wire):
        if rtype == rr.TYPE_SOA and old is None:
            old = _soa(ttl, data)
            deleted: list[tuple[bytes, int, int, bytes]] = []
        elif rtype == rr.TYPE_SOA and (not found or found[-1].old is not old):
            assert old is not None  # noqa: S101 - the branch above
            found.append(IxfrStep(old, _soa(ttl, data), deleted))
        elif rtype == rr.TYPE_SOA:
            old = _soa(ttl, data)
            deleted = []
        elif old is None:
            raise ValueError("the difference does not begin with an SOA")
        elif found and found[-1].old is old:
            found[-1].added.append((owner, rtype, ttl, data))
        else:
            deleted.append((owner, rtype, ttl, data))
    if not found or found[-1].old is not old:
        raise ValueError("the difference has no end")
    return found


def from_stored(name: str, rtype: int, ttl: int, wire: bytes) -> RRset:
    """Return an RRset from its stored row; signatures have TTLs of their own in the RRs."""
    rrset = RRset(wire[: rr.owner_length(wire)], name, rtype, ttl)
    for _, _, own_ttl, rdata in split(wire):
        rrset.add(rdata, own_ttl if rtype == _TYPE_RRSIG else ttl)
    return rrset


def check_size(rrset: RRset) -> None:
    """Raise ValueError for an RRset that does not fit into a DNS message."""
    size_bytes = sum(12 + len(rdata) for rdata in rrset.rdatas)
    if size_bytes > MAX_RRSET_BYTES:
        raise ValueError(
            f"{rrset.name} {types.name_of(rrset.rtype)} has {size_bytes} bytes of records; "
            f"{MAX_RRSET_BYTES} fit into a DNS message"
        )


def _soa(ttl: int, data: bytes) -> SoaRecord:
    try:
        mname, used = dns.name.from_wire(data, 0)
        rname, more = dns.name.from_wire(data, used)
        numbers = _NUMBERS.unpack_from(data, used + more)
    except (dns.exception.DNSException, struct.error) as error:
        raise ValueError("the SOA cannot be read") from error
    serial, refresh, retry, expire, minimum = numbers
    return SoaRecord(
        ttl=ttl,
        wire=data,
        mname=mname.to_text(),
        email=mailboxes.email(rname.labels),
        serial=serial,
        refresh=refresh,
        retry=retry,
        expire=expire,
        minimum=minimum,
    )
