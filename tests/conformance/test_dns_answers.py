"""MiniDNS's ordinary answers, by RFC and section."""

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden
from tests.support.servers.standalone import ask, texts


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("answers")) as served:
        zone = served.zone("example.com.", ttl=3600)
        served.add(zone, "www", "A", "192.0.2.1", "192.0.2.2", ttl=60)
        served.add(zone, "zero", "A", "192.0.2.1", ttl=0)
        served.add(zone, "alias", "CNAME", "www.example.com.")
        served.add(zone, "outside", "CNAME", "www.example.net.")
        served.add(zone, "loop1", "CNAME", "loop2.example.com.")
        served.add(zone, "loop2", "CNAME", "loop1.example.com.")
        served.add(zone, "*.wild", "TXT", '"any"')
        served.add(zone, "host.wild", "A", "192.0.2.9")
        served.add(zone, "deep.empty.node", "A", "192.0.2.5")
        served.add(zone, "sub", "NS", "ns.sub.example.com.", "ns.example.net.")
        served.add(zone, "ns.sub", "A", "192.0.2.53")
        served.add(zone, "big", "TXT", *(f'"{n:03}{"x" * 150}"' for n in range(15)))
        served.zone("other.example.")
        yield served


def exchange(served, wire: bytes) -> bytes | None:
    """Return the handler's first reply to raw bytes over UDP."""
    return next(served.mdns._handler.handle(wire, "127.0.0.1", tcp=False), None)


def test_rfc1034_s4_3_2_an_exact_match_is_answered_with_authority(served):
    answer = ask(served.address, "www.example.com.", "A")

    assert answer.flags & dns.flags.AA
    assert texts(answer) == {"192.0.2.1", "192.0.2.2"}
    assert answer.answer[0].ttl == 60


def test_rfc4343_s3_names_are_compared_ignoring_case_and_the_question_is_echoed(served):
    answer = ask(served.address, "wWw.eXample.COM.", "A")

    assert texts(answer) == {"192.0.2.1", "192.0.2.2"}
    assert answer.question[0].name.to_text() == "wWw.eXample.COM."


def test_rfc2181_s8_a_ttl_of_zero_is_a_ttl(served):
    assert ask(served.address, "zero.example.com.", "A").answer[0].ttl == 0


def test_rfc1034_s3_6_2_an_alias_is_followed_inside_the_zone(served):
    answer = ask(served.address, "alias.example.com.", "A")

    assert [rrset.rdtype for rrset in answer.answer] == [dns.rdatatype.CNAME, dns.rdatatype.A]


def test_rfc1034_s3_6_2_an_alias_to_elsewhere_is_given_alone(served):
    answer = ask(served.address, "outside.example.com.", "A")

    assert texts(answer) == {"www.example.net."}
    assert answer.rcode() == dns.rcode.NOERROR


def test_an_alias_loop_ends(served):
    answer = ask(served.address, "loop1.example.com.", "A")

    assert texts(answer) == {"loop2.example.com.", "loop1.example.com."}


def test_rfc2308_s2_1_a_missing_name_is_nxdomain_with_the_soa(served):
    answer = ask(served.address, "nothing.example.com.", "A")

    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.authority[0].rdtype == dns.rdatatype.SOA


def test_rfc2308_s2_2_a_missing_type_is_nodata_with_the_soa(served):
    answer = ask(served.address, "www.example.com.", "MX")

    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert answer.authority[0].rdtype == dns.rdatatype.SOA


@pytest.mark.parametrize("name", ["x.wild", "a.b.wild"])
def test_rfc4592_s2_1_a_wildcard_answers_for_names_that_do_not_exist(served, name):
    answer = ask(served.address, f"{name}.example.com.", "TXT")

    assert texts(answer) == {'"any"'}
    assert answer.answer[0].name.to_text() == f"{name}.example.com."


def test_rfc4592_s2_2_1_an_existing_name_is_not_covered_by_the_wildcard(served):
    answer = ask(served.address, "host.wild.example.com.", "TXT")

    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])


@pytest.mark.parametrize("name", ["empty.node", "node", "wild"])
def test_rfc4592_s2_2_2_an_empty_non_terminal_exists(served, name):
    answer = ask(served.address, f"{name}.example.com.", "A")

    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])


