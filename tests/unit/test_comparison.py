"""wire.comparison: whether a nameserver has an RRset, and when a difference counts."""

import dns.flags
import dns.rcode
import dns.rrset
import pytest

from designate.wire import comparison, digests, exchange
from designate.wire.comparison import Asker, Comparison, Expected
from tests.support.deadlines import scaled
from tests.support.fakes.nameserver import NanoServer

ZONE = "example.org."
WWW = "www.example.org."
A, NS, CNAME, MX, DS = 1, 2, 5, 15, 43


@pytest.fixture
def server():
    with NanoServer() as server:
        server.serials[ZONE] = 100
        server.has(ZONE, 300, "NS", "ns1.example.org.")
        yield server


def digest(rtype, ttl, *texts):
    rrset = dns.rrset.from_text(WWW, ttl, "IN", dns.rdatatype.RdataType.make(rtype).name, *texts)
    return digests.of_rrset(rtype, ttl, [rdata.to_wire() for rdata in rrset])


def compare(server, rtype=A, expected="", name=WWW, timeout_s=None):
    asker = Asker(server.host, server.port, None, timeout_s or scaled(5), False)
    answer = asker.soa(ZONE)
    before = len(server.queries)
    found = comparison.compare(
        asker, Expected(zone=ZONE, name=name, rtype=rtype, digest=expected), answer
    )
    return found[0], found[1], len(server.queries) - before


# -- equal ---------------------------------------------------------------------------------------


def test_the_same_data_takes_one_query(server):
    server.has(WWW, 60, "A", "192.0.2.2", "192.0.2.1")

    assert compare(server, A, digest(A, 60, "192.0.2.1", "192.0.2.2")) == (Comparison.EQUAL, "", 1)


def test_names_are_compared_in_any_case(server):
    server.has("WWW.example.org.", 60, "MX", "10 Mail.Example.ORG.")
    server.rrsets[WWW, "MX"] = server.rrsets.pop(("WWW.example.org.", "MX"))

    assert compare(server, MX, digest(MX, 60, "10 mail.example.org."))[0] is Comparison.EQUAL


@pytest.mark.parametrize(
    ("rtype", "text"),
    [
        (45, "10 3 2 Mail.Example. AQID"),
        (64, "1 Mail.Example. alpn=h2"),
        (65, "1 Mail.Example. alpn=h2"),
        (107, "10 Mail.Example."),
        (260, "10 1 3 Mail.Example."),
    ],
)
def test_names_of_newer_types_are_compared_in_any_case_and_the_rest_as_it_is(rtype, text):
    assert digest(rtype, 60, text) == digest(rtype, 60, text.replace("Mail.Ex", "mAIL.eX"))
    if rtype not in (107, 260):
        other = text.replace("AQID", "aQID").replace("h2", "H2")
        assert digest(rtype, 60, text) != digest(rtype, 60, other)


@pytest.mark.parametrize(("rtype", "text"), [(45, "10 1 2 {} AQID"), (260, "10 0 1 {}")])
def test_a_gateway_that_is_no_name_is_compared_as_it_is(rtype, text):
    one, other = (text.format(address) for address in ("65.66.67.68", "97.66.67.68"))

    assert digest(rtype, 60, one) != digest(rtype, 60, other)


@pytest.mark.parametrize("others", [(), (("sub." + WWW, 60, "A", "192.0.2.1"),)])
def test_nothing_where_nothing_is_expected_takes_one_query(server, others):
    """NXDOMAIN, or an empty non-terminal."""
    for other in others:
        server.has(*other)

    assert compare(server, A) == (Comparison.EQUAL, "", 1)


def test_a_truncated_answer_is_asked_for_over_tcp(server):
    server.has(WWW, 60, "A", "192.0.2.1")
    server.truncate = True

    assert compare(server, A, digest(A, 60, "192.0.2.1"))[0] is Comparison.EQUAL
    assert server.tcp_queries == 2


def test_a_delegation_is_compared_with_the_referral(server):
    def refer(reply):
        reply.authority.append(dns.rrset.from_text(WWW, 60, "IN", "NS", "ns.other.test."))

    server.scripts[WWW, "NS"] = refer

    assert compare(server, NS, digest(NS, 60, "ns.other.test."))[0] is Comparison.EQUAL
    assert compare(server, NS, digest(NS, 60, "ns.new.test."))[:2] == (
        Comparison.OTHER,
        f"{WWW} NS differs",
    )
    assert compare(server, NS)[:2] == (Comparison.OTHER, f"{WWW} NS is still there")


# -- other data ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("served", "text"),
    [
        ((60, "A", "198.51.100.1"), "differs"),
        ((61, "A", "192.0.2.1"), "differs"),
        ((60, "A", "192.0.2.1", "192.0.2.9"), "differs"),
        ((60, "TXT", "x"), "is missing"),
        (None, "is missing"),
    ],
)
def test_a_difference_counts_where_the_zone_itself_has_it(server, served, text):
    if served:
        server.has(WWW, *served)

    result, found, queries = compare(server, A, digest(A, 60, "192.0.2.1"))

    assert (result, found) == (Comparison.OTHER, f"{WWW} A {text}")
    assert queries <= 3


