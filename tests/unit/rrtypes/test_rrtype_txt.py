"""TXT (RFC 1035 section 3.3.14): quoting, escapes, lengths and wire form."""

import pytest

from designate import errors, rrtypes

RTYPE = "TXT"


def strings(*parts):
    return b"".join(bytes([len(part)]) + part for part in parts)


@pytest.mark.parametrize(
    "text",
    [
        "\\", "\\\\", "abc\\", "abc\\\\", 'a b\\',  # a backslash at the end
        " a", "a ", "a\nb", " ", "\n", "a b\\\\",  # white space at the ends, or as line end
        '"a\nb"', '"\n"',
        '"a', 'a"', '"a b', 'a b"',  # a quote at one end
        '"a"b"', '"a""b"', 'a "b c"', '"a" b', '"a" "b', '"a" "b\\"',
        '"' + "a" * 200 + '" "b" c" "' + "d" * 100 + '"',
    ],
)  # fmt: skip
def test_what_clients_may_not_write_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('"a\\"', "quotes do not pair off"),
        ('"\\"', "quotes do not pair off"),
        ('"""', "quotes do not pair off"),
        # In a master file the rest would be a comment, or brackets around lines.
        ('"";lost""', "quotes do not pair off"),
        ('""(a""', "quotes do not pair off"),
        ('""a)""', "quotes do not pair off"),
        ("\\300", "three digits up to 255"),
        ("\\06", "three digits up to 255"),
        ('"a\\1"', "three digits up to 255"),
        ('"\x00"', "control character"),
        ('"a\rb"', "control character"),
        ("a\x7f", "control character"),
    ],
)
def test_what_dns_cannot_hold_is_refused_with_the_reason(refusal, text, reason):
    assert reason in refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", strings(b"")),
        ('""', strings(b"")),
        ("a", strings(b"a")),
        ('"a b"', strings(b"a b")),
        ('"a\tb"', strings(b"a\tb")),
        ('"a" "b"', strings(b"a", b"b")),
        ('"a"\t "" "b c"', strings(b"a", b"", b"b c")),
        ('("a"\n "b")', strings(b"a", b"b")),
        ('" a "', strings(b" a ")),
    ],
)
def test_quotes_hold_a_string_together(wire, text, expected):
    assert wire(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"', b'"'),
        ('a"b', b'a"b'),
        ('a\\"b', b'a"b'),
        ('a\\\\"b', b'a\\"b'),
        ("v=DMARC1;p=none", b"v=DMARC1;p=none"),
        (";", b";"),
        ("(a)", b"(a)"),
        ("\\#", b"#"),
        ("@", b"@"),
        ("$ORIGIN", b"$ORIGIN"),
        ('a\\"', b'a"'),
        ("v=spf1 mx -all", b"v=spf1 mx -all"),
        ("a  b\tc", b"a  b\tc"),
        ("a\u00a0b", b"a\xc2\xa0b"),
        ("\\# 1", b"# 1"),  # no text of an unknown type: it has no data
    ],
)
def test_without_quotes_nothing_is_syntax_but_the_backslash(wire, text, expected):
    assert wire(text) == strings(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a\\"b"', b'a"b'),
        ('"a\\\\"', b"a\\"),
        ('"\\ "', b" "),
        ('"\\;"', b";"),
        ("\\065\\255\\000", b"A\xff\x00"),
        ('"\\010"', b"\n"),
        ("\\a", b"a"),
    ],
)
def test_rfc1035_s5_1_escapes(wire, text, expected):
    assert wire(text) == strings(expected)


def test_what_is_not_ascii_becomes_utf8(wire):
    assert wire("\u00e9\u4e2d\U0001f600") == strings(b"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80")


@pytest.mark.parametrize("size", [253, 254, 255])
def test_a_string_has_at_most_255_bytes(wire, size):
    assert wire("a" * size) == strings(b"a" * size)
    assert wire('"' + "a" * size + '"') == strings(b"a" * size)
    assert wire('"' + "a" * size + '" "b"') == strings(b"a" * size, b"b")


def test_a_longer_string_is_split(wire):
    text = "v=DKIM1; k=rsa; p=" + "a" * 600
    parts = strings(text[:255].encode(), text[255:510].encode(), text[510:].encode())

    assert wire(text) == wire(f'"{text}"') == parts
    assert wire(f'"{text}" "b c"') == parts + strings(b"b c")
    assert wire("\u00e9" * 128) == strings(b"\xc3\xa9" * 127 + b"\xc3", b"\xa9")


@pytest.mark.parametrize("opening", ["", '"'])
@pytest.mark.parametrize("closing", ["", '"'])
def test_several_strings_are_parted_by_quote_space_quote(wire, opening, closing):
    text = opening + "a" * 253 + '" "b c" "' + "d" * 253 + closing

    assert wire(text) == strings(b"a" * 253, b"b c", b"d" * 253)


def test_surrogates_are_refused():
    with pytest.raises(errors.InvalidObject) as caught:
        rrtypes.rdata(RTYPE, "a.", ['"\ud800"'])

    assert caught.value.errors[0].message == (
        "'\"\\ud800\"' is not a 'TXT' Record: it is not sound Unicode text"
    )
