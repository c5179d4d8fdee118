"""Reading of master files (RFC 1035 section 5) into RRsets in wire form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.rdataclass
import dns.tokenizer
import dns.zonefile

from designate import domain_names, errors, mailboxes
from designate.wire import names, types, zonefile_entries
from designate.wire.zonefile_collector import (
    MAX_REASON_CHARS,
    MAX_SECONDS,
    Collector,
    FileFault,
    ZonefileRRset,
    outside,
)
from designate.wire.zonefile_fast import FastZonefileReader

DIRECTIVES = ("$ORIGIN", "$TTL")
MAX_FAULTS = 100
# Characters between two progress reports; an entry may have more.
PROGRESS_CHARS = 2**15
_BEGINS_WITH_ORIGIN = re.compile(
    r"(?:[^\S\n]*+(?:;[^\n]*+)?\n)*+[^\S\n]*+\$ORIGIN\s", re.IGNORECASE
)
_DIRECTIVE = re.compile(r"\s+\$(?:ORIGIN|TTL)\s", re.IGNORECASE)
_CAUGHT = re.compile(r"caught exception <class '[^']*'>: ")
_PLACE = re.compile(r"zone file:\d+: ")
_NUMBER_AS_TYPE = re.compile(r"unknown rdatatype '(\d+)'")

Progress = Callable[[str], None]


class InvalidZonefile(errors.BadRequest):
    """Raised when a zone file cannot be used.

    Attributes:
        faults: the first MAX_FAULTS; the message has them all.
    """

    def __init__(self, faults: list[FileFault], type: str = "bad_request") -> None:
        text = "; ".join(f"line {fault.line}: {fault.reason}" for fault in faults)
        super().__init__(text, type=type)
        self.faults = tuple(faults[:MAX_FAULTS])


class MissingOrigin(InvalidZonefile):
    """Raised when a zone file does not begin with $ORIGIN."""


class MissingSoa(InvalidZonefile):
    """Raised when a zone file has no SOA record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFile:
    """The content of a zone file, times in seconds.

    Attributes:
        origin: name of the zone.
        soa_line: where its SOA begins.
        email: RNAME of the SOA as an email address (designate.mailboxes).
        rrsets: all but the SOA and the NS RRset of the origin, in the file's order.
        skipped: a notice for each of the first records outside the zone, at most MAX_FAULTS.
        skipped_count: how many records are outside the zone.
    """

    origin: str
    soa_line: int
    ttl: int
    email: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int
    rrsets: tuple[ZonefileRRset, ...]
    skipped: tuple[FileFault, ...] = ()
    skipped_count: int = 0


def parse(
    text: str,
    progress: Progress = lambda _: None,
    fast_reader: type[FastZonefileReader] = FastZonefileReader,
) -> ZoneFile:
    """Parse a zone file; records outside its zone are skipped and counted.

    The zone is that of the SOA. The first $ORIGIN is the same name, or in dumps of BIND the root, or in
    those of NSD the name above.

    Args:
        text: content of the file.
        progress: called at least for every PROGRESS_CHARS with a text about the position.
        fast_reader: class that reads the plain lines.

    Raises:
        InvalidZonefile: (MissingOrigin, MissingSoa) with the first MAX_FAULTS faults.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip("\n") + "\n"
    if not _BEGINS_WITH_ORIGIN.match(text):
        raise MissingOrigin([FileFault(1, "the file does not begin with $ORIGIN")])
    collector = Collector()
    transaction: Any = collector
    reader = dns.zonefile.Reader(
        dns.tokenizer.Tokenizer(""),
        dns.rdataclass.IN,
        transaction,
        allow_include=False,
        allow_directives=DIRECTIVES,
    )
    # The reader takes the zone's name as the origin of names, which only a directive sets here.
    reader.current_origin = reader.last_name = None
    faults = _read(text, reader, collector, fast_reader(reader, collector.record), progress)
    if faults:
        raise InvalidZonefile(faults)
    if collector.soa is None:
        raise MissingSoa([FileFault(text.count("\n"), "the file ends without an SOA record")])
    return _zone_of(collector)


def _zone_of(collector: Collector) -> ZoneFile:
    assert collector.soa is not None  # noqa: S101 - checked by the caller
    origin, ttl, soa, line = collector.soa
    if collector.first_origin not in (origin, origin.parent(), dns.name.root):
        reason = f"the SOA is not that of the file's $ORIGIN {collector.first_origin}"
        raise InvalidZonefile([FileFault(line, reason)])
    name = domain_names.text(origin.labels)
    _align_signatures(collector.rrsets, name.lower(), ttl)
    inside, skipped = _separate(collector.rrsets, origin)
    skipped += collector.skipped
    return ZoneFile(
        origin=name,
        soa_line=line,
        ttl=ttl,
        email=mailboxes.email(soa.rname.labels),
        serial=soa.serial,
        refresh=soa.refresh,
        retry=soa.retry,
        expire=soa.expire,
        minimum=soa.minimum,
        rrsets=inside,
        skipped=tuple(sorted(skipped)[:MAX_FAULTS]),
        skipped_count=len(skipped),
    )


def _align_signatures(
    rrsets: dict[tuple[str, str], ZonefileRRset], apex: str, soa_ttl: int
) -> None:
    """Give signatures the TTLs of the RRsets that they cover (RFC 4034 section 3)."""
    for (name, _), rrset in rrsets.items():
        for covered in rrset.covered_ttls:
            rtype = types.name_of(covered)
            target = rrsets.get((name, rtype))
            if target is not None:
                rrset.covered_ttls[covered] = target.ttl
            elif rtype == "SOA" and name == apex:
                rrset.covered_ttls[covered] = soa_ttl


def _separate(
    rrsets: dict[tuple[str, str], ZonefileRRset], origin: dns.name.Name
) -> tuple[tuple[ZonefileRRset, ...], list[FileFault]]:
    """Return the zone's RRsets without its NS, and a notice for each record that is not in the zone."""
    apex = domain_names.text(origin.labels).lower()
    below = "." + apex
    inside = []
    skipped: list[FileFault] = []
    for (name, rtype), rrset in rrsets.items():
        if not (name == apex or name.endswith(below)):
            skipped += (outside(line, rrset.name, apex) for line in rrset.lines)
        elif rtype != "NS" or name != apex:
            inside.append(rrset)
    return tuple(inside), skipped


