"""Master files (RFC 1035 section 5): parsing into RRsets, and writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile

from designate import domain_names, errors
from designate.wire import names
from designate.wire.zonefile_fast import FastPathTokenizer, FastZonefileReader

DIRECTIVES = ("$ORIGIN", "$TTL")
MAX_REASON_CHARS = 100
MAX_ERRORS = 20
# Records between two progress reports.
PROGRESS_RECORDS = 1000

Progress = Callable[[str], None]


class InvalidZonefile(errors.BadRequest):
    """Raised when a zone file cannot be parsed; the message has the errors and their lines."""


class MissingOrigin(InvalidZonefile):
    """Raised when a zone file does not begin with $ORIGIN."""


class MissingSoa(InvalidZonefile):
    """Raised when a zone file has no SOA record at its origin."""


@dataclass(frozen=True, slots=True)
class ZonefileRRset:
    """An RRset of a zone file.

    Attributes:
        records: maps each record's text to its line, in the file's order.
    """

    name: str
    type: str
    ttl: int
    records: dict[str, int] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """The records' texts."""
        return tuple(self.records)

    @property
    def lines(self) -> tuple[int, ...]:
        """The line of each record."""
        return tuple(self.records.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFile:
    """The content of a zone file, times in seconds.

    Attributes:
        origin: name of the zone.
        email: RNAME of the SOA as an email address.
        rrsets: all but the SOA and the NS RRset of the origin, in the file's order.
    """

    origin: str
    ttl: int
    email: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int
    rrsets: tuple[ZonefileRRset, ...]


class _Collector:
    """Collects the records; dnspython's reader uses it as its transaction."""

    def __init__(self, progress: Progress) -> None:
        self.manager = self
        self.tokenizer: Any = None
        self.rrsets: dict[tuple[str, str], ZonefileRRset] = {}
        self.soa: tuple[dns.name.Name, int, Any] | None = None
        self._names: dict[dns.name.Name, str] = {}
        self._progress = progress
        self._count = 0

    def origin_information(self) -> tuple[None, bool, None]:
        return None, False, None

    def check_put_rdataset(self, _check: object) -> None:
        """Accept all: central checks the rules between recordsets."""

    def _set_origin(self, _origin: dns.name.Name) -> None:
        """Ignore the origin, which the reader has."""

    def add(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        # The reader has gone past the end of the record's line.
        line = self.tokenizer.where()[1] - 1
        if rdata.rdtype == dns.rdatatype.SOA:
            if self.soa is not None and self.soa[2] != rdata:
                raise ValueError("there is more than one SOA record")
            self.soa = (name, ttl, rdata)
            return
        text = self._names.get(name)
        if text is None:
            text = self._names[name] = domain_names.text(name.labels)
        self.record(text, dns.rdatatype.to_text(rdata.rdtype), ttl, rdata.to_text(), line)

    def record(self, name: str, rtype: str, ttl: int, text: str, line: int) -> None:
        key = (name.lower(), rtype)
        found = self.rrsets.get(key)
        if found is None:
            found = self.rrsets[key] = ZonefileRRset(name, rtype, ttl)
        found.records.setdefault(text, line)
        self._count += 1
        if self._count % PROGRESS_RECORDS == 0:
            self._progress(f"Reading the zone file: line {line}")


def parse(
    text: str,
    progress: Progress = lambda _: None,
    fast_reader: type[FastZonefileReader] = FastZonefileReader,
) -> ZoneFile:
    """Parse a zone file; records outside its origin are left out.

    Args:
        text: content of the file.
        progress: called every PROGRESS_RECORDS records with a text about the position.
        fast_reader: class that reads the plain lines.

    Raises:
        InvalidZonefile: (MissingOrigin, MissingSoa) with the first MAX_ERRORS errors and their lines.
    """
    if not _begins_with_origin(text):
        raise MissingOrigin("The $ORIGIN statement is required and must be the first statement")
    collector = _Collector(progress)
    text = text.rstrip("\n") + "\n"
    tokenizer = FastPathTokenizer(text, "zone file", idna_codec=names.IDNA)
    collector.tokenizer = tokenizer
    transaction: Any = collector
    reader = dns.zonefile.Reader(
        tokenizer, dns.rdataclass.IN, transaction, allow_include=False, allow_directives=DIRECTIVES
    )
    tokenizer.fast_reader = fast_reader(reader, collector.record)
    problems = _read(reader, tokenizer, text)
    if problems:
        raise InvalidZonefile("; ".join(problems))
    origin = reader.zone_origin
    if collector.soa is None or origin is None or collector.soa[0] != origin:
        raise MissingSoa("An SOA record is required")
    _, ttl, soa = collector.soa
    name = domain_names.text(origin.labels)
    return ZoneFile(
        origin=name,
        ttl=ttl,
        email=_email(soa.rname),
        serial=soa.serial,
        refresh=soa.refresh,
        retry=soa.retry,
        expire=soa.expire,
        minimum=soa.minimum,
        rrsets=tuple(
            found
            for (owner, rtype), found in collector.rrsets.items()
            if rtype != "NS" or owner != name.lower()
        ),
    )


def _read(reader: dns.zonefile.Reader, tokenizer: FastPathTokenizer, text: str) -> list[str]:
    """Read the file and return the errors; after each one, reading continues at the next line."""
    problems: list[str] = []
    lines: list[str] | None = None
    while len(problems) < MAX_ERRORS:
        try:
            reader.read()
            break
        except (
            dns.exception.DNSException, ValueError, UnicodeError, RecursionError, OverflowError,
        ) as error:  # fmt: skip
            line, reason = _located(error, tokenizer)
            problems.append(f"line {line}: {reason}")
            lines = lines or text.splitlines(keepends=True)
            tokenizer.continue_at(line + 1, sum(map(len, lines[:line])))
    return problems


def _begins_with_origin(text: str) -> bool:
    for line in text.splitlines():
        words = line.partition(";")[0].split()
        if words:
            return words[0].upper() == "$ORIGIN"
    return False


def _located(error: Exception, tokenizer: dns.tokenizer.Tokenizer) -> tuple[int, str]:
    """Return the line and the reason of an error.

    The reader's text may have the number of the next line, so that number is not used.
    """
    text = str(error)
    if text.startswith("zone file:"):
        text = text.split(":", 2)[2].strip()
    line = tokenizer.where()[1] - (tokenizer.ungotten_char == "\n")
    return line, text[:MAX_REASON_CHARS]


def _email(rname: dns.name.Name) -> str:
    """Return an RNAME as an email address (RFC 1035 section 8); its first label is the local part."""
    local = rname.labels[0].decode("ascii", "replace") if rname.labels else ""
    domain = dns.name.Name(rname.labels[1:]).to_text(omit_final_dot=True)
    return f"{local}@{domain}"


def render(
    origin: str, ttl: int, rrsets: Iterable[tuple[str, str, int | None, Iterable[str]]]
) -> Iterator[str]:
    """Yield the file's lines, each with its newline.

    Args:
        origin: name of the zone.
        ttl: TTL of the zone.
        rrsets: (name, type, ttl or None for the zone's, texts) of each.
    """
    yield f"$ORIGIN {origin}\n"
    yield f"$TTL {ttl}\n"
    yield "\n"
    for name, rtype, own_ttl, texts in rrsets:
        shown = "" if own_ttl is None else own_ttl
        for text in texts:
            yield f"{name} {shown} IN {rtype} {text}\n"