def test_rfc1034_s4_2_1_a_delegation_is_a_referral_with_glue(served):
    answer = ask(served.address, "host.sub.example.com.", "A")

    assert not answer.flags & dns.flags.AA
    assert answer.answer == []
    assert answer.authority[0].rdtype == dns.rdatatype.NS
    assert {r.to_text() for rrset in answer.additional for r in rrset} == {"192.0.2.53"}


@pytest.mark.parametrize("name", ["example.net.", "com.", "."])
def test_a_name_of_no_served_zone_is_refused(served, name):
    assert ask(served.address, name, "SOA").rcode() == dns.rcode.REFUSED


def test_rfc6891_s6_1_1_edns_is_answered_with_edns_and_otherwise_not(served):
    with_edns = ask(served.address, "www.example.com.", "A", use_edns=0, payload=4096)
    without = ask(served.address, "www.example.com.", "A", use_edns=False)

    assert (with_edns.edns, with_edns.payload) == (0, 1232)
    assert without.edns == -1


def test_rfc6891_s6_1_3_an_unknown_version_is_badvers(served):
    assert ask(served.address, "www.example.com.", "A", use_edns=1).rcode() == dns.rcode.BADVERS


def test_rfc2181_s9_what_does_not_fit_is_marked_truncated_and_whole_over_tcp(served):
    query = dns.message.make_query("big.example.com.", "TXT", use_edns=False)
    host, port = served.address
    cut = dns.query.udp(query, host, port=port, timeout=scaled(5))
    whole = dns.query.tcp(query, host, port=port, timeout=scaled(5))

    assert cut.flags & dns.flags.TC
    assert len(cut.to_wire()) <= 512
    assert len(whole.answer[0]) == 15


def test_rfc8482_s4_1_any_is_one_rrset_over_udp(served):
    assert len(ask(served.address, "example.com.", "ANY").answer) == 1


@pytest.mark.parametrize(
    ("opcode", "rcode"),
    [
        (dns.opcode.NOTIFY, dns.rcode.NOTAUTH),
        (dns.opcode.UPDATE, dns.rcode.REFUSED),
        (dns.opcode.STATUS, dns.rcode.NOTIMP),
    ],
)
def test_other_opcodes_are_refused_in_the_right_words(served, opcode, rcode):
    query = dns.message.make_query("example.com.", "SOA", use_edns=False)
    query.set_opcode(opcode)

    answer = exchange(served, query.to_wire())

    assert answer is not None
    assert answer[3] & 0x0F == rcode
    assert (answer[2] >> 3) & 0x0F == opcode


@pytest.mark.parametrize("rtype", ["AXFR"])
def test_rfc5936_s4_2_a_transfer_over_udp_is_refused(served, rtype):
    query = dns.message.make_query("example.com.", rtype, use_edns=False)

    answer = exchange(served, query.to_wire())

    assert answer is not None
    assert dns.message.from_wire(answer).rcode() == dns.rcode.REFUSED
    assert len(answer) < 60


def test_rfc1035_s4_1_1_garbage_with_a_header_is_formerr_and_without_one_silence(served):
    garbage = exchange(served, b"\x12\x34\x01\x00\x00\x01" + b"\xff" * 20)

    assert garbage is not None
    assert (garbage[:2], garbage[3] & 0x0F) == (b"\x12\x34", dns.rcode.FORMERR)
    assert exchange(served, b"\x12\x34\x01") is None


def test_a_reply_is_never_answered(served):
    reply = dns.message.make_response(dns.message.make_query("example.com.", "SOA"))

    assert exchange(served, reply.to_wire()) is None


def test_a_signed_query_with_an_unknown_key_is_notauth(served):
    query = dns.message.make_query("example.com.", "SOA", use_edns=False)
    query.use_tsig({"key.": b"0123456789abcdef"})

    answer = exchange(served, query.to_wire())

    assert answer is not None
    assert answer[3] & 0x0F == dns.rcode.NOTAUTH


def test_a_zone_being_deleted_is_no_longer_served(served):
    zone = served.zone("going.example.")
    before = ask(served.address, "going.example.", "SOA").rcode()
    served.central.zones.delete(served.context, zone.id)

    assert before == dns.rcode.NOERROR
    assert ask(served.address, "going.example.", "SOA").rcode() == dns.rcode.REFUSED
