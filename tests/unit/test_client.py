"""wire.client: SOA queries and NOTIFY against a small real nameserver on loopback."""

import struct

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designate.wire import client, exchange, resolver, tsig_keys
from designate.wire.client import SoaState
from tests.support.fakes.nameserver import NanoServer
from tests.support.servers.nameservers import free_port

ZONE = "example.org."


@pytest.fixture
def server():
    with NanoServer() as server:
        yield server


def soa(server, timeout_s=2.0, **how):
    return client.query_soa(server.host, server.port, ZONE, timeout_s, **how)


def test_an_authoritative_soa_gives_its_serial(server):
    server.serials[ZONE] = 4294967295

    answer = soa(server)

    assert (answer.state, answer.serial) == (SoaState.SERIAL, 4294967295)
    assert not server.queries[0].flags & dns.flags.RD


def test_the_zones_name_is_compared_without_case(server):
    server.serials["EXAMPLE.org."] = 7

    answer = client.query_soa(server.host, server.port, "EXAMPLE.org.", 2)

    assert answer.serial == 7


@pytest.mark.parametrize("rcode", [dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.NXDOMAIN])
def test_a_server_that_disowns_the_zone_proves_its_absence(server, rcode):
    server.rcode = rcode

    assert soa(server).state is SoaState.ABSENT


def test_an_answer_without_soa_proves_absence(server):
    server.rcode = dns.rcode.NOERROR

    assert soa(server).state is SoaState.ABSENT


@pytest.mark.parametrize(
    ("rcode", "state"),
    [
        (dns.rcode.SERVFAIL, SoaState.FAILED),
        (dns.rcode.FORMERR, SoaState.UNKNOWN),
        (dns.rcode.NOTIMP, SoaState.UNKNOWN),
    ],
)
def test_a_server_in_trouble_proves_nothing(server, rcode, state):
    server.rcode = rcode

    answer = soa(server)

    assert answer.state is state
    assert answer.text == dns.rcode.to_text(rcode)


def test_a_copy_without_authority_proves_nothing(server):
    server.serials[ZONE] = 7
    server.aa = False

    assert soa(server).state is SoaState.UNKNOWN


def test_silence_ends_at_the_deadline(server):
    server.unresponsive = True

    answer = soa(server, timeout_s=0.05)

    assert (answer.state, answer.text) == (SoaState.UNKNOWN, "timeout")


def test_a_closed_port_proves_nothing():
    answer = client.query_soa("127.0.0.1", free_port(), ZONE, 1)

    assert answer.state is SoaState.UNKNOWN
    assert "refused" in answer.text


def test_a_name_without_address_proves_nothing():
    answer = client.query_soa("no-such-host.invalid.", 53, ZONE, 1)

    assert (answer.state, answer.text) == (SoaState.UNKNOWN, "no address")


def test_garbage_proves_nothing(server):
    server.raw_reply = b"\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00\xff\xff\xff"

    answer = soa(server, timeout_s=0.3)

    assert (answer.state, answer.text) == (SoaState.UNKNOWN, "malformed answer")


def test_an_answer_to_another_question_is_not_taken(server):
    # The bytes of a good answer for another zone, under the id of this query.
    other = b"\x84\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05other\x03org\x00\x00\x06\x00\x01"
    server.raw_reply = other

    answer = soa(server, timeout_s=0.05)

    assert (answer.state, answer.text) == (SoaState.UNKNOWN, "timeout")


def test_a_truncated_answer_is_asked_for_again_over_tcp(server):
    server.serials[ZONE] = 9
    server.truncate = True

    answer = soa(server)

    assert (answer.serial, server.tcp_queries) == (9, 1)


def test_tcp_alone_when_it_is_asked_for(server):
    server.serials[ZONE] = 9

    answer = soa(server, tcp=True)

    assert (answer.serial, server.tcp_queries, len(server.queries)) == (9, 1, 1)


def test_ipv6_is_spoken():
    with NanoServer("::1") as server:
        server.serials[ZONE] = 3

        assert soa(server).serial == 3


def test_every_address_of_a_name_is_tried():
    """On many hosts localhost also has ::1, where the server does not listen."""
    with NanoServer() as server:
        server.serials[ZONE] = 3

        assert client.query_soa("localhost.", server.port, ZONE, 2).serial == 3
        assert "127.0.0.1" in resolver.addresses("localhost")


def test_rfc1996_s3_notify_has_aa_and_asks_for_the_soa_without_recursion(server):
    answer = client.send_notify(server.host, server.port, ZONE, 2)
    sent = server.notifies[0]

    assert answer.accepted
    assert sent.opcode() == dns.opcode.NOTIFY
    assert sent.flags & dns.flags.AA
    assert not sent.flags & dns.flags.RD
    assert sent.question[0].name.to_text() == ZONE
    assert sent.question[0].rdtype == dns.rdatatype.SOA


