"""HTTPS (RFC 9460); what it shares with SVCB is tested here."""

import pytest

RTYPE = "HTTPS"
ECH = "AAQBAgME"  # a configuration list of four bytes


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "1 ", "a.", "1 a", "65536 a.", "-1 a.", " 1 a.", "1 a. ", "1 a.\n", "1 b_\u00fc.",
        "1 a. alpn", "1 a. alpn=", "1 a. alpn=h1", "1 a. alpn=h2,", '1 a. alpn="h2', "1 a. alpn=H2",
        "1 a. alpn=foo", '1 a. alpn="foo"', '1 a. alpn="h2,foo"', "1 a. key1=\\003foo",
        "1 a. alpn=h2 h3", "1 a. ALPN=h2", '1 a. alpn= "h2"', "1 a. alpn=h2 ; x",
        "1 a. no-default-alpn", "1 a. port=", "1 a. port=x", "1 a. port=-1", "1 a. port=foo",
        "1 a. port=100000", "1 a. port=\u0661", "1 a. ipv4hint=", "1 a. ipv4hint=1.2.3",
        "1 a. ipv4hint=1.2.3.4,", "1 a. ipv4hint=::1", "1 a. ipv6hint=1.2.3.4", "1 a. ipv6hint=::1,x",
        "1 a. ech=AAA", "1 a. ech=A", "1 a. ech=AA\\AA", "1 a. ech=\u00e9", "1 a. ech=foo//",
        "1 a. mandatory=alpn", "1 a. mandatory= port=1", "1 a. mandatory=port,alpn port=1",
        "1 a. key1=h2", "1 a. =x", "1 a. port", "1 a. x=y", "1 a. key65536=x", '1 a. port="1" port="2"',
        "1 a. ech=" + "A" * 252,
    ],
)  # fmt: skip
def test_what_clients_may_not_write_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 a. port=1", "AliasMode"),
        ("1 a. port=99999", "65535"),
        ("1 a. mandatory=mandatory", "mandatory key as mandatory"),
        ("1 a. mandatory=port,port port=1", "duplicate key"),
        ("1 a. no-default-alpn=x alpn=h2", "no-default-alpn with non-empty value"),
        ("1 a. ech=", "empty"),
        ("1 a. ech=!!", "empty"),
        ("1 a. ech=AA==", "ECHConfigList"),
    ],
)
def test_what_dns_cannot_hold_is_refused_with_the_reason(refusal, text, reason):
    assert reason in refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 a.", "0000 016100"),
        ("65535 a.", "ffff 016100"),
        ("01 a.", "0001 016100"),
        ("1 a. alpn=h2,http/1.1", "0001 016100 0001 000c 026832 08687474702f312e31"),
        ("1 a. alpn=h3 no-default-alpn", "0001 016100 0001 0003 026833 0002 0000"),
        ("1 a. no-default-alpn= alpn=h3", "0001 016100 0001 0003 026833 0002 0000"),
        ("1 a. port=00080", "0001 016100 0003 0002 0050"),
        ("1 a. ipv4hint=1.2.3.4,5.6.7.8", "0001 016100 0004 0008 01020304 05060708"),
        ("1 a. ipv6hint=::ffff:1.2.3.4", "0001 016100 0006 0010 00000000000000000000ffff01020304"),
        (f"1 a. ech={ECH}", "0001 016100 0005 0006 000401020304"),
        ("1 a. ech=AAQ-BAgME", "0001 016100 0005 0006 000401020304"),
        ("1 a. port=1 mandatory=port", "0001 016100 0000 0002 0003 0003 0002 0001"),
        ("1 a. port=1 port=2", "0001 016100 0003 0002 0002"),
        ("1 .", "0001 00"),
        ("1 b\u00fccher.", "0001 0d786e2d2d62636865722d6b766100"),
        ("1 . alpn=h2,h3", "0001 00 0001 0006 026832 026833"),
        ('1 . alpn="h2,h3"', "0001 00 0001 0006 026832 026833"),
        ("1  a.\tport=000080", "0001 016100 0003 0002 0050"),
        (f'1 a. ech="{ECH}"', "0001 016100 0005 0006 000401020304"),
        ('1 . (\n  alpn="h2"\n  port=53 )', "0001 00 0001 0003 026832 0003 0002 0035"),
        ("1 . alpn=dot,doq", "0001 00 0001 0008 03646f74 03646f71"),
        # RFC 9460 appendix D.2, figures 4 to 6
        (
            "1 foo.example.com. key667=hello",
            "0001 03666f6f076578616d706c6503636f6d00 029b 0005 68656c6c6f",
        ),
        (
            '1 foo.example.com. key667="hello\\210qoo"',
            "0001 03666f6f076578616d706c6503636f6d00 029b 0009 68656c6c6fd2716f6f",
        ),
        (
            '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
            "0001 03666f6f076578616d706c6503636f6d00 0006 0020"
            "20010db8000000000000000000000001 20010db8000000000000000000530001",
        ),
        ("1 . key9", "0001 00 0009 0000"),
    ],
)
def test_parameters_stand_in_the_order_of_their_keys_and_the_last_of_a_key_counts(
    wire, text, expected
):
    assert wire(text) == bytes.fromhex(expected)


def test_the_rules_of_dns_servers_do_not_apply(wire):
    assert wire("1 a.", owner="_dns.example.com.") == b"\x00\x01\x01a\x00"
