"""A (RFC 1035 section 3.4.1)."""

import pytest

RTYPE = "A"


@pytest.mark.parametrize(
    "text",
    [
        "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", "01.2.3.4", "1.2.3.0x4", "0x01020304",
        "16909060", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "1.2.3.4.", "1.2.3.-4", "1.2.3.+4", "1..2.3",
        "1.2.3.4\x00", "\uff11.2.3.4", "1.2.3.\u0664", "::1", "a.b.c.d", "1.2.3.4/32", "1,2,3,4",
    ],
)  # fmt: skip
def test_other_than_four_decimal_octets_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0", "00000000"),
        ("255.255.255.255", "ffffffff"),
        ("10.0.200.99", "0a00c863"),
    ],
)
def test_octets_are_the_wire_form(wire, text, expected):
    assert wire(text).hex() == expected
