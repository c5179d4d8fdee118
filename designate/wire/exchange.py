"""One DNS query and its reply, over UDP or TCP, with a deadline.

A query is a fixed header, a name and four bytes, so it is packed directly, and the usual reply to one
for an SOA is unpacked in the same way. All other replies are parsed by dnspython.
"""

from __future__ import annotations

import secrets
import socket
import struct
import time
from dataclasses import dataclass
from functools import lru_cache

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from designate import errors
from designate.wire import digests, tsig, tsig_keys
from designate.wire.names import to_wire
from designate.wire.primary_rules import PrimaryRules, RefusedPrimary
from designate.wire.resolver import SocketAddress, socket_addresses
from designate.wire.sockets import receive_exactly, remaining_s

UDP_SIZE_BYTES = 65535
_HEADER = struct.Struct(">HHHHHH")
_TYPE_CLASS = struct.Struct(">HH")
_RR_FIXED = struct.Struct(">HHHIH")
_POINTER_TO_QUESTION = 0xC00C
_MIN_SOA_BYTES = 22
_SOA_NUMBERS_BYTES = 20


class NoReplyError(Exception):
    """Raised when an exchange gave no readable reply; the text is the reason."""


class RefusedHostError(NoReplyError):
    """Raised when the rules for primaries refuse the host; nothing was sent."""


class NoTcpReplyError(NoReplyError):
    """Raised when the reply over UDP was truncated, and none came over TCP."""


@dataclass(frozen=True, slots=True)
class DnsQuery:
    """A query, or a NOTIFY, whose question is that for an SOA.

    Attributes:
        zone: the name that is queried: for an SOA, the zone's.
        query: the message without a signature.
        wire: the message as it is sent.
        key: the key that signs it; the reply must be signed by it too.
        mac: MAC of the signature.
        rtype: the type that is queried.
    """

    zone: str
    query: bytes
    wire: bytes
    key: tsig_keys.SigningKey | None
    mac: bytes
    rtype: int = dns.rdatatype.SOA


@dataclass(frozen=True, slots=True)
class Reply:
    """The relevant parts of a reply.

    Attributes:
        flags: of the header.
        rcode: with the bits in an OPT record.
        soa: data of the zone's SOA in the answer, without compression; empty without one.
        ttl: of the SOA or the records.
        records: data of the queried RRset, where the answer has nothing else and no names can be in it.
        message: the whole reply, for other types than SOA and without `records`.
    """

    flags: int
    rcode: int
    soa: bytes = b""
    ttl: int = 0
    records: tuple[bytes, ...] = ()
    message: dns.message.Message | None = None

    @property
    def serial(self) -> int | None:
        """The serial of the zone's SOA in the answer; None without one (RFC 1035 section 3.3.13)."""
        return int.from_bytes(self.soa[-20:-16]) if self.soa else None


def make_query(
    zone: str, flags: int, key: tsig_keys.SigningKey | None, rtype: int = dns.rdatatype.SOA
) -> DnsQuery:
    """Return a query for the zone's SOA, or for a name and type, with a random id.

    It is signed by the key if there is one.
    """
    message_id = secrets.randbits(16)
    question = to_wire(zone) + _TYPE_CLASS.pack(rtype, dns.rdataclass.IN)
    query = _HEADER.pack(message_id, flags, 1, 0, 0, 0) + question
    if key is None:
        return DnsQuery(zone, query, query, None, b"", rtype)
    signer = tsig.Signer(key)
    return DnsQuery(zone, query, signer.sign(query), key, signer.mac, rtype)


def exchange(
    host: str,
    port: int,
    query: DnsQuery,
    timeout_s: float,
    *,
    tcp: bool,
    rules: PrimaryRules | None = None,
) -> Reply:
    """Send the query to the addresses of a host in turn and return the first reply.

    A truncated reply over UDP is requested again over TCP (RFC 7766 section 5). With rules, only the
    addresses that they permit are used. Raises NoReplyError, which is a NoTcpReplyError if only that
    failed, and a RefusedHostError if the rules permit no address.
    """
    deadline = time.monotonic() + timeout_s
    try:
        addresses = socket_addresses(host) if rules is None else rules.socket_addresses(host, port)
    except RefusedPrimary as error:
        raise RefusedHostError(str(error)) from None
    problem = NoReplyError("no address")
    for place, address in enumerate(addresses):
        # Each address gets an even share of the remaining time, so a dead one leaves time for the next.
        share = (deadline - time.monotonic()) / (len(addresses) - place)
        try:
            return _exchange(address, port, query, time.monotonic() + share, tcp)
        except NoReplyError as error:
            problem = error
    raise problem


def _exchange(
    address: SocketAddress, port: int, query: DnsQuery, deadline: float, tcp: bool
) -> Reply:
    kind = NoReplyError
    try:
        if not tcp:
            reply = _over_udp(address, port, query, deadline)
            if not reply.flags & dns.flags.TC:
                return reply
            kind = NoTcpReplyError
        return _over_tcp(address, port, query, deadline)
    except TimeoutError:
        raise kind("timeout") from None
    except OSError as error:
        raise kind(errors.os_error_text(error)) from None