def test_deleted_data_that_is_still_served_counts(server):
    server.has(WWW, 60, "A", "192.0.2.1")

    assert compare(server, A)[:2] == (Comparison.OTHER, f"{WWW} A is still there")


def test_an_error_for_the_name_counts_where_the_zone_has_the_name(server):
    server.scripts[WWW, "A"] = lambda reply: reply.set_rcode(dns.rcode.SERVFAIL)

    assert compare(server, A, digest(A, 60, "192.0.2.1"))[:2] == (
        Comparison.OTHER,
        f"{WWW} A is answered with SERVFAIL",
    )


# -- what is no difference -----------------------------------------------------------------------


def test_a_serial_that_moved_meanwhile_begins_anew(server):
    def move(reply):
        server.serials[ZONE] = 101
        reply.flags |= dns.flags.AA

    server.scripts[WWW, "A"] = move

    assert compare(server, A, digest(A, 60, "192.0.2.1"))[0] is Comparison.AGAIN


def test_no_reply_begins_anew_and_says_so(server):
    server.scripts[WWW, "A"] = lambda _: setattr(server, "unresponsive", True)

    result, text, _ = compare(server, A, "x", timeout_s=0.3)

    assert (result, text) == (Comparison.AGAIN, f"no answer for {WWW} A: timeout")


def test_a_name_below_a_delegation_is_not_compared(server):
    def refer(reply):
        reply.authority.append(dns.rrset.from_text(WWW, 60, "IN", "NS", "ns.other.test."))

    name = f"glue.{WWW}"
    server.scripts[name, "A"] = refer

    assert compare(server, A, "x", name=name)[0] is Comparison.UNDECIDED


def test_the_ds_at_a_delegation_is_compared(server):
    ds = "1 8 2 " + "ab" * 32
    server.has(WWW, 60, "DS", ds)

    assert compare(server, DS, digest(DS, 60, ds))[0] is Comparison.EQUAL


def test_a_name_below_a_dname_is_not_compared(server):
    def redirect(reply):
        reply.flags |= dns.flags.AA
        reply.answer.append(dns.rrset.from_text(WWW, 60, "IN", "DNAME", "other.test."))
        reply.answer.append(dns.rrset.from_text(f"a.{WWW}", 60, "IN", "CNAME", "a.other.test."))

    server.scripts[f"a.{WWW}", "A"] = redirect

    assert compare(server, A, "x", name=f"a.{WWW}")[0] is Comparison.UNDECIDED


@pytest.mark.parametrize("has_data", [True, False])
def test_a_name_in_a_child_zone_on_the_same_server_is_not_compared(server, has_data):
    server.serials["www.example.org."] = 7
    name = f"a.{WWW}"
    if has_data:
        server.has(name, 60, "A", "192.0.2.77")

    assert compare(server, A, digest(A, 60, "192.0.2.1"), name=name)[0] is Comparison.UNDECIDED


def test_a_deleted_name_under_a_wildcard_is_not_compared(server):
    server.has("*.example.org.", 60, "A", "192.0.2.1")

    assert compare(server, A)[0] is Comparison.UNDECIDED


def test_a_deleted_name_beside_a_wildcard_of_other_data_is_compared(server):
    server.has("*.example.org.", 60, "A", "192.0.2.1")
    server.has(WWW, 60, "A", "192.0.2.2")

    assert compare(server, A)[0] is Comparison.OTHER


def test_an_answer_that_cannot_come_over_tcp_is_not_compared(server, monkeypatch):
    def truncate(reply):
        reply.flags |= dns.flags.TC

    def refuse(*_):
        raise ConnectionRefusedError

    server.scripts[WWW, "A"] = truncate
    monkeypatch.setattr(exchange, "_over_tcp", refuse)

    assert compare(server, A, "x")[0] is Comparison.UNDECIDED


@pytest.mark.parametrize(
    ("rtype", "data"),
    [("A", "192.0.2.1"), ("TXT", '"a"'), ("MX", "10 a.b."), ("AAAA", "2001:db8::1")],
)
def test_an_answer_is_the_same_with_and_without_other_sections(server, rtype, data):
    """The usual answer is unpacked without dnspython."""
    expected = server.has(WWW, 60, rtype, data)
    number = dns.rdatatype.from_text(rtype)
    alone = compare(server, number, expected)[0]
    rrset = server.rrsets[WWW, rtype]

    def with_more(reply):
        reply.flags |= dns.flags.AA
        reply.answer.append(rrset)
        reply.answer.append(dns.rrset.from_text("other.example.org.", 1, "IN", "A", "192.0.2.9"))
        reply.authority.append(dns.rrset.from_text(ZONE, 60, "IN", "NS", "ns1.example.org."))

    server.scripts[WWW, rtype] = with_more

    assert (alone, compare(server, number, expected)[0]) == (Comparison.EQUAL, Comparison.EQUAL)