def _read(
    text: str,
    reader: dns.zonefile.Reader,
    collector: Collector,
    fast_reader: FastZonefileReader,
    progress: Progress,
) -> list[FileFault]:
    """Read the file and return the faults; after each one, reading continues behind the entry."""
    faults: list[FileFault] = []
    position, line, report_at = 0, 1, PROGRESS_CHARS
    fast_reader.begin()
    while position < len(text) and len(faults) < MAX_FAULTS:
        if position >= report_at:
            progress(f"Reading the zone file: line {line}")
            report_at = position + PROGRESS_CHARS
        end = text.index("\n", position)
        if fast_reader.line(text[position : end + 1], line):
            position, line = end + 1, line + 1
            continue
        content = zonefile_entries.end_of_blank_lines(text, position)
        if content > position:
            position, line = content, line + text.count("\n", position, content)
            continue
        fast_reader.end()
        end, problem, within = zonefile_entries.find(text, position)
        collector.line = line
        if problem:
            faults.append(FileFault(line + within, problem))
        else:
            faults += _read_entry(reader, collector, text[position:end])
        line += text.count("\n", position, end + 1)
        position = end + 1
        fast_reader.begin()
    return faults


def _read_entry(
    reader: dns.zonefile.Reader, collector: Collector, entry: str
) -> Iterator[FileFault]:
    """Read one entry, and yield its fault, if it has one."""
    entry = entry.lstrip() if _DIRECTIVE.match(entry) else zonefile_entries.with_whole_groups(entry)
    line, last_name = collector.line, reader.last_name
    tokenizer = reader.tok = dns.tokenizer.Tokenizer(entry, "zone file", idna_codec=names.IDNA)
    try:
        reader.read()
    except (
        dns.exception.DNSException, ValueError, RecursionError, OverflowError,
    ) as error:  # fmt: skip
        has_owner = entry[:1].isspace() or reader.last_name is not last_name
        if not (has_owner and collector.skip_outside(reader.last_name)):
            behind = tokenizer.where()[1] - 1 - (tokenizer.ungotten_char == "\n")
            yield FileFault(line + min(behind, entry.count("\n")), _reason(error))
    if reader.default_ttl > MAX_SECONDS:
        reader.default_ttl = 0
        if entry.startswith("$"):
            yield FileFault(line, f"the TTL is above {MAX_SECONDS}")


def _reason(error: Exception) -> str:
    """Return what is wrong with an entry, for people, as printable text."""
    text = _CAUGHT.sub("", _PLACE.sub("", str(error), count=1), count=1)
    if text == dns.exception.UnexpectedEnd.__doc__:
        return "a quoted string has no end"
    number = _NUMBER_AS_TYPE.fullmatch(text)
    if number:
        text = f"{number[1]} is neither a TTL up to {MAX_SECONDS} nor a record type"
    shown = "".join(char if char.isprintable() else f"\\{ord(char):03d}" for char in text)
    return shown[:MAX_REASON_CHARS] or type(error).__name__
