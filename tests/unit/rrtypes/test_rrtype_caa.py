"""CAA (RFC 8659)."""

import pytest

from designate import errors, rrtypes

RTYPE = "CAA"


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "0 ", "issue ca.a", "256 issue ca.a", "-0 issue a", " 0 issue ca.a", "0 issue ca.a ",
        "0 issue ", '0 issue "', '0 issue "ca.a', '0 issue ca.a"', '0 issue "ca.a" x', "0 issue ca.a.",
        "0 issue *.a", "0 issue ca..a", "0 issue-x a", "0 is_sue a", "0 issue ca.a; a", "0 issue ca.a; =b",
        "0 issue ca.a; a=b;", "0 issue ca_.a ", "0 issue ca.a; a=b c=d", "0 issue b\u00fc.a",
        "0 issue ca.a\n",
        "0 issuewild *.a", "0 issuemail a b", '0 ISSUE "*.a"', "0 issue ca.a\\",
        "0 iodef ca.a", "0 iodef mailto:", "0 iodef mailto:@a", "0 iodef mailto:a", "0 iodef mailto:a@",
        "0 iodef mailto:a@b@c", "0 iodef http:///x", "0 iodef ftp://a/", "0 iodef http://",
        '0 iodef http://a/"', "0 iodef http://a/\\", "0 iodef http://a/b c", "0 iodef http://a/\u00e9",
        "0 iodef http://a/\x7f", "0 iodef mailto:a@b\n",
    ],
)  # fmt: skip
def test_what_clients_may_not_write_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize("tag", ["issue", "issuewild", "iodef"])
def test_a_tag_without_value_has_a_message_of_its_own(tag):
    with pytest.raises(errors.InvalidObject) as caught:
        rrtypes.rdata(RTYPE, "a.", [f"0 {tag}"])

    assert caught.value.message == f"CAA record '0 {tag}' has a tag without a value"
    assert caught.value.errors == ()


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("issue", "letsencrypt.org"),
        ("issue", "ca"),
        ("issuewild", "ca.a; policy=ev; x=1"),
        ("iodef", "mailto:security@example.com"),
        ("iodef", "mailto:a_b-c+tag@b"),
        ("iodef", "http://a/"),
        ("iodef", "https://a.b/c;d?e=(f)#g"),
        ("iodef", "mailto:a.b@c"),
        ("iodef", "https://a:8443"),
        ("issue", ";"),
        ("issue", "ca.a;"),
        ("issue", "ca.a;a=b"),
        ("issue", "; policy=ev"),
        (
            "issue",
            "letsencrypt.org; accounturi=https://a.b/acct/1; validationmethods=dns-01,http-01",
        ),
        ("issuemail", "ca.a; account=1-2"),  # RFC 9495
        ("Issue", "ca.a"),
        ("contactemail", "a@b"),
        ("contactphone", "+1 555"),
    ],
)
@pytest.mark.parametrize("flags", [0, 1, 128, 255])
def test_data_is_flags_tag_and_the_whole_value(wire, flags, tag, value):
    expected = bytes([flags, len(tag)]) + tag.encode() + value.encode()

    assert wire(f"{flags} {tag} {value}") == expected
    assert wire(f'{flags} {tag} "{value}"') == expected
    assert wire(f'{flags}  {tag}\t"{value}"') == expected


def test_rfc8659_s4_1_1_an_empty_value_permits_no_issuer(wire):
    assert wire('0 issue ""') == b"\x00\x05issue"
