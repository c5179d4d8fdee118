"""Compares an RRset of a zone with what one nameserver serves, by queries."""

from __future__ import annotations

import enum
import secrets
from dataclasses import dataclass

import dns.name
import dns.rcode
import dns.rdatatype

from designate.wire import client, rr, types
from designate.wire.tsig_keys import SigningKey


class Comparison(enum.StrEnum):
    """The result of a comparison.

    EQUAL: the nameserver has the RRset, or has none where there is none. OTHER: it has other data.
    UNDECIDED: such a name cannot be compared there. AGAIN: the zone changed there meanwhile, or no
    reply came.
    """

    EQUAL = "EQUAL"
    OTHER = "OTHER"
    UNDECIDED = "UNDECIDED"
    AGAIN = "AGAIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """An RRset of a zone; digest: see wire.digests; empty: the zone has none of that name and type."""

    zone: str
    name: str
    rtype: int
    digest: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Queries one nameserver, in the same way each time. Thread-safe."""

    host: str
    port: int
    key: SigningKey | None
    timeout_s: float
    tcp: bool

    def soa(self, zone: str) -> client.SoaAnswer:
        """Query the zone's SOA."""
        return client.query_soa(
            self.host, self.port, zone, self.timeout_s, tcp=self.tcp, key=self.key
        )

    def data(self, name: str, rtype: int) -> client.DataAnswer:
        """Query an RRset."""
        return client.query_data(
            self.host, self.port, name, rtype, self.timeout_s, tcp=self.tcp, key=self.key
        )


def compare(asker: Asker, expected: Expected, answer: client.SoaAnswer) -> tuple[Comparison, str]:
    """Ask a nameserver for an RRset and compare it; return the result and a text for people.

    Takes one query where they are equal. A difference counts only where the nameserver cannot have
    another reason for it.

    Args:
        asker: queries the nameserver.
        expected: the RRset.
        answer: the nameserver's SOA before.
    """
    found = asker.data(expected.name, expected.rtype)
    what = f"{expected.name} {types.name_of(expected.rtype)}"
    if _matches(expected, found):
        return Comparison.EQUAL, ""
    if found.rcode is None and not found.truncated:
        return Comparison.AGAIN, f"no answer for {what}: {found.text}"
    if asker.soa(expected.zone) != answer:
        return Comparison.AGAIN, ""
    if not _is_comparable(asker, expected, found):
        return Comparison.UNDECIDED, ""
    return Comparison.OTHER, f"{what} {_difference(expected, found)}"


def _matches(expected: Expected, found: client.DataAnswer) -> bool:
    has_answer = found.rcode in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    return has_answer and found.digest == expected.digest


def _is_comparable(asker: Asker, expected: Expected, found: client.DataAnswer) -> bool:
    """Return whether the answer comes from the zone itself, at exactly the name."""
    if found.truncated or found.redirected:
        return False
    if found.rcode == dns.rcode.NOERROR and not found.authoritative:
        # A referral: its NS records are the zone's if it is for this name.
        return expected.rtype == rr.TYPE_NS and bool(found.digest)
    # The server may have a zone of its own at the name or above it.
    zone, name = dns.name.from_text(expected.zone), dns.name.from_text(expected.name)
    owner = found.soa_owner or asker.data(expected.name, dns.rdatatype.SOA).soa_owner
    if owner != zone:
        return False
    if expected.digest or not found.digest or name == zone:
        return True
    sibling = dns.name.Name((secrets.token_hex(8).encode(), *name.parent().labels))
    from_wildcard = asker.data(sibling.to_text(), expected.rtype)
    return from_wildcard.rcode is not None and from_wildcard.digest != found.digest


def _difference(expected: Expected, found: client.DataAnswer) -> str:
    if found.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return f"is answered with {found.text}"
    if not expected.digest:
        return "is still there"
    return "differs" if found.digest else "is missing"