def _over_udp(address: SocketAddress, port: int, query: DnsQuery, deadline: float) -> Reply:
    address_family, host = address
    untrusted: tsig.UntrustedReply | None = None
    with socket.socket(address_family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(remaining_s(deadline))
        sock.connect((host, port))  # Datagrams of other senders are dropped by the kernel.
        sock.send(query.wire)
        while True:
            try:
                sock.settimeout(remaining_s(deadline))
                reply = match_reply(sock.recv(UDP_SIZE_BYTES), query)
            except tsig.UntrustedReply as error:
                # It may be forged, and the genuine one still to come (RFC 8945 section 5.4).
                untrusted = error
                continue
            except TimeoutError:
                if untrusted is None:
                    raise
                raise NoReplyError(str(untrusted)) from None
            if reply is not None:
                return reply


def _over_tcp(address: SocketAddress, port: int, query: DnsQuery, deadline: float) -> Reply:
    address_family, host = address
    with socket.socket(address_family, socket.SOCK_STREAM) as sock:
        sock.settimeout(remaining_s(deadline))
        sock.connect((host, port))
        sock.sendall(struct.pack(">H", len(query.wire)) + query.wire)
        length = int.from_bytes(receive_exactly(sock, 2, deadline))
        try:
            reply = match_reply(receive_exactly(sock, length, deadline), query)
        except tsig.UntrustedReply as error:
            raise NoReplyError(str(error)) from None
    if reply is None:
        raise NoReplyError("the answer belongs to another question")
    return reply


def match_reply(wire: bytes, sent: DnsQuery) -> Reply | None:
    """Return the reply, or None when it belongs to another query (RFC 5452 section 9.1).

    A server that cannot parse the question may omit it; its rcode says so then. Raises NoReplyError
    for a malformed reply, tsig.UntrustedReply.
    """
    query, name = sent.query, _name(sent.zone)
    if len(wire) < _HEADER.size or wire[:2] != query[:2] or not wire[2] & 0x80:
        return None
    if (wire[2] & 0x78) != (query[2] & 0x78):
        return None
    if sent.key is not None:
        wire = tsig.check_reply(wire, sent.key, sent.mac)
    unpack = _usual_reply if sent.rtype == dns.rdatatype.SOA else _usual_records
    usual = unpack(wire, sent)
    if usual is not None:
        return usual
    try:
        reply = dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=False)
    except (dns.exception.DNSException, ValueError, IndexError):
        raise NoReplyError("malformed answer") from None
    if reply.question:
        question = reply.question[0]
        if question.name != name or question.rdtype != sent.rtype:
            return None
    elif reply.rcode() == dns.rcode.NOERROR:
        return None
    if sent.rtype != dns.rdatatype.SOA:
        return Reply(reply.flags, reply.rcode(), message=reply)
    found = reply.get_rrset(reply.answer, name, dns.rdataclass.IN, dns.rdatatype.SOA)
    if not found:
        return Reply(reply.flags, reply.rcode(), message=reply)
    soa = found[0].to_wire() or b""
    return Reply(reply.flags, reply.rcode(), soa, found.ttl, message=reply)


@lru_cache(maxsize=4096)
def _name(zone: str) -> dns.name.Name:
    return dns.name.from_text(zone)


def _usual_records(wire: bytes, sent: DnsQuery) -> Reply | None:
    """Unpack an answer that has the queried RRset and nothing else; None: it has another form."""
    query = sent.query
    _, flags, questions, answers, _, _ = _HEADER.unpack_from(wire)
    if digests.has_names(sent.rtype) or flags & 0xF or not answers or questions != 1:
        return None
    if wire[_HEADER.size : len(query)] != query[_HEADER.size :]:
        return None
    position, ttl, records = len(query), 0, []
    for _ in range(answers):
        if position + _RR_FIXED.size > len(wire):
            return None
        owner, rtype, rclass, ttl, length = _RR_FIXED.unpack_from(wire, position)
        if (owner, rtype, rclass) != (_POINTER_TO_QUESTION, sent.rtype, dns.rdataclass.IN):
            return None
        position += _RR_FIXED.size + length
        records.append(wire[position - length : position])
    return Reply(flags, 0, ttl=ttl, records=tuple(records)) if position <= len(wire) else None


def _usual_reply(wire: bytes, sent: DnsQuery) -> Reply | None:
    """Unpack the reply that nearly every server sends; None: it has another form.

    The question is repeated unchanged, and nothing follows except an SOA whose owner is a pointer to
    the question's name.
    """
    query = sent.query
    _, flags, questions, answers, authorities, additional = _HEADER.unpack_from(wire)
    if questions != 1 or wire[_HEADER.size : len(query)] != query[_HEADER.size :]:
        return None
    rcode = flags & 0xF
    start = len(query)
    if not answers and not authorities and not additional and len(wire) == start:
        return Reply(flags, rcode)
    data = start + _RR_FIXED.size
    if answers != 1 or len(wire) < data:
        return None
    owner, rtype, rclass, ttl, length = _RR_FIXED.unpack_from(wire, start)
    if (owner, rtype, rclass) != (_POINTER_TO_QUESTION, dns.rdatatype.SOA, dns.rdataclass.IN):
        return None
    end = data + length
    # The additional section may have an OPT with more bits of the rcode; leave it to dnspython.
    if length < _MIN_SOA_BYTES or end > len(wire) or additional:
        return None
    try:
        mname, used = dns.name.from_wire(wire, data)
        rname, more = dns.name.from_wire(wire, data + used)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None
    if data + used + more + _SOA_NUMBERS_BYTES != end:
        return None
    names = (mname.to_wire() or b"") + (rname.to_wire() or b"")
    return Reply(flags, rcode, names + wire[end - _SOA_NUMBERS_BYTES : end], ttl)
