"""CNAME (RFC 1035 section 3.3.1); its data is a domain, as that of NS and PTR."""

import pytest

RTYPE = "CNAME"
LABEL = "a" * 63


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "a", "a.b", "a..b.", ".a.", "a b.", " a.", "a. ", "a.\n", "a\\.", "a;b.", "a\\300.",
        '"a."', "b_\u00fc.de.", "a\x00.", "a\u2024b.", f"{LABEL}a.b.", "a" * 64 + ".", "1.2.3.4",
    ],
)  # fmt: skip
def test_other_than_a_domain_is_refused(refusal, text):
    assert refusal(text)


def test_a_domain_of_254_characters_is_the_longest(wire, refusal):
    longest = f"{LABEL}." * 3 + "b" * 61 + "."

    assert len(longest) == 254
    assert len(wire(longest)) == 255
    assert refusal(longest.replace("b.", "bb."))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.", b"\x01a\x00"),
        ("Www.Example.COM.", b"\x03Www\x07Example\x03COM\x00"),
        ("_a._b.c-d.", b"\x02_a\x02_b\x03c-d\x00"),
        ("_.0.", b"\x01_\x010\x00"),
        ("xn--bcher-kva.ch.", b"\x0dxn--bcher-kva\x02ch\x00"),
        ("1.0/25.a.", b"\x011\x040/25\x01a\x00"),
        ("a\\.b.\\099.", b"\x03a.b\x01c\x00"),
        ("_a.b\u00fccher.fa\u00df.", b"\x02_a\x0dxn--bcher-kva\x0axn--fa-hia\x00"),
        (f"{LABEL}.", b"\x3f" + b"a" * 63 + b"\x00"),
    ],
)
def test_the_spelling_is_kept(wire, text, expected):
    assert wire(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0/25.2.0.192.in-addr.arpa.", b"\x040/25\x012\x010\x03192\x07in-addr\x04arpa\x00"),
        ("a\\.b.c.", b"\x03a.b\x01c\x00"),
        ("a\\032b.", b"\x03a b\x00"),
        ("a@b.", b"\x03a@b\x00"),
        ("*.a.", b"\x01*\x01a\x00"),
        ("-a-.b.", b"\x03-a-\x01b\x00"),
    ],
)
def test_rfc2181_s11_the_target_is_any_name(wire, text, expected):
    assert wire(text) == expected


def test_owner_may_be_a_wildcard(wire):
    assert wire("a.", owner="*.example.com.") == b"\x01a\x00"
