"""SPF (RFC 4408 section 3.1.1)."""

import pytest

RTYPE = "SPF"


def strings(*parts):
    return b"".join(bytes([len(part)]) + part for part in parts)


@pytest.mark.parametrize(
    "text", ["a\nb", '"a\nb"', " v=spf1", '"a"b"', '"a""b"', 'a"b"c"', 'x" y"z']
)
def test_what_clients_may_not_write_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('"v=spf1 -all', "quotes do not pair off"),
        ('v=spf1 -all"', "quotes do not pair off"),
        ("abc\\", "as two"),
        ('"abc\\"', "quotes do not pair off"),
        ('"";lost""', "quotes do not pair off"),
        ("\\256", "three digits"),
        ('"a\rb"', "control character"),
    ],
)
def test_what_dns_cannot_hold_is_refused_with_the_reason(refusal, text, reason):
    assert reason in refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", b""),
        ('"v=spf1 ip4:192.0.2.0/24 -all"', b"v=spf1 ip4:192.0.2.0/24 -all"),
        ("v=spf1", b"v=spf1"),
        ("v=spf1;x", b"v=spf1;x"),
        ("v=spf1 a:b -all", b"v=spf1 a:b -all"),
        ('"a\\"b"', b'a"b'),
        ('a\\"', b'a"'),
        ('"', b'"'),
        ("\\065", b"A"),
        ("\u00e9", b"\xc3\xa9"),
    ],
)
def test_one_string(wire, text, expected):
    assert wire(text) == strings(expected)


def test_rfc4408_s3_1_3_a_long_text_is_divided(wire):
    text = "v=spf1 " + "ip4:192.0.2.1 " * 40 + "-all"
    data = text.encode()

    assert wire(f'"{text}"') == strings(data[:255], data[255:510], data[510:])


def test_a_text_of_255_bytes_is_not_divided(wire):
    assert wire("a" * 255) == strings(b"a" * 255)
