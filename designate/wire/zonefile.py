"""Master files (RFC 1035 section 5): reading them into RRsets, and writing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile

from designate import errors

DIRECTIVES = ("$ORIGIN", "$TTL")
LONGEST_REASON = 100


class Faulty(errors.BadRequest):
    """A zone file that cannot be read. message: what is wrong, with the line where it can be told."""


class NoOrigin(Faulty):
    """It does not begin with $ORIGIN."""


class NoSoa(Faulty):
    """It has no SOA record at its origin."""


@dataclass(frozen=True, slots=True)
class RRset:
    """texts: of the records, in the file's order and without repetitions. line: of the first one."""

    name: str
    type: str
    ttl: int
    line: int
    texts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFile:
    """origin: the zone's name. email: the mailbox of the SOA. rrsets: all but the SOA and the NS set
    of the origin, in the file's order. Times in seconds."""

    origin: str
    ttl: int
    email: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int
    rrsets: tuple[RRset, ...]


class _Collector:
    """What dnspython's reader takes for a transaction: it gathers the records."""

    def __init__(self) -> None:
        self.manager = self
        self.tokenizer: Any = None
        self.rrsets: dict[tuple[str, str], RRset] = {}
        self.soa: tuple[dns.name.Name, int, Any] | None = None
        self._names: dict[dns.name.Name, str] = {}

    def origin_information(self) -> tuple[None, bool, None]:
        return None, False, None

    def check_put_rdataset(self, _check: object) -> None:
        """Rules between records are judged where recordsets are."""

    def _set_origin(self, _origin: dns.name.Name) -> None:
        """The reader keeps it."""

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
            text = self._names[name] = name.to_text()
        rtype = dns.rdatatype.to_text(rdata.rdtype)
        key = (text.lower(), rtype)
        found = self.rrsets.get(key)
        if found is None:
            found = self.rrsets[key] = RRset(text, rtype, ttl, line)
        record = rdata.to_text()
        if record not in found.texts:
            found.texts.append(record)


def parse(text: str) -> ZoneFile:
    """Raises Faulty (NoOrigin, NoSoa). Records outside of the origin are left out."""
    if not _begins_with_origin(text):
        raise NoOrigin("The $ORIGIN statement is required and must be the first statement")
    collector = _Collector()
    tokenizer = dns.tokenizer.Tokenizer(text.rstrip("\n") + "\n", "zone file")
    collector.tokenizer = tokenizer
    transaction: Any = collector
    reader = dns.zonefile.Reader(
        tokenizer, dns.rdataclass.IN, transaction, allow_include=False, allow_directives=DIRECTIVES
    )
    try:
        reader.read()
    except dns.exception.DNSException as error:
        raise Faulty(_located(error, tokenizer)) from None
    except (ValueError, UnicodeError, RecursionError, OverflowError) as error:
        raise Faulty(_located(error, tokenizer)) from None
    origin = reader.zone_origin
    if collector.soa is None or origin is None or collector.soa[0] != origin:
        raise NoSoa("An SOA record is required")
    _, ttl, soa = collector.soa
    name = origin.to_text()
    return ZoneFile(
        origin=name,
        ttl=ttl,
        email=_mailbox(soa.rname),
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


def _begins_with_origin(text: str) -> bool:
    for line in text.splitlines():
        words = line.partition(";")[0].split()
        if words:
            return words[0].upper() == "$ORIGIN"
    return False


def _located(error: Exception, tokenizer: dns.tokenizer.Tokenizer) -> str:
    """The reason with its line. The reader's own text names the next line where it had looked at the
    end of the faulty one, so that its number is not used."""
    text = str(error)
    if text.startswith("zone file:"):
        text = text.split(":", 2)[2].strip()
    line = tokenizer.where()[1] - (tokenizer.ungotten_char == "\n")
    return f"line {line}: {text[:LONGEST_REASON]}"


def _mailbox(rname: dns.name.Name) -> str:
    """RFC 1035 section 8: the first label is the local part, whose dots are escaped."""
    local = rname.labels[0].decode("ascii", "replace") if rname.labels else ""
    domain = dns.name.Name(rname.labels[1:]).to_text(omit_final_dot=True)
    return f"{local}@{domain}"


def render(
    origin: str, ttl: int, rrsets: Iterable[tuple[str, str, int | None, Iterable[str]]]
) -> Iterator[str]:
    """The file's lines, each with its end. rrsets: (name, type, ttl or None for the zone's, texts)."""
    yield f"$ORIGIN {origin}\n"
    yield f"$TTL {ttl}\n"
    yield "\n"
    for name, rtype, own_ttl, texts in rrsets:
        shown = "" if own_ttl is None else own_ttl
        for text in texts:
            yield f"{name} {shown} IN {rtype} {text}\n"
