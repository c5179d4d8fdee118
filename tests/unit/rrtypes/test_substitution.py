"""rrtypes.naptr_regex: NAPTR's substitution expressions (RFC 3402 section 3.2).

That nameservers give the same verdict is tested in tests/conformance/test_rrtypes_bind.py.
"""

import pytest

from designate.rrtypes.naptr_regex import check_substitution, count_groups


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (b"0a0b0", "delimiter"),
        (b"iaibi", "delimiter"),
        (b"\\a\\b\\", "delimiter"),
        (b"\x00a\x00b\x00", "delimiter"),
        (b"!a\x00!b!", "zero byte"),
        (b"!a!b", "not made of"),
        (b"!a!b!c!", "not made of"),
        (b"!a!b!I", "not made of"),
        (b"!a!b\\!", "not made of"),
        (b"!a!\\1!", "group 1 of 0"),
        (b"!(a)!\\0!", "group 0 of 1"),
        (b"!!b!", "empty"),
    ],
)
def test_what_is_no_substitution_is_refused_with_the_reason(expression, reason):
    with pytest.raises(ValueError, match=reason):
        check_substitution(expression)


@pytest.mark.parametrize(
    "expression",
    [
        b"",
        b"!a!!",
        b"!^.*$!b!i",
        b"!(a)!\\1!",
        b"!a\\!b!c!",
        b"!a!\\\\0!",
        b"(a\\(b(c(",
        b"\xffa\xffb\xff",
    ],
)
def test_substitutions(expression):
    check_substitution(expression)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (b"", "empty"), (b"|a", "empty"), (b"a|", "empty"), (b"a||b", "empty"), (b"(a|)", "empty"),
        (b"(|a)", "empty"), (b"(", "empty"), (b"(a", "without end"),
        (b"*a", "repeats nothing"), (b"a**", "repeats nothing"), (b"^*", "repeats nothing"),
        (b"a{1}{2}", "repeats nothing"), (b"(+)", "repeats nothing"), (b"{1}", "repeats nothing"),
        (b"a{1", "unreadable"), (b"a{1,x}", "unreadable"), (b"a{2,1}", "rise"), (b"a{256}", "rise"),
        (b"a\\", "backslash"), (b"\\1(a)", "before it begins"), (b"(a)\\2", "before it begins"),
        (b"[", "without end"), (b"[]", "without end"), (b"[a-", "without end"),
        (b"[b-a]", "end comes before"), (b"[a-c-e]", "goes on"), (b"[a-[:alpha:]]", "class"),
        (b"[[:foo:]]", "unknown"), (b"[[:alpha]", "unreadable"), (b"[[.a]", "unreadable"),
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused_with_the_reason(pattern, reason):
    with pytest.raises(ValueError, match=reason):
        count_groups(pattern)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (b"a", 0), (b"^a+b?c*$", 0), (b"(a)(b|c)", 2), (b"((a))", 2), (b"()", 1), (b"()*", 1),
        (b"\\(a\\)", 0), (b"a)", 0), (b"[(]", 0), (b"[]()]", 0), (b"[^]]", 0), (b"(a)\\1", 1),
        (b"a{2}b{1,}c{0,255}", 0), (b"a{x", 0), (b"{", 0), (b"[[:alpha:]_-]", 0), (b"[[.-.]a-z]", 0),
        (b"[[=a=]]", 0), (b"[a\\]", 0), (b"\xc3\xa9", 0),
    ],
)  # fmt: skip
def test_groups_are_counted(pattern, expected):
    assert count_groups(pattern) == expected
