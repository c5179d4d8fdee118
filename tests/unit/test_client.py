"""wire.client: SOA queries and NOTIFY against a small real nameserver on loopback."""

import dns.flags
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from designate.wire import client
from designate.wire.client import SoaState
from tests.nanoserver import NanoServer
from tests.servers import free_port

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


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.FORMERR, dns.rcode.NOTIMP])
def test_a_server_in_trouble_proves_nothing(server, rcode):
    server.rcode = rcode

    answer = soa(server)

    assert answer.state is SoaState.UNKNOWN
    assert answer.text == dns.rcode.to_text(rcode)


def test_a_copy_without_authority_proves_nothing(server):
    server.serials[ZONE] = 7
    server.aa = False

    assert soa(server).state is SoaState.UNKNOWN


def test_silence_ends_at_the_deadline(server):
    server.silent = True

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
    """localhost has ::1 as well on many hosts, where nobody listens."""
    with NanoServer() as server:
        server.serials[ZONE] = 3

        assert client.query_soa("localhost.", server.port, ZONE, 2).serial == 3
        assert "127.0.0.1" in client.addresses("localhost")


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
    server.silent = True

    answer = client.send_notify(server.host, server.port, ZONE, 0.05)

    assert (answer.accepted, answer.rcode, str(answer)) == (False, None, "timeout")
