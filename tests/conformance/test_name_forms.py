"""Names with escapes and labels beyond ASCII: TLDs, blacklists, MiniDNS and imports."""

from __future__ import annotations

import dns.rcode
import pytest

from tests.support.servers.standalone import ask, texts

ADMIN = {"X-Roles": "admin"}
# The administrators' rules of names do not bind administrators.
OWNER = {"X-Roles": "member,reader"}


@pytest.fixture
def refused(call):
    """Return whether a zone of that name is refused."""

    def is_refused(name: str) -> bool:
        body = {"name": name, "email": "a@example.com"}
        status, found = call("POST", "/v2/zones", body, OWNER)
        assert status == 202 or (status, found["type"]) == (400, "invalid_zone_name"), found
        return status == 400

    return is_refused


@pytest.fixture
def listed(call):
    """Return a function that adds to an administrators' collection, until the test ends."""
    paths = []

    def add(collection, **body):
        status, made = call("POST", f"/v2/{collection}", body, ADMIN)
        assert status == 201, made
        paths.append(f"/v2/{collection}/{made['id']}")
        return made

    yield add
    for path in paths:
        assert call("DELETE", path, None, ADMIN)[0] == 204


def test_tlds_are_stored_found_and_changed_as_a_labels(call, listed, refused):
    made = listed("tlds", name="co.b\u00fccher")
    path = f"/v2/tlds/{made['id']}"

    assert made["name"] == "co.xn--bcher-kva"
    found = call("GET", "/v2/tlds?name=*.b%C3%BCcher", None, ADMIN)[1]["tlds"]
    assert [tld["id"] for tld in found] == [made["id"]]
    assert not refused("shop.co.xn--BCHER-kva.")
    assert not refused("shop2.co.b\u00fccher.")
    assert refused("co.b\u00fccher.")
    assert refused("shop.co\\.xn--bcher-kva.")
    assert call("PATCH", path, {"name": "stra\u00dfe"}, ADMIN)[1]["name"] == "xn--strae-oqa"


@pytest.mark.parametrize(
    ("pattern", "hit", "missed"),
    [
        ("^xn--bcher-kva\\.bl1\\.", "b\u00fccher.bl1.example.", "b\u00fccher.bl.example."),
        ("^b\u00fccher\\.bl2\\.", "xn--bcher-kva.bl2.example.", "bucher.bl2.example."),
        ("^bu\u0308cher\\.bl3\\.", "B\u00dcCHER.bl3.example.", "bucher.bl3.example."),
        ("^evil\\.bl4\\.", "EVIL.bl4.example.", "devil.bl4.example."),
        ("^evil\\.bl5\\.", "\\101\\118il.bl5.example.", "evil\\.x.bl5.example."),
        ("\\.bl6\\.example\\.$", "foo.bl6.example.", "foo\\.bl6.example."),
    ],
)
def test_blacklists_are_searched_in_the_name_itself(listed, refused, pattern, hit, missed):
    assert listed("blacklists", pattern=pattern)["pattern"] == pattern

    assert refused(hit)
    assert not refused(missed)


def test_minidns_answers_for_octets_and_not_for_dots_inside_labels(hidden):
    zone = hidden.zone("octets.example.")
    hidden.add(zone, "a\\.b", "A", "192.0.2.1")
    hidden.add(zone, "x\\.y.wild", "A", "192.0.2.2")
    hidden.add(zone, "\\000\\ \\;", "A", "192.0.2.3")
    hidden.add(zone, "*.wild", "A", "192.0.2.4")

    def answer(name):
        return ask(hidden.address, name, "A")

    assert texts(answer("A\\046B.octets.example.")) == {"192.0.2.1"}
    assert texts(answer("\\000\\032\\059.octets.example.")) == {"192.0.2.3"}
    assert texts(answer("x\\.y.wild.octets.example.")) == {"192.0.2.2"}
    # Neither name is an empty non-terminal above the other's label.
    assert answer("b.octets.example.").rcode() == dns.rcode.NXDOMAIN
    assert texts(answer("y.wild.octets.example.")) == {"192.0.2.4"}


def test_a_zone_of_an_unusual_name_is_answered_for(hidden):
    zone = hidden.zone("own\\.octets.example.")
    hidden.add(zone, "www", "A", "192.0.2.9")

    assert zone.name == "own\\046octets.example."
    assert texts(ask(hidden.address, "www.own\\.octets.example.", "A")) == {"192.0.2.9"}
    assert ask(hidden.address, "www.own.octets.example.", "A").rcode() != dns.rcode.NOERROR


@pytest.mark.parametrize(
    ("rtype", "data", "served"),
    [
        ("CNAME", "_s.b\u00fccher.fa\u00df.de.", "_s.xn--bcher-kva.xn--fa-hia.de."),
        ("PTR", "a\\.\\098.de.", "a\\.b.de."),
        ("MX", "10 fa\u00df.de.", "10 xn--fa-hia.de."),
        ("SRV", "1 2 3 fa\u00df.de.", "1 2 3 xn--fa-hia.de."),
        ("HTTPS", "1 fa\u00df.de. alpn=h2", '1 xn--fa-hia.de. alpn="h2"'),
        ("RP", "fa\u00df.de. b\u00fccher.de.", "xn--fa-hia.de. xn--bcher-kva.de."),
    ],
)
def test_names_in_data_are_returned_as_sent_and_served_as_a_labels(hidden, rtype, data, served):
    zone = hidden.zone(f"{rtype.lower()}.data.example.")
    owner = "_s._tcp" if rtype == "SRV" else "host"

    assert hidden.add(zone, owner, rtype, data).records == (data,)
    assert texts(ask(hidden.address, f"{owner}.{zone.name}", rtype)) == {served}
