"""The questions that this service asks nameservers: SOA queries and NOTIFY; every call has a deadline.

Trouble on the network is an answer here, never an exception: the caller weighs what each server said.
Queries are a fixed header, the zone's name and four constant bytes, so they are put together
directly, and so is the usual reply taken apart; every other reply is read by dnspython. mdns answers
such messages; `worker.converge` decides what the answers mean for a zone.
"""

from __future__ import annotations

import enum
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
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from designate import errors
from designate.wire import tsig, tsig_keys
from designate.wire.names import to_wire
from designate.wire.resolver import SocketAddress, socket_addresses

UDP_SIZE_BYTES = 65535
_HEADER = struct.Struct(">HHHHHH")
_SOA_IN = struct.pack(">HH", dns.rdatatype.SOA, dns.rdataclass.IN)
_NOTIFY_FLAGS = (dns.opcode.NOTIFY << 11) | dns.flags.AA
_RR_FIXED = struct.Struct(">HHHIH")
_POINTER_TO_QUESTION = 0xC00C
_SHORTEST_SOA_BYTES = 22


class SoaState(enum.StrEnum):
    """SERIAL: the server answers with authority for the zone. ABSENT: it proved that it does not
    serve the zone. FAILED: it says that it cannot serve the zone for now. UNKNOWN: none of these."""

    SERIAL = "SERIAL"
    ABSENT = "ABSENT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoaAnswer:
    """serial: set for SERIAL alone. text: what the server said, for people. unreachable: it said nothing
    that could be read."""

    state: SoaState
    serial: int = 0
    text: str = ""
    unreachable: bool = False

    def __str__(self) -> str:
        return f"serial {self.serial}" if self.state is SoaState.SERIAL else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyAnswer:
    """rcode: the server's, None when no answer came. text: the rcode's name or the trouble."""

    rcode: int | None
    text: str

    @property
    def accepted(self) -> bool:
        return self.rcode == dns.rcode.NOERROR

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class _Reply:
    """What matters of a reply. serial: of an SOA with the zone's name in the answer; None: none."""

    flags: int
    rcode: int
    serial: int | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question. query: as it is without a signature; wire: as it is sent. mac: of the signature by
    key, which a reply must then have too."""

    zone: str
    query: bytes
    wire: bytes
    key: tsig_keys.SigningKey | None
    mac: bytes


class _NoReplyError(Exception):
    """Why one exchange gave nothing that can be read. Never leaves this module."""


def query_soa(
    host: str,
    port: int,
    zone: str,
    timeout_s: float,
    *,
    tcp: bool = False,
    key: tsig_keys.SigningKey | None = None,
) -> SoaAnswer:
    """Ask one server for the zone's SOA, without recursion (RFC 1035 section 4.1).

    host: an address, or a name whose addresses are tried in turn until one answers. A truncated
    answer is asked for again over TCP (RFC 7766 section 5); tcp: ask over TCP at once. timeout_s
    bounds the whole call. key: signs the query; what is not signed by it in return is no answer
    (RFC 8945 section 5.4). Never raises for what the network or the server does. Thread-safe.
    """
    try:
        reply = _ask(host, port, _asked(zone, 0, key), timeout_s, tcp)
    except _NoReplyError as error:
        return SoaAnswer(state=SoaState.UNKNOWN, text=str(error), unreachable=True)
    return _read_soa(reply)


def send_notify(
    host: str,
    port: int,
    zone: str,
    timeout_s: float,
    *,
    tcp: bool = False,
    key: tsig_keys.SigningKey | None = None,
) -> NotifyAnswer:
    """Tell one server that the zone changed (RFC 1996 section 3.7): opcode NOTIFY, AA set, RD clear.

    The hint in the answer section that section 3.7 allows is left out, since a server must ask for
    the SOA anyway. As query_soa otherwise.
    """
    try:
        reply = _ask(host, port, _asked(zone, _NOTIFY_FLAGS, key), timeout_s, tcp)
    except _NoReplyError as error:
        return NotifyAnswer(rcode=None, text=str(error))
    return NotifyAnswer(rcode=reply.rcode, text=_rcode_text(reply.rcode))


def _read_soa(reply: _Reply) -> SoaAnswer:
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
        # A copy in somebody's cache says nothing about whether this server serves the zone.
        return SoaAnswer(state=SoaState.UNKNOWN, text="answer without authority")
    return SoaAnswer(state=SoaState.SERIAL, serial=reply.serial)


def _rcode_text(rcode: int) -> str:
    return dns.rcode.to_text(dns.rcode.Rcode.make(rcode))


@lru_cache(maxsize=4096)
def _name(zone: str) -> dns.name.Name:
    return dns.name.from_text(zone)


def _asked(zone: str, flags: int, key: tsig_keys.SigningKey | None) -> _Asked:
    message_id = secrets.randbits(16)
    query = _HEADER.pack(message_id, flags, 1, 0, 0, 0) + to_wire(zone) + _SOA_IN
    if key is None:
        return _Asked(zone, query, query, None, b"")
    signer = tsig.Signer(key)
    return _Asked(zone, query, signer.sign(query), key, signer.mac)


def _ask(host: str, port: int, asked: _Asked, timeout_s: float, tcp: bool) -> _Reply:
    deadline = time.monotonic() + timeout_s
    addresses = socket_addresses(host)
    trouble = "no address"
    for place, address in enumerate(addresses):
        # Each address gets an even share of what is left, so that a dead one leaves time for the next.
        share = (deadline - time.monotonic()) / (len(addresses) - place)
        try:
            return _exchange(address, port, asked, time.monotonic() + share, tcp)
        except _NoReplyError as error:
            trouble = str(error)
    raise _NoReplyError(trouble)


def _exchange(
    address: SocketAddress, port: int, asked: _Asked, deadline: float, tcp: bool
) -> _Reply:
    try:
        if not tcp:
            reply = _over_udp(address, port, asked, deadline)
            if not reply.flags & dns.flags.TC:
                return reply
        return _over_tcp(address, port, asked, deadline)
    except TimeoutError:
        raise _NoReplyError("timeout") from None
    except OSError as error:
        raise _NoReplyError(errors.said(error)) from None


def _over_udp(address: SocketAddress, port: int, asked: _Asked, deadline: float) -> _Reply:
    family, host = address
    distrust: tsig.UntrustedReply | None = None
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_left(deadline))
        sock.connect((host, port))  # Datagrams of other senders are dropped by the kernel.
        sock.send(asked.wire)
        while True:
            try:
                sock.settimeout(_left(deadline))
                reply = _matching(sock.recv(UDP_SIZE_BYTES), asked)
            except tsig.UntrustedReply as error:
                # It may be forged, and the right one on its way (RFC 8945 section 5.4).
                distrust = error
                continue
            except TimeoutError:
                if distrust is None:
                    raise
                raise _NoReplyError(str(distrust)) from None
            if reply is not None:
                return reply


def _over_tcp(address: SocketAddress, port: int, asked: _Asked, deadline: float) -> _Reply:
    family, host = address
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(_left(deadline))
        sock.connect((host, port))
        sock.sendall(struct.pack(">H", len(asked.wire)) + asked.wire)
        length = int.from_bytes(_receive(sock, 2, deadline))
        try:
            reply = _matching(_receive(sock, length, deadline), asked)
        except tsig.UntrustedReply as error:
            raise _NoReplyError(str(error)) from None
    if reply is None:
        raise _NoReplyError("the answer belongs to another question")
    return reply


def _receive(sock: socket.socket, size_bytes: int, deadline: float) -> bytes:
    received = bytearray()
    while len(received) < size_bytes:
        sock.settimeout(_left(deadline))
        part = sock.recv(size_bytes - len(received))
        if not part:
            raise _NoReplyError("connection closed early")
        received += part
    return bytes(received)


def _left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _matching(wire: bytes, asked: _Asked) -> _Reply | None:
    """The reply, or None when it answers another query (RFC 5452 section 9.1). A server that cannot
    read the question may leave it out, and then says so by its rcode. Raises UntrustedReply."""
    query, name = asked.query, _name(asked.zone)
    if len(wire) < _HEADER.size or wire[:2] != query[:2] or not wire[2] & 0x80:
        return None
    if (wire[2] & 0x78) != (query[2] & 0x78):
        return None
    if asked.key is not None:
        wire = tsig.check_reply(wire, asked.key, asked.mac)
    quick = _usual(wire, query)
    if quick is not None:
        return quick
    try:
        reply = dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=False)
    except (dns.exception.DNSException, ValueError, IndexError):
        raise _NoReplyError("malformed answer") from None
    if reply.question:
        question = reply.question[0]
        if question.name != name or question.rdtype != dns.rdatatype.SOA:
            return None
    elif reply.rcode() == dns.rcode.NOERROR:
        return None
    found = reply.get_rrset(reply.answer, name, dns.rdataclass.IN, dns.rdatatype.SOA)
    return _Reply(reply.flags, reply.rcode(), found[0].serial if found else None)


def _usual(wire: bytes, query: bytes) -> _Reply | None:
    """The reply of nearly every server to our question: the question as it was asked, and right after
    it either nothing or the SOA under a pointer to the question's name. None: it looks different.

    The serial stands 20 bytes before the end of an SOA's data (RFC 1035 section 3.3.13).
    """
    _, flags, questions, answers, authorities, additional = _HEADER.unpack_from(wire)
    if questions != 1 or wire[_HEADER.size : len(query)] != query[_HEADER.size :]:
        return None
    rcode = flags & 0xF
    start = len(query)
    if not answers and not authorities and not additional and len(wire) == start:
        return _Reply(flags, rcode, None)
    data = start + _RR_FIXED.size
    if answers != 1 or len(wire) < data:
        return None
    owner, rtype, rclass, _, length = _RR_FIXED.unpack_from(wire, start)
    if (owner, rtype, rclass) != (_POINTER_TO_QUESTION, dns.rdatatype.SOA, dns.rdataclass.IN):
        return None
    end = data + length
    # Other sections may hold an OPT with more bits of the rcode; only a bare answer is read here.
    if length < _SHORTEST_SOA_BYTES or end > len(wire) or additional:
        return None
    return _Reply(flags, rcode, int.from_bytes(wire[end - 20 : end - 16]))
