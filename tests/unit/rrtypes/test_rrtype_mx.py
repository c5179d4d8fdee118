"""MX (RFC 1035 section 3.3.9)."""

import pytest

RTYPE = "MX"


@pytest.mark.parametrize(
    "text",
    [
        "", "10", "mail.a.", "10 mail.a", " 10 mail.a.", "10 mail.a. ", "-0 mail.a.", "-1 mail.a.",
        "+1 mail.a.", "65536 mail.a.", "1e1 mail.a.",
        "\u0661 mail.a.", "10 mail.a. x.", " mail.a.", "1" * 5000 + " a.",
        "10 " + "a." * 128,
    ],
)  # fmt: skip
def test_other_than_a_canonical_preference_and_an_absolute_name_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # In a master file the name would end at the semicolon.
        ("10 a.;b.", "comment"),
        ("10 a(b.", "the form is"),
        ('10 "a".', "the form is"),
        ("10 b_\u00fc.", "internationalized"),
        ("10 a\tb.", "the form is"),
        ("10 a\nb.", "brackets"),
        ("10 a\\.", "with a dot"),
        ("10 a\\25.", "three digits"),
        ("10 a\\256.", "three digits"),
        ("10 a..b.", "empty"),
        ("10 ..", "empty"),
        ("10 " + "a" * 64 + ".", "63"),
    ],
)
def test_what_is_no_name_to_dns_is_refused_with_the_reason(refusal, text, reason):
    assert reason in refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 mail.a.", b"\x00\x0a\x04mail\x01a\x00"),
        ("0 .", b"\x00\x00\x00"),
        ("65535 *.a.", b"\xff\xff\x01*\x01a\x00"),
        ("10 b\u00fccher.", b"\x00\x0a\x0dxn--bcher-kva\x00"),
        ("010  mail.a.", b"\x00\x0a\x04mail\x01a\x00"),
        ("10\tmail.a.", b"\x00\x0a\x04mail\x01a\x00"),
        ("10 (\r\n mail.a. )", b"\x00\x0a\x04mail\x01a\x00"),
        ("1 a/b.", b"\x00\x01\x03a/b\x00"),
        ("1 a\\.b.c.", b"\x00\x01\x03a.b\x01c\x00"),
        ("1 a\\;b.", b"\x00\x01\x03a;b\x00"),
        ("1 \\000\\255.", b"\x00\x01\x02\x00\xff\x00"),
    ],
)
def test_exchange_is_otherwise_unchecked(wire, text, expected):
    assert wire(text) == expected
