"""Queries and NOTIFY messages to nameservers, each with a deadline.

Network errors are part of the result, never an exception: the caller judges what each server said.
mdns replies to such messages; `worker.converge` decides what the results mean for a zone.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from designate.wire import digests, tsig_keys
from designate.wire.exchange import (
    NoReplyError,
    NoTcpReplyError,
    RefusedHostError,
    Reply,
    exchange,
    make_query,
)
from designate.wire.primary_rules import PrimaryRules

_NOTIFY_FLAGS = (dns.opcode.NOTIFY << 11) | dns.flags.AA


class SoaState(enum.StrEnum):
    """What an SOA query says about a zone on a server.

    SERIAL: the server is authoritative for the zone. ABSENT: it does not serve the zone. FAILED: it
    cannot serve the zone for now (SERVFAIL). UNKNOWN: none of these.
    """

    SERIAL = "SERIAL"
    ABSENT = "ABSENT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoaAnswer:
    """The result of an SOA query.

    Attributes:
        serial: set for SERIAL only.
        digest: of the SOA without its serial; set for SERIAL only.
        text: what the server said, for people.
        unreachable: no readable reply came.
        refused: the rules for primaries permit none of its addresses; nothing was sent.
    """

    state: SoaState
    serial: int = 0
    digest: str = ""
    text: str = ""
    unreachable: bool = False
    refused: bool = False

    def __str__(self) -> str:
        return f"serial {self.serial}" if self.state is SoaState.SERIAL else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAnswer:
    """The result of a query for an RRset.

    Attributes:
        rcode: None when no reply came.
        text: the rcode's name or the network error.
        truncated: the answer is too large for UDP, and none came over TCP.
        authoritative: the server has the data itself.
        digest: of the RRset with exactly the queried name and type, from the answer, or for NS from
            a referral to that name; empty without one.
        redirected: the answer has a DNAME above the name.
        soa_owner: the zone that an SOA in the answer or a negative answer names; None without one.
    """

    rcode: int | None
    text: str
    truncated: bool = False
    authoritative: bool = False
    digest: str = ""
    redirected: bool = False
    soa_owner: dns.name.Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyAnswer:
    """The result of a NOTIFY.

    Attributes:
        rcode: the server's rcode; None when no reply came.
        text: the rcode's name or the network error.
    """

    rcode: int | None
    text: str

    @property
    def accepted(self) -> bool:
        """Whether the server replied NOERROR."""
        return self.rcode == dns.rcode.NOERROR

    def __str__(self) -> str:
        return self.text


def query_soa(
    host: str,
    port: int,
    zone: str,
    timeout_s: float,
    *,
    tcp: bool = False,
    key: tsig_keys.SigningKey | None = None,
    rules: PrimaryRules | None = None,
) -> SoaAnswer:
    """Query one server for the zone's SOA, without recursion (RFC 1035 section 4.1).

    Network and server errors are returned, never raised. Thread-safe.

    Args:
        host: an address, or a name whose addresses are tried in turn until one replies.
        port: port of the server.
        zone: name of the zone.
        timeout_s: bound of the whole call.
        tcp: use TCP at once; otherwise only when a reply is truncated (RFC 7766 section 5).
        key: signs the query; a reply that is not signed by it is ignored (RFC 8945 section 5.4).
        rules: limit the addresses of a primary that a tenant named; None: the server is the operator's.
    """
    try:
        reply = exchange(host, port, make_query(zone, 0, key), timeout_s, tcp=tcp, rules=rules)
    except NoReplyError as error:
        return SoaAnswer(
            state=SoaState.UNKNOWN,
            text=str(error),
            unreachable=True,
            refused=isinstance(error, RefusedHostError),
        )
    return _soa_answer(reply)


def query_data(
    host: str,
    port: int,
    name: str,
    rtype: int,
    timeout_s: float,
    *,
    tcp: bool = False,
    key: tsig_keys.SigningKey | None = None,
) -> DataAnswer:
    """Query one server for an RRset, without recursion and without signatures.

    Network and server errors are returned, never raised. Arguments as for query_soa.
    """
    try:
        reply = exchange(host, port, make_query(name, 0, key, rtype), timeout_s, tcp=tcp)
    except NoReplyError as error:
        truncated = isinstance(error, NoTcpReplyError)
        return DataAnswer(rcode=None, text=str(error), truncated=truncated)
    owner = dns.name.from_text(name)
    if reply.message is not None:
        return _data_answer(reply.message, owner, rtype)
    return DataAnswer(
        rcode=reply.rcode,
        text=_rcode_text(reply.rcode),
        authoritative=bool(reply.flags & dns.flags.AA),
        digest=digests.of_rrset(rtype, reply.ttl, reply.records) if reply.records else "",
        soa_owner=owner if reply.soa else None,
    )


def send_notify(
    host: str,
    port: int,
    zone: str,
    timeout_s: float,
    *,
    tcp: bool = False,
    key: tsig_keys.SigningKey | None = None,
) -> NotifyAnswer:
    """Send one server a NOTIFY for the zone (RFC 1996 section 3.7): AA set, RD clear.

    The hint in the answer section that section 3.7 allows is omitted, since a server must query the
    SOA anyway. Arguments as for query_soa.
    """
    try:
        reply = exchange(host, port, make_query(zone, _NOTIFY_FLAGS, key), timeout_s, tcp=tcp)
    except NoReplyError as error:
        return NotifyAnswer(rcode=None, text=str(error))
    return NotifyAnswer(rcode=reply.rcode, text=_rcode_text(reply.rcode))


def _data_answer(message: dns.message.Message, name: dns.name.Name, rtype: int) -> DataAnswer:
    authoritative = bool(message.flags & dns.flags.AA)
    # A referral has the delegation's NS records in the authority section (RFC 1034 section 4.3.2).
    referral = rtype == dns.rdatatype.NS and not authoritative
    soas = [
        rrset.name
        for rrset in (*message.answer, *message.authority)
        if rrset.rdtype == dns.rdatatype.SOA
    ]
    return DataAnswer(
        rcode=message.rcode(),
        text=_rcode_text(message.rcode()),
        authoritative=authoritative,
        digest=_digest(message, message.answer, name, rtype)
        or (_digest(message, message.authority, name, rtype) if referral else ""),
        redirected=any(
            rrset.rdtype == dns.rdatatype.DNAME
            and name != rrset.name
            and name.is_subdomain(rrset.name)
            for rrset in message.answer
        ),
        soa_owner=soas[0] if soas else None,
    )


def _digest(
    message: dns.message.Message, section: list[dns.rrset.RRset], name: dns.name.Name, rtype: int
) -> str:
    found = message.get_rrset(section, name, dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype))
    if not found:
        return ""
    return digests.of_rrset(rtype, found.ttl, [rdata.to_wire() or b"" for rdata in found])


def _soa_answer(reply: Reply) -> SoaAnswer:
    text = _rcode_text(reply.rcode)
    if reply.rcode in (dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.NXDOMAIN):
        return SoaAnswer(state=SoaState.ABSENT, text=text)
    if reply.rcode == dns.rcode.SERVFAIL:
        return SoaAnswer(state=SoaState.FAILED, text=text)
    if reply.rcode != dns.rcode.NOERROR:
        return SoaAnswer(state=SoaState.UNKNOWN, text=text)
    if reply.serial is None:
        return SoaAnswer(state=SoaState.ABSENT, text="no SOA of the zone in the answer")
    if not reply.flags & dns.flags.AA:
        # A cached copy does not show whether this server serves the zone.
        return SoaAnswer(state=SoaState.UNKNOWN, text="answer without authority")
    digest = digests.of_soa(reply.ttl, reply.soa)
    return SoaAnswer(state=SoaState.SERIAL, serial=reply.serial, digest=digest)


def _rcode_text(rcode: int) -> str:
    return dns.rcode.to_text(dns.rcode.Rcode.make(rcode))
