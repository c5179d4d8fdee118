"""Compression pointers in the data of a transfer: they are expanded, whatever the type."""

from __future__ import annotations

import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from designate.wire import rr, validation
from designate.wire.transfer_assembler import TransferAssembler, TransferFailed
from designate.wire.transfer_messages import TransferMessages

ZONE = dns.name.from_text("example.org.")
SOA = dns.rrset.from_text(ZONE, 300, "IN", "SOA", "ns.example.org. host.example.org. 7 60 60 60 60")
APEX = b"\xc0\x0c"
MAIL = b"\x04mail" + APEX
FULL_MAIL = b"\x04mail\x07example\x03org\0"
SIGNED = bytes(18)
# Type: (data as sent, data as stored), for each type whose names may be compressed (RFC 1035) or come
# compressed from old nameservers (RFC 3597 section 4).
SENT = {
    "NS": (MAIL, FULL_MAIL),
    "MD": (MAIL, FULL_MAIL),
    "MF": (MAIL, FULL_MAIL),
    "CNAME": (MAIL, FULL_MAIL),
    "MB": (MAIL, FULL_MAIL),
    "MG": (MAIL, FULL_MAIL),
    "MR": (MAIL, FULL_MAIL),
    "PTR": (MAIL, FULL_MAIL),
    "MINFO": (MAIL + MAIL, FULL_MAIL + FULL_MAIL),
    "MX": (b"\0\x0a" + MAIL, b"\0\x0a" + FULL_MAIL),
    "RP": (MAIL + MAIL, FULL_MAIL + FULL_MAIL),
    "AFSDB": (b"\0\1" + MAIL, b"\0\1" + FULL_MAIL),
    "RT": (b"\0\1" + MAIL, b"\0\1" + FULL_MAIL),
    "PX": (b"\0\1" + MAIL + MAIL, b"\0\1" + FULL_MAIL + FULL_MAIL),
    "SIG": (SIGNED + MAIL + b"\1\2", SIGNED + FULL_MAIL + b"\1\2"),
    "NXT": (MAIL + b"\x62\1", FULL_MAIL + b"\x62\1"),
    "NAPTR": (bytes(7) + MAIL, bytes(7) + FULL_MAIL),
    "SRV": (bytes(6) + MAIL, bytes(6) + FULL_MAIL),
}


def stored(rtype, data):
    """Return the stored RRs of a transfer whose message has the data at the name mail.example.org."""
    messages = TransferMessages(ZONE, None, None)
    reply = dns.message.make_response(dns.message.from_wire(messages.query_wire))
    reply.answer = [SOA]
    wire = bytearray(reply.to_wire())
    number = int(dns.rdatatype.from_text(rtype))
    wire += rr.pack(b"\x04mail" + APEX, number, 60, (data,))
    wire[7] = 2
    assembler = TransferAssembler(ZONE, None, None)
    found = [
        assembler.take(rrset.name, rrset.ttl, rdata)
        for rrset in messages.parse(bytes(wire)).answer
        for rdata in rrset
    ]
    return found[1].removeprefix(rr.soa(300, SOA[0].to_wire()))


@pytest.mark.parametrize("rtype", SENT)
def test_compressed_names_of_a_transfer_are_stored_whole(rtype):
    sent, expected = SENT[rtype]
    number = int(dns.rdatatype.from_text(rtype))
    wire = stored(rtype, sent)

    assert wire == rr.pack(b"\x04mail" + APEX, number, 60, (expected,))
    assert validation.readable(wire, 1) == (1, wire)


@pytest.mark.parametrize("rtype", ["NULL", "TYPE65400", "UNSPEC"])
def test_data_without_compressible_names_is_stored_as_it_came(rtype):
    assert stored(rtype, b"\xc0\x0c\xff").endswith(b"\0\3\xc0\x0c\xff")


@pytest.mark.parametrize("rtype", ["MD", "MF", "MB", "MG", "MR", "MINFO"])
def test_old_mail_types_have_a_text_form(rtype):
    text = "a.example. b.example." if rtype == "MINFO" else "a.example."
    number = dns.rdatatype.from_text(rtype)
    rdata = dns.rdata.from_text(dns.rdataclass.IN, number, text)

    assert rdata.to_text() == text
    assert rdata.to_wire().startswith(b"\1a\x07example\0")


def test_a_stored_pointer_of_an_old_type_is_a_corrupt_record():
    """Earlier releases stored them; they are left out until the next transfer replaces them."""
    wire = rr.pack(APEX, 7, 60, (MAIL,))

    assert validation.readable(wire, 1) == (0, b"")


# Types whose names nobody may compress (RFC 3597 section 4), with a pointer in the place of the name.
NEVER_SENT = {
    "KX": b"\0\1" + MAIL,
    "DNAME": MAIL,
    "A6": b"\x40" + bytes(8) + MAIL,
    "IPSECKEY": b"\1\3\2" + MAIL + b"\1\2",
    "RRSIG": b"\0\1\x0d\2" + bytes(14) + MAIL + bytes(64),
    "NSEC": MAIL + b"\0\1\x40",
    "HIP": b"\1\2\0\1\1\1" + MAIL,
    "SVCB": b"\0\1" + MAIL,
    "HTTPS": b"\0\1" + MAIL + b"\0\3\0\2\0\1",
    "LP": b"\0\1" + MAIL,
    "AMTRELAY": b"\1\3" + MAIL,
}


@pytest.mark.parametrize("rtype", NEVER_SENT)
def test_a_pointer_where_none_may_be_is_expanded_or_refused(rtype):
    try:
        wire = stored(rtype, NEVER_SENT[rtype])
    except TransferFailed:
        return

    assert wire.count(APEX) == 1
