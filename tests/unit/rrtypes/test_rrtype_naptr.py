"""NAPTR (RFC 3403; the regexp field is RFC 3402 section 3.2, see test_substitution)."""

import pytest

RTYPE = "NAPTR"


@pytest.mark.parametrize(
    "text",
    [
        "", "1 2 S SIP+D2U !a!b!", '1 2 "" "" "" a',
        '65536 2 "" "" "" a.', '1 -2 "" "" "" a.', ' 1 2 "" "" "" a.',
        '1 2 "S,U" "" "" a.', '1 2 "S "" "" a.', '1 2 S" "" "" a.',
        f'1 2 {"S" * 256} "" "" a.',
        f'1 2 "" {"+".join(["a" * 31] * 9)} "" a.',
        '1 2 "" "" a a.', '1 2 "" "" !a!b a.', '1 2 "" "" 1a1b1 a.', '1 2 "" "" iaibi a.',
        '1 2 "" "" \\a\\b\\ a.', '1 2 "" "" !a!b!x a.', '1 2 "" "" !a!b!I a.', '1 2 "" "" "!a!b! a.',
        f'1 2 "" "" !{"a" * 253}!! a.',
    ],
)  # fmt: skip
def test_other_than_the_six_fields_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("regexp", "reason"),
    [
        ("!(!b!", "empty alternative"),
        ("!(a!b!", "group without end"),
        ("!a!\\\\1!", "refers to group 1 of 0"),
        ("!a!b!c!", "pattern, a replacement"),
        ("!^(.*)$!\\1!", "three digits"),
        ("\u00e9a\u00e9b\u00e9", "pattern, a replacement"),
        ("!" + "\u00e9" * 127 + "!!", "too long"),
    ],
)
def test_a_regexp_that_nameservers_refuse_is_refused_with_the_reason(refusal, regexp, reason):
    assert reason in refusal(f'1 2 "" "" "{regexp}" a.')


def test_quotes_may_be_left_out(wire):
    expected = b"\x00\x01\x00\x02\x01S\x07SIP+D2U\x16!^.*$!sip:a@b.example!\x01a\x00"

    assert wire('1 2 "S" "SIP+D2U" "!^.*$!sip:a@b.example!" a.') == expected
    assert wire("1 2 S SIP+D2U !^.*$!sip:a@b.example! a.") == expected


@pytest.mark.parametrize(
    ("regexp", "expected"),
    [
        ('""', b""),
        ("!^(.*)$!\\\\1!", b"!^(.*)$!\\1!"),
        ("!a;(b)!c!i", b"!a;(b)!c!i"),
        ('!a"b!c!', b'!a"b!c!'),
        ('"!a"b!c!"', b'!a"b!c!'),
        ("!\u00e9!b!", b"!\xc3\xa9!b!"),
    ],
)
def test_rfc1035_s5_1_escapes_stand_for_bytes_of_the_regexp(wire, regexp, expected):
    data = wire(f'1 2 "" "" {regexp} a.')

    assert data == b"\x00\x01\x00\x02\x00\x00" + bytes([len(expected)]) + expected + b"\x01a\x00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1 2 "" "" "" .', b"\0\0\0\0"),
        ('1  2 "" ""\t"" *.a.', b"\0\0\0\x01*\x01a\0"),
        ('1 2 "" "" "!a b!c!" .', b"\0\0\x07!a b!c!\0"),
        ('1 2 "" "" !a!b\\033 a.', b"\0\0\x05!a!b!\x01a\0"),
        # RFC 7593 and RFC 6408 have services with other characters than letters and digits.
        ('1 2 "s" "x-eduroam:radius.tls" "" a.', b"\x01s\x14x-eduroam:radius.tls\0\x01a\0"),
        ('1 2 S aaa+ap1:diameter.tls.tcp "" a.', b"\x01S\x18aaa+ap1:diameter.tls.tcp\0\x01a\0"),
    ],
)
def test_rfc3403_s4_1_forms(wire, text, expected):
    assert wire(text) == b"\0\x01\0\x02" + expected


def test_longest_flags_and_services(wire):
    service = "+".join(["a" * 31] * 8)
    data = wire(f'0 065535 "{"S" * 255}" "{service}" "" a.')

    assert len(service) == 255
    assert (
        data == b"\x00\x00\xff\xff\xff" + b"S" * 255 + b"\xff" + service.encode() + b"\x00\x01a\x00"
    )
