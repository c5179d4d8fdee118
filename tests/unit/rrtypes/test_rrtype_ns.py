"""NS (RFC 1035 section 3.3.11)."""

import pytest

from designate import rrtypes
from designate.errors import InvalidObject

RTYPE = "NS"


@pytest.mark.parametrize("text", ["", ".", "ns", "ns.a. ", "ns..a.", "192.0.2.1"])
def test_other_than_a_domain_is_refused(refusal, text):
    assert refusal(text)


def test_data_is_the_name(wire):
    assert wire("Ns1.a.") == b"\x03Ns1\x01a\x00"


def test_rfc4592_s4_2_owner_is_no_wildcard(owner_refusal):
    error = owner_refusal("*.example.com.")

    assert type(error) is InvalidObject
    assert error.message == "name is invalid: a wildcard cannot be delegated"
    assert error.errors == ()


@pytest.mark.parametrize(
    ("name", "gist"), [("sub.example.com", "end with a dot"), ("a..b.", "not a valid name")]
)
def test_owner_is_a_domain(owner_refusal, name, gist):
    assert gist in owner_refusal(name).message


def test_owner_below_the_apex_is_a_delegation():
    rrtypes.check_owner(RTYPE, "sub.example.com.")
