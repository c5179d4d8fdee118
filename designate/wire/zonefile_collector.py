"""The records of a master file while it is read, as RRsets in wire form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from designate import domain_names
from designate.wire import presentation, types
from designate.wire.zonefile_fast import RecordData

MAX_REASON_CHARS = 200
# The highest TTL and SOA time (RFC 2181 section 8).
MAX_SECONDS = 2**31 - 1
# Names by which other nameservers write types, mostly in lists of types, and dnspython does not know.
_OTHER_NAMES = {
    31: "EID", 32: "NIMLOC", 34: "ATMA", 40: "SINK", 57: "RKEY", 58: "TALINK", 100: "UINFO", 101: "UID",
    102: "GID", 259: "DOA",
}  # fmt: skip


class FileFault(NamedTuple):
    """Why a line of a file cannot be used."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ZonefileRRset:
    """An RRset of a zone file.

    Attributes:
        ttl: of its first record.
        records: maps the identity of each record to its text, data and line, in the file's order.
        covered_ttls: for RRSIG, the TTLs of the RRsets that are covered, by their type.
    """

    name: str
    type: str
    ttl: int
    records: dict[bytes, tuple[str, bytes, int]] = field(default_factory=dict)
    covered_ttls: dict[int, int] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """The records' texts."""
        return tuple([text for text, _, _ in self.records.values()])

    @property
    def rdatas(self) -> tuple[bytes, ...]:
        """The records' data in wire form."""
        return tuple([wire for _, wire, _ in self.records.values()])

    @property
    def lines(self) -> tuple[int, ...]:
        """The line of each record."""
        return tuple([line for _, _, line in self.records.values()])


class Collector:
    """Collects the records; dnspython's reader uses it as its transaction.

    Attributes:
        line: where the entry begins that is read.
        skipped: a notice for each malformed record outside the zone.
    """

    def __init__(self) -> None:
        self.manager = self
        self.line = 1
        self.first_origin: dns.name.Name | None = None
        self.rrsets: dict[tuple[str, str], ZonefileRRset] = {}
        self.soa: tuple[dns.name.Name, int, Any, int] | None = None
        self.skipped: list[FileFault] = []
        self._names: dict[dns.name.Name, str] = {}

    def origin_information(self) -> tuple[dns.name.Name, bool, None]:
        """Give the reader a zone that has every name; which zone it is shows the SOA."""
        return dns.name.root, False, None

    def check_put_rdataset(self, _check: object) -> None:
        """Accept all: central checks the rules between recordsets."""

    def _set_origin(self, origin: dns.name.Name) -> None:
        self.first_origin = self.first_origin or origin

    def add(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        """Add a record that the reader has parsed; raises ValueError if a zone cannot have it."""
        if ttl > MAX_SECONDS:
            raise ValueError(f"its TTL {ttl} is above {MAX_SECONDS}")
        if rdata.rdtype == dns.rdatatype.SOA:
            self._add_soa(name, ttl, rdata)
            return
        text = self._names.get(name)
        if text is None:
            text = self._names[name] = domain_names.text(name.labels)
        self.record(text, types.name_of(rdata.rdtype), ttl, _data_of(rdata), self.line)
        if rdata.rdtype == dns.rdatatype.RRSIG:
            covered: Any = rdata
            ttls = self.rrsets[text.lower(), "RRSIG"].covered_ttls
            ttls.setdefault(int(covered.type_covered), ttl)

    def skip_outside(self, name: dns.name.Name | None) -> bool:
        """Skip a malformed record if its owner is outside the zone; return whether it is."""
        zone = self.soa[0] if self.soa else self.first_origin
        if zone is None or name is None or name.is_subdomain(zone):
            return False
        self.skipped.append(
            outside(self.line, domain_names.text(name.labels), domain_names.text(zone.labels))
        )
        return True

    def _add_soa(self, name: dns.name.Name, ttl: int, rdata: Any) -> None:
        if self.soa is None:
            for time in ("refresh", "retry", "expire", "minimum"):
                if getattr(rdata, time) > MAX_SECONDS:
                    raise ValueError(f"the SOA's {time} is above {MAX_SECONDS}")
            self.soa = (name, ttl, rdata, self.line)
        elif self.soa[0] != name or self.soa[2] != rdata:
            raise ValueError(f"there is another SOA record in line {self.soa[3]}")

    def record(self, name: str, rtype: str, ttl: int, data: RecordData, line: int) -> None:
        """Add a record, unless its RRset has the same data."""
        key = (name.lower(), rtype)
        found = self.rrsets.get(key)
        if found is None:
            found = self.rrsets[key] = ZonefileRRset(name, rtype, ttl)
        text, wire, identity = data
        found.records.setdefault(identity, (text, wire, line))


def outside(line: int, name: str, zone: str) -> FileFault:
    """Return the notice of a record outside the zone."""
    return FileFault(line, f"skipped: {name} is outside the zone {zone}"[:MAX_REASON_CHARS])


def _data_of(rdata: dns.rdata.Rdata) -> RecordData:
    rtype = int(rdata.rdtype)
    if types.kind_of(rtype) is types.Kind.META:
        raise ValueError(f"{types.name_of(rtype)} is not a type of records in a zone")
    wire = rdata.to_wire() or b""
    reparsed = dns.rdata.from_wire(dns.rdataclass.IN, rdata.rdtype, wire, 0, len(wire))
    if reparsed.to_wire() != wire:
        raise ValueError("its data reads back differently")
    return presentation.text_of(reparsed, wire), wire, presentation.identity_of(reparsed)


def _register_names() -> None:
    for number, name in _OTHER_NAMES.items():
        dns.rdatatype.register_type(dns.rdatatype.RdataType.make(number), name)


_register_names()
