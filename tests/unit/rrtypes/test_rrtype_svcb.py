"""SVCB (RFC 9460, RFC 9461): its differences from HTTPS."""

import pytest

RTYPE = "SVCB"
DNS_OWNERS = ["_dns.example.com.", "_8443._dns.example.com.", "a._DNS.b."]


@pytest.mark.parametrize(
    "text",
    [
        "1 a. dohpath=", "1 a. dohpath", "1 a. dohpath=/", "1 a. dohpath={?dns}", "1 a. dohpath=/q?dns",
        "1 a. dohpath=/{?dnsx}", '1 a. dohpath="/q"', "1 a. key7=/q", "1 a. alpn=x", '1 a. alpn="x"',
    ],
)  # fmt: skip
def test_what_clients_may_not_write_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    "template",
    [
        "/{?dns}{", "/{{?dns}", "/{?dns}}", "/{}{?dns}", "/%zz{?dns}", "/%a{?dns}", "/<>{?dns}",
        "/\\\\{?dns}", "/{a:0}{?dns}", "/{a,}{?dns}", "/{a..b}{?dns}", "/{=a}{?dns}", "/`{?dns}",
        "/\x80{?dns}",
    ],
)  # fmt: skip
def test_rfc6570_what_is_no_template_is_refused_with_the_reason(refusal, template):
    assert refusal(f"1 a. dohpath={template}") == ": dohpath is not a URI template (RFC 6570)"
    assert refusal(f'1 a. key7="{template}"') == ": dohpath is not a URI template (RFC 6570)"


@pytest.mark.parametrize(
    "template",
    [
        "/{?dns}", "/dns-query{?dns}", "/{x}/{+a,b:3,c*}{?dns}", "/%20;,(){?dns}", "/\u00e9{?dns}",
        "/{a.b}{/c}{#d}{;e}{&f}{.g}{?dns}", "/" + "a" * 300 + "{?dns}",
        "/{?dns,x}", "/{dns}",
    ],
)  # fmt: skip
def test_rfc9461_s5_dohpath(wire, template):
    value = template.encode()
    expected = b"\x00\x01\x01a\x00\x00\x07" + len(value).to_bytes(2) + value

    assert wire(f"1 a. dohpath={template}") == expected
    assert wire(f'1 a. dohpath="{template}"') == expected
    assert wire(f'1 a. key7="{template}"') == expected


@pytest.mark.parametrize("owner", DNS_OWNERS)
@pytest.mark.parametrize(
    "text", ["1 a.", "1 a. port=1", "1 a. alpn=h2", "1 a. alpn=h3", "1 a. alpn=http/1.1,h2"]
)
def test_rfc9461_dns_servers_name_protocols_and_paths(refusal, text, owner):
    assert refusal(text, owner)


@pytest.mark.parametrize("owner", DNS_OWNERS)
@pytest.mark.parametrize("text", ["1 a. alpn=http/1.1", "1 a. alpn=h2 dohpath=/{?dns}"])
def test_rfc9461_dns_servers(wire, text, owner):
    assert wire(text, owner).startswith(b"\x00\x01\x01a\x00\x00\x01")
    assert wire("0 a.", owner) == b"\x00\x00\x01a\x00"  # AliasMode has no parameters


@pytest.mark.parametrize("owner", ["dns.example.com.", "x_dns.example.com.", "_dnsx.example.com."])
def test_other_owners_have_no_compulsory_parameters(wire, owner):
    assert wire("1 a.", owner) == b"\x00\x01\x01a\x00"
