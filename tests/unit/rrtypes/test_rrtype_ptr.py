"""PTR (RFC 1035 section 3.3.12)."""

import pytest

from designate import rrtypes

RTYPE = "PTR"


@pytest.mark.parametrize("text", ["", ".", "host", "a. b.", "host.a.\n"])
def test_other_than_a_domain_is_refused(refusal, text):
    assert refusal(text)


def test_data_is_the_name(wire):
    assert wire("host.a.") == b"\x04host\x01a\x00"
    assert wire("1.0/25.a.") == b"\x011\x040/25\x01a\x00"


@pytest.mark.parametrize("owner", ["1.2.0.192.in-addr.arpa.", "*.example.com.", "example.com."])
def test_owner_needs_no_reverse_zone(owner):
    rrtypes.check_owner(RTYPE, owner)


def test_rfc2317_names_with_slashes_are_owners_and_targets(wire):
    name = "1.0/25.2.0.192.in-addr.arpa."

    assert wire(name, owner=name).startswith(b"\x011\x040/25\x012")
