"""Transaction signatures (RFC 8945) on messages in wire form; dnspython does the cryptography.

A server verifies a request, then signs its replies with the verdict's `signer()`: one message or a
stream of them, each chained to the MAC of the one before. A client signs its query and checks the reply.
"""

from __future__ import annotations

import hmac
import struct
import time
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.tsig

from designate.wire.tsig_keys import ALGORITHMS, KeyRing, SigningKey, for_dnspython

# RFC 8945 section 10: permitted difference between two clocks.
FUDGE_S = 300
_HEADER_BYTES = 12
_COUNTS = struct.Struct(">6H")
_RR_FIXED = struct.Struct(">HHIH")
_MIN_MAC_BYTES = 10
_RR_HEAD = dns.rdatatype.TSIG.to_bytes(2) + dns.rdataclass.ANY.to_bytes(2) + bytes(4)

_Data = dns.rdtypes.ANY.TSIG.TSIG
_Running = dns.tsig.HMACTSig | dns.tsig.GSSTSig | None


class UntrustedReply(Exception):
    """Raised when a reply's signature is missing or wrong, or when the server rejects ours."""


class Signer:
    """Signs the messages of one reply, in order (RFC 8945 sections 5.3 and 5.3.1). Not thread-safe.

    Attributes:
        size_bytes: maximum size of a signature.
        mac: MAC of the message signed last.
    """

    def __init__(self, key: SigningKey, request_mac: bytes = b"") -> None:
        """Sign with this key; request_mac is the MAC of the request, empty when signing a request."""
        self._key = for_dnspython(key)
        self._request_mac = request_mac
        self._running: _Running = None
        self.size_bytes = key.size_bytes
        self.mac = b""

    def sign(self, wire: bytes) -> bytes:
        """Return the message with its signature appended, and set `mac`.

        Raises ValueError when the signed message exceeds 65,535 bytes.
        """
        unsigned = _data(self._key, int(time.time()), wire[:2])
        data, self._running = _signed(
            wire, self._key, unsigned, self._request_mac, self._running, multi=True
        )
        self.mac = data.mac
        return _appended(wire, self._key.name, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of verifying a signed request.

    Attributes:
        key: the key that signed the request; None if that is unknown.
        error: 0, or BADKEY, BADSIG, BADTIME, BADTRUNC.
        owner: owner name of the TSIG record.
        data: data of the TSIG record.
    """

    key: SigningKey | None
    error: int
    owner: dns.name.Name
    data: _Data

    def signer(self) -> Signer:
        """Return the signer of the reply to a request without error."""
        assert self.key is not None  # noqa: S101 - known when there is no error
        return Signer(self.key, self.data.mac)

    def refuse(self, wire: bytes) -> bytes:
        """Return the NOTAUTH reply with a TSIG record that has the error (RFC 8945 section 5.3.2).

        It is signed when the key is known and the request's MAC is right.
        """
        if self.key is None:
            return _appended(wire, self.owner, _with(self.data, error=self.error))
        key = for_dnspython(self.key)
        now = int(time.time())
        if self.error == dns.rcode.BADTIME:
            # Section 5.2.3: the client's time and the server's.
            signed_s, other = self.data.time_signed, now.to_bytes(6)
        else:
            signed_s, other = now, b""
        number = int.from_bytes(wire[:2])
        unsigned = _with(
            self.data, error=self.error, other=other, time_signed=signed_s, original_id=number
        )
        data, _ = _signed(wire, key, unsigned, self.data.mac)
        return _appended(wire, key.name, data)


def verify(wire: bytes, keys: KeyRing, now_s: float | None = None) -> Verdict | None:
    """Verify a request by the steps of RFC 8945 section 5.2, in order; None: it is not signed.

    A key is valid with its own algorithm only. Truncated MACs give BADTRUNC. Raises ValueError when
    the reply must be FORMERR. Thread-safe.
    """
    found = _find(wire)
    if found is None:
        return None
    start, owner, data = found
    key = keys.get(owner.canonicalize().to_text())
    if key is None or ALGORITHMS[key.algorithm] != data.algorithm:
        return Verdict(key=None, error=dns.rcode.BADKEY, owner=owner, data=data)
    expected = _mac(_stripped(wire, start), key, data, b"")
    if not _plausible(data.mac, expected):
        raise ValueError("the signature has an impossible length")
    if not hmac.compare_digest(expected[: len(data.mac)], data.mac):
        return Verdict(key=None, error=dns.rcode.BADSIG, owner=owner, data=data)
    error: int = dns.rcode.NOERROR
    if abs(data.time_signed - (time.time() if now_s is None else now_s)) > data.fudge:
        error = dns.rcode.BADTIME
    elif len(data.mac) < len(expected):
        error = dns.rcode.BADTRUNC
    return Verdict(key=key, error=error, owner=owner, data=data)


def check_reply(
    wire: bytes, key: SigningKey, request_mac: bytes, now_s: float | None = None
) -> bytes:
    """Verify the signature of a reply and return the reply without it (RFC 8945 section 5.4).

    Args:
        wire: the reply.
        key: the key that signed the request.
        request_mac: MAC of the request.
        now_s: Unix time; None: the current time.

    Raises:
        UntrustedReply: the reply is not signed, or not correctly by this key.
    """
    try:
        found = _find(wire)
    except ValueError as error:
        raise UntrustedReply(f"TSIG: {error}") from None
    if found is None:
        raise UntrustedReply("TSIG: the answer is not signed")
    start, owner, data = found
    rcode_text = dns.rcode.to_text(dns.rcode.Rcode.make(data.error), tsig=True)
    if data.error and not data.mac:
        raise UntrustedReply(f"TSIG: the server says {rcode_text}")
    ours = for_dnspython(key)
    reply = _stripped(wire, start)
    if owner != ours.name or data.algorithm != ours.algorithm:
        raise UntrustedReply("TSIG: the answer is signed by another key")
    if not hmac.compare_digest(_mac(reply, key, data, request_mac), data.mac):
        raise UntrustedReply("TSIG: the answer's signature is wrong")
    if data.error:
        raise UntrustedReply(f"TSIG: the server says {rcode_text}")
    if abs(data.time_signed - (time.time() if now_s is None else now_s)) > data.fudge:
        raise UntrustedReply("TSIG: the answer's time differs by more than the fudge")
    return reply


def _data(key: dns.tsig.Key, now: int, number: bytes) -> _Data:
    fields = (key.algorithm, now, FUDGE_S, b"", int.from_bytes(number), dns.rcode.NOERROR, b"")
    return _Data(dns.rdataclass.ANY, dns.rdatatype.TSIG, *fields)  # type: ignore[no-untyped-call]


def _with(data: _Data, **members: Any) -> _Data:
    """Return a copy without MAC and other data."""
    changed = data.replace(**{"mac": b"", "other": b"", **members})
    assert isinstance(changed, _Data)  # noqa: S101 - a copy is of the same class
    return changed


def _signed(
    wire: bytes,
    key: dns.tsig.Key,
    data: _Data,
    request_mac: bytes,
    running: _Running = None,
    *,
    multi: bool = False,
) -> tuple[_Data, _Running]:
    """Return the data with its MAC, and the context for the next message of a stream."""
    made: tuple[_Data, _Running] = dns.tsig.sign(  # type: ignore[no-untyped-call]
        wire, key, data, data.time_signed, request_mac, running, multi
    )
    return made


def _mac(message: bytes, key: SigningKey, data: _Data, request_mac: bytes) -> bytes:
    """Return the expected MAC of a single message."""
    return bytes(_signed(message, for_dnspython(key), data, request_mac)[0].mac)


def _plausible(mac: bytes, expected: bytes) -> bool:
    """Return whether the length of a MAC is permitted (RFC 8945 section 5.2.2.1)."""
    return max(_MIN_MAC_BYTES, len(expected) // 2) <= len(mac) <= len(expected)


def _find(wire: bytes) -> tuple[int, dns.name.Name, _Data] | None:
    """Return the TSIG record's offset, owner and data; None without one.

    Raises ValueError when the message cannot be parsed up to the record, or when the record is not
    the last one or not the only one (RFC 8945 section 5.1).
    """
    if not wire[10:12].strip(b"\0"):
        return None
    try:
        _, _, questions, answers, authorities, additional = _COUNTS.unpack_from(wire)
        position = _HEADER_BYTES
        for _ in range(questions):
            position += dns.name.from_wire(wire, position)[1] + 4
        for following in range(answers + authorities + additional - 1, -1, -1):
            start = position
            owner, length = dns.name.from_wire(wire, start)
            rtype, rclass, ttl, size = _RR_FIXED.unpack_from(wire, start + length)
            position = start + length + _RR_FIXED.size + size
            if rtype != dns.rdatatype.TSIG:
                continue
            if following or rclass != dns.rdataclass.ANY or ttl:
                raise ValueError("the TSIG record is out of place")
            data = dns.rdata.from_wire(rclass, rtype, wire, position - size, size)
            assert isinstance(data, _Data)  # noqa: S101 - implied by its type
            return start, owner, data
    except (dns.exception.DNSException, struct.error, IndexError, OverflowError) as error:
        raise ValueError("the message cannot be read") from error
    return None


def _stripped(wire: bytes, start: int) -> bytes:
    """Return the message as it was before signing, except its id, which the MAC does not cover."""
    fewer = int.from_bytes(wire[10:12]) - 1
    return wire[:10] + fewer.to_bytes(2) + wire[_HEADER_BYTES:start]


def _appended(wire: bytes, owner: dns.name.Name, data: _Data) -> bytes:
    more = int.from_bytes(wire[10:12]) + 1
    rdata = data.to_wire() or b""
    name = owner.to_wire() or b""
    length = len(rdata).to_bytes(2)
    signed = b"".join(
        (wire[:10], more.to_bytes(2), wire[_HEADER_BYTES:], name, _RR_HEAD, length, rdata)
    )
    if len(signed) > 0xFFFF:
        raise ValueError("the message leaves no room for its signature")
    return signed
