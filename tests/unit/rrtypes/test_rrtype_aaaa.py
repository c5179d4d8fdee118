"""AAAA (RFC 3596 section 2; text forms of RFC 4291 section 2.2)."""

import pytest

RTYPE = "AAAA"


@pytest.mark.parametrize(
    "text",
    [
        "", ":", ":::", "1::2::3", "::g", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::1%eth0",
        "fe80::1%1", " ::1", "::1 ", "::1\n", "[::1]", "::1/128", "1.2.3.4", "::1.2.3", "::256.1.1.1",
        "::01.2.3.4", "::1\x00", "::\uff11", "2001:db8::1.",
    ],
)  # fmt: skip
def test_other_than_an_address_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::", "00" * 16),
        ("::1", "00" * 15 + "01"),
        ("2001:DB8::a", "20010db8" + "00" * 11 + "0a"),
        ("2001:0db8:0000:0000:0000:0000:0000:000a", "20010db8" + "00" * 11 + "0a"),
        ("1:2:3:4:5:6:7::", "0001000200030004000500060007" + "0000"),
        ("::ffff:192.0.2.1", "00" * 10 + "ffff" + "c0000201"),
    ],
)
def test_all_text_forms_give_sixteen_octets(wire, text, expected):
    assert wire(text).hex() == expected
