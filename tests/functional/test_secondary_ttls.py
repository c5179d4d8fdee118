"""TTLs of transferred zones: of signatures those of the RRsets that they cover, and TTLs of zero."""

from __future__ import annotations

import dns.message
import dns.query
import dns.rdataclass
import dns.rdatatype
import pytest

from designate.context import admin_context
from designate.model.query import Query
from tests.support.deadlines import scaled
from tests.support.factories.transfers import bring, content, secondary
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.scripted_primary import CONTENT, ZONE, rrs, soa
from tests.support.servers.standalone import ask, transferred

WWW = f"www.{ZONE}"


@pytest.fixture
def hidden(tmp_path):
    with Hidden(tmp_path) as hidden:
        yield hidden


def rrsig(name, ttl, covered, original_ttl, key_tag=1):
    return rrs(
        f"{name} {ttl} RRSIG {covered} 13 3 {original_ttl} 20261231000000 20260101000000 {key_tag} "
        f"{ZONE} {'A' * 86}=="
    )[0]


SIGNED = [
    *CONTENT,
    *rrs(f"{WWW} 7200 TXT x", f"{WWW} 0 AAAA 2001:db8::1", f"{WWW} 5 NSEC {ZONE} A"),
    rrsig(WWW, 60, "A", 60),
    rrsig(WWW, 7200, "TXT", 7200),
    rrsig(WWW, 0, "AAAA", 0),
    rrsig(WWW, 5, "NSEC", 5),
    rrsig(ZONE, 300, "SOA", 300),
    rrsig(ZONE, 300, "NS", 300),
]
EXPECTED = {(WWW, "A"): 60, (WWW, "TXT"): 7200, (WWW, "AAAA"): 0, (WWW, "NSEC"): 5,
            (ZONE, "SOA"): 300, (ZONE, "NS"): 300}  # fmt: skip


def ttls(records):
    """Return the TTL of signatures by owner and type covered, of single RRs."""
    return {
        (one.name.to_text(), dns.rdatatype.to_text(one[0].type_covered)): one.ttl
        for one in records
        if one.rdtype == dns.rdatatype.RRSIG
    }


def zone_ttls(hidden):
    """Return the same of a whole transfer out."""
    host, port = hidden.address
    query = dns.message.make_query(ZONE, "AXFR")
    reply = dns.query.tcp(query, host, port=port, timeout=scaled(5), one_rr_per_rrset=True)
    return ttls(reply.answer)


def ixfr(hidden, since):
    """Return the records of an IXFR, one RR each."""
    query = dns.message.make_query(ZONE, "IXFR")
    query.authority.append(soa(since))
    host, port = hidden.address
    reply = dns.query.tcp(query, host, port=port, timeout=scaled(5), one_rr_per_rrset=True)
    return reply.answer


def replace(hidden, zone, records, since):
    made = content(zone, records, since=since)
    hidden.central.secondary.replace_content(admin_context(), made)


def test_each_signature_has_the_ttl_of_what_it_covers_in_transfers_and_answers(hidden):
    zone = secondary(hidden)
    bring(hidden, zone, 5, SIGNED)
    answer = ask(hidden.address, WWW, "RRSIG")
    wire = answer.to_wire()
    single = dns.message.from_wire(wire, one_rr_per_rrset=True).answer

    assert zone_ttls(hidden) == EXPECTED
    # Of the answer's RRs, since dnspython gives an RRset one TTL.
    assert ttls(single) == {key: ttl for key, ttl in EXPECTED.items() if key[0] == WWW}


def test_signatures_with_other_ttls_than_their_rrsets_get_those(hidden):
    zone = secondary(hidden)
    wrong = [rrsig(ZONE, 9, "SOA", 300), rrsig(WWW, 9, "A", 60), rrsig(f"x.{ZONE}", 9, "A", 60)]
    bring(hidden, zone, 5, [*CONTENT, *wrong])

    assert zone_ttls(hidden) == {(ZONE, "SOA"): 300, (WWW, "A"): 60, (f"x.{ZONE}", "A"): 9}


def test_a_difference_changes_the_ttl_of_one_signature(hidden):
    zone = secondary(hidden)
    bring(hidden, zone, 5, SIGNED)
    txt, sig = rrs(f"{WWW} 7200 TXT x")[0], rrsig(WWW, 7200, "TXT", 7200)
    new_txt, new_sig = rrs(f"{WWW} 30 TXT y")[0], rrsig(WWW, 30, "TXT", 30, 2)
    replace(hidden, zone, [soa(6), soa(5), txt, sig, soa(6), new_txt, new_sig, soa(6)], 5)

    assert zone_ttls(hidden) == EXPECTED | {(WWW, "TXT"): 30}
    steps = [one for one in ixfr(hidden, 5) if one.rdtype == dns.rdatatype.RRSIG]
    assert [(one.ttl, one[0].key_tag) for one in steps] == [(7200, 1), (30, 2)]


def test_a_signature_that_goes_leaves_no_ttl_behind(hidden):
    zone = secondary(hidden)
    bring(hidden, zone, 5, SIGNED)
    gone = [*rrs(f"{WWW} 0 AAAA 2001:db8::1"), rrsig(WWW, 0, "AAAA", 0), rrsig(WWW, 5, "NSEC", 5)]
    replace(hidden, zone, [soa(6), soa(5), *gone, soa(6), soa(6)], 5)
    page = hidden.central.recordsets.find(hidden.context, zone.id, Query(limit=1000))

    assert {(one.name, one.type): one.ttl for one in page.items}[WWW, "RRSIG"] == 60
    assert zone_ttls(hidden) == {
        key: ttl for key, ttl in EXPECTED.items() if key[1] not in ("AAAA", "NSEC")
    }


def test_an_rrset_of_ttl_zero_keeps_it_when_a_difference_takes_one_of_its_records(hidden):
    zone = secondary(hidden)
    two = rrs(f"zero.{ZONE} 0 A 192.0.2.1", f"zero.{ZONE} 0 A 192.0.2.2")
    bring(hidden, zone, 5, [*CONTENT, *two])
    replace(hidden, zone, [soa(6), soa(5), two[0], soa(6), soa(6)], 5)
    rdataset = transferred(hidden.address, ZONE).get_rdataset("zero", "A")

    assert (rdataset.ttl, [one.address for one in rdataset]) == (0, ["192.0.2.2"])
    assert [one.ttl for one in ixfr(hidden, 5) if one.rdtype == dns.rdatatype.A] == [0]
