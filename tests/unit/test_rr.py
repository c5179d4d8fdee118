"""wire.rr: stored RRs, their TTLs and differences."""

import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from designate.wire import rr

A1, A2, A3 = (bytes([192, 0, 2, n]) for n in (1, 2, 3))


def parsed(wire: bytes, zone: str = "example.com."):
    """Parse the RRs with dnspython, in a message whose question is the zone."""
    question = dns.message.make_query(zone, "AXFR", use_edns=False).to_wire()
    count = len(list(rr.split(wire)))
    header = question[:2] + b"\x84\x00" + question[4:6] + count.to_bytes(2) + b"\0\0\0\0"
    return dns.message.from_wire(header + question[12:] + wire).answer


def test_rrset_is_read_by_dnspython_as_written():
    wire = rr.rrset("www.example.com.", "example.com.", 1, 300, [A1, A2])

    (found,) = parsed(wire)

    assert found.name.to_text() == "www.example.com."
    assert found.ttl == 300
    assert {rdata.to_text() for rdata in found} == {"192.0.2.1", "192.0.2.2"}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_with_ttl_writes_every_rr(count):
    wire = rr.rrset("a.b.example.com.", "example.com.", 1, None, [A1, A2, A3][:count])

    (found,) = parsed(rr.with_ttl(wire, 77))

    assert found.ttl == 77
    assert len(found) == count


def test_with_ttl_of_nothing_is_nothing():
    assert rr.with_ttl(b"", 5) == b""


def test_split_gives_single_rrs_that_join_again():
    wire = rr.rrset("x.example.com.", "example.com.", 16, 5, [b"\x01a", b"\x03bcd", b"\x00"])

    pieces = list(rr.split(wire))

    assert len(pieces) == 3
    assert b"".join(pieces) == wire


def test_difference_names_only_what_changed():
    old = rr.rrset("x.example.com.", "example.com.", 1, 5, [A1, A2])
    new = rr.rrset("x.example.com.", "example.com.", 1, 5, [A2, A3])

    deleted, added = rr.difference(old, new)

    assert [piece[-4:] for piece in deleted] == [A1]
    assert [piece[-4:] for piece in added] == [A3]


def test_difference_of_another_ttl_is_everything():
    old = rr.rrset("x.example.com.", "example.com.", 1, 5, [A1])
    new = rr.rrset("x.example.com.", "example.com.", 1, 6, [A1])

    deleted, added = rr.difference(old, new)

    assert (deleted, added) == ([old], [new])


def test_soa_with_serial_changes_the_serial_alone():
    text = "ns1.example.org. hostmaster.example.com. 1 2 3 4 5"
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.SOA, text).to_wire()

    changed = rr.soa_with_serial(rdata, 4_000_000_000)

    expected = text.replace(" 1 ", " 4000000000 ")
    found = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.SOA, changed, 0, len(changed))
    assert found.to_text() == expected