def test_a_refused_notify_is_told_by_its_rcode(server):
    server.notify_rcode = dns.rcode.NOTAUTH

    answer = client.send_notify(server.host, server.port, ZONE, 2)

    assert (answer.accepted, answer.rcode, str(answer)) == (False, dns.rcode.NOTAUTH, "NOTAUTH")


def test_an_unanswered_notify_has_no_rcode(server):
    server.unresponsive = True

    answer = client.send_notify(server.host, server.port, ZONE, 0.05)

    assert (answer.accepted, answer.rcode, str(answer)) == (False, None, "timeout")


QUERY = struct.pack(">HHHHHH", 77, 0, 1, 0, 0, 0) + b"\x07example\x03org\x00\x00\x06\x00\x01"
SENT = exchange.DnsQuery(ZONE, QUERY, QUERY, None, b"")


def reply_of(rcode=0, aa=True, answer=None, authority=None, edns=-1):
    message = dns.message.make_response(dns.message.from_wire(QUERY))
    message.use_edns(edns)
    message.set_rcode(rcode)
    if aa:
        message.flags |= dns.flags.AA
    for section, text in ((message.answer, answer), (message.authority, authority)):
        if text is not None:
            owner, rtype, data = text
            section.append(dns.rrset.from_text(owner, 300, "IN", rtype, data))
    return message


def soa_data(serial):
    return f"ns1.example.org. a\\.b.example.org. {serial} 3600 600 86400 300"


@given(
    serial=st.integers(0, 2**32 - 1),
    rcode=st.sampled_from([0, 2, 3, 5, 9, 16]),
    aa=st.booleans(),
    owner=st.sampled_from([ZONE, "EXAMPLE.org.", "sub.example.org.", "other.net.", None]),
    rtype=st.sampled_from(["SOA", "CNAME"]),
    authority=st.booleans(),
    edns=st.sampled_from([-1, 0]),
)
def test_the_short_way_to_read_a_reply_gives_what_dnspython_reads(
    serial, rcode, aa, owner, rtype, authority, edns
):
    data = soa_data(serial) if rtype == "SOA" else "elsewhere.example.org."
    message = reply_of(
        rcode=rcode if edns >= 0 else rcode & 15,
        aa=aa,
        answer=None if owner is None else (owner, rtype, data),
        authority=(ZONE, "NS", "ns1.example.org.") if authority else None,
        edns=edns,
    )
    wire = message.to_wire()

    reply = exchange.match_reply(wire, SENT)
    expected = serial if rtype == "SOA" and owner in (ZONE, "EXAMPLE.org.") else None

    assert (reply.serial, reply.rcode) == (expected, message.rcode())
    assert bool(reply.flags & dns.flags.AA) is aa


@given(
    noise=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=8),
    length=st.integers(0, 130),
)
def test_no_reply_however_broken_raises_anything_foreign(noise, length):
    wire = bytearray(reply_of(answer=(ZONE, "SOA", soa_data(7))).to_wire())
    for place, value in noise:
        wire[place % len(wire)] = value
    try:
        reply = exchange.match_reply(bytes(wire[:length]), SENT)
    except exchange.NoReplyError:
        return

    assert reply is None or reply.serial is None or 0 <= reply.serial < 2**32


KEY = tsig_keys.make_key("worker.example", "hmac-sha512", "c2VjcmV0IG9mIGEgd29ya2Vy")


@pytest.fixture
def keyed(server):
    """A server with the key."""
    theirs = dns.tsig.Key(KEY.name, KEY.secret, KEY.algorithm)
    server.keyring = {theirs.name: theirs}
    return server


@pytest.mark.parametrize("tcp", [False, True])
def test_rfc8945_s5_4_a_signed_question_is_answered_and_signed(keyed, tcp):
    keyed.serials[ZONE] = 9

    answer = soa(keyed, key=KEY, tcp=tcp)
    told = client.send_notify(keyed.host, keyed.port, ZONE, 2, key=KEY, tcp=tcp)

    assert (answer.state, answer.serial) == (SoaState.SERIAL, 9)
    assert told.accepted
    assert all(query.had_tsig for query in (*keyed.queries, *keyed.notifies))


@pytest.mark.parametrize("tcp", [False, True])
def test_rfc8945_s5_4_an_unsigned_answer_to_a_signed_question_is_none(keyed, tcp):
    keyed.serials[ZONE] = 9
    keyed.unsigned = True

    answer = soa(keyed, timeout_s=0.3, key=KEY, tcp=tcp)
    told = client.send_notify(keyed.host, keyed.port, ZONE, 0.3, key=KEY, tcp=tcp)

    assert answer.state is SoaState.UNKNOWN
    assert "not signed" in answer.text
    assert (told.rcode, told.accepted) == (None, False)


def test_a_truncated_signed_answer_is_asked_for_again_over_tcp(keyed):
    keyed.serials[ZONE] = 9
    keyed.truncate = True

    assert soa(keyed, key=KEY).serial == 9
    assert keyed.tcp_queries == 1
