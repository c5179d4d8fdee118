"""Data of every type: a client's text becomes wire form, and its canonical text the same wire form."""

import base64

import dns.zone
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from designate import errors, rrtypes
from designate.wire import presentation, rr, types, validation
from designate.wire.names import APEX_POINTER
from tests.support.factories.rdata_strategies import TYPES, accepted_text

EXAMPLES = 15
OWNER = "x.example."


@pytest.mark.parametrize("rtype", TYPES)
def test_what_clients_may_write_reads_back_equal_in_every_form(rtype):
    number = types.number_of(rtype)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(accepted_text(rtype))
    def check(text):
        (wire,) = rrtypes.rdata(rtype, OWNER, [text])
        canonical = presentation.to_text(number, wire)
        generic = presentation.generic_text(wire)
        assert presentation.to_text(number, wire) == canonical
        for form in (canonical, generic):
            assert rrtypes.rdata(rtype, OWNER, [form]) == (wire,), form
            assert rrtypes.rdata(rtype, OWNER, [form], known=[form]) == (wire,), form
            assert from_file(rtype, form) == wire, form
        stored = rr.pack(APEX_POINTER, number, 300, (wire,))
        assert validation.readable(stored, 1) == (1, stored)

    check()


def from_file(rtype: str, text: str) -> bytes:
    """Return the data of a record in a master file, as imports read it."""
    head = "$ORIGIN example.\n$TTL 300\n@ IN SOA a. b. 1 2 3 4 5\n"
    zone = dns.zone.from_text(head + f"y IN {rtype} {text}\n", check_origin=False, relativize=False)
    (rdataset,) = zone.get_node("y.example.").rdatasets
    (rdata,) = rdataset
    return rdata.to_wire()


@settings(max_examples=1500, deadline=None, database=None, derandomize=True)
@given(st.sampled_from([info.number for info in types.TYPES]), st.binary(max_size=80))
def test_any_bytes_have_a_text_that_holds_all_of_them(number, data):
    text = presentation.to_text(number, data)

    try:
        rdata = presentation.parse_text(number, text)
    except presentation.MALFORMED:
        assert text == presentation.generic_text(data)
    else:
        assert rdata.to_wire() == data


@pytest.mark.parametrize("rtype", ["KEY", "DNSKEY", "CDNSKEY"])
@pytest.mark.parametrize(
    ("algorithm", "key", "accepted"),
    [
        (253, b"\x03abc\x00\x01", True),
        (253, b"\x00", True),
        (253, b"\x03abc", False),
        (253, b"a", False),
        (254, b"\x02\x2a\x03\x01", True),
        (254, b"\x05\x2a", False),
        (8, b"a", True),
    ],
)
def test_rfc4034_a_1_1_private_keys_begin_with_their_owner(rtype, algorithm, key, accepted):
    flags = 512 if rtype == "KEY" else 256
    text = f"{flags} 3 {algorithm} {base64.b64encode(key).decode()}"

    try:
        rrtypes.rdata(rtype, "x.example.", [text])
    except errors.InvalidObject:
        assert not accepted
    else:
        assert accepted
