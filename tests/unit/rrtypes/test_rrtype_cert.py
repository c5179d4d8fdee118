"""CERT (RFC 4398)."""

import base64

import pytest

RTYPE = "CERT"


@pytest.mark.parametrize(
    "text",
    [
        "", "PKIX 1 8", "PKIX 1 8 ", "pkix 1 8 AAAA", "X509 1 8 AAAA", "65536 1 8 AAAA", "-1 1 8 AAAA",
        "PKIX 65536 8 AAAA", "PKIX x 8 AAAA", "PKIX 1 256 AAAA", " PKIX 1 8 AAAA", "PKIX 1 8 AAAA ",
        "PKIX 1 8 AA\nAA", "PKIX 1 8 AAA", "PKIX 1 8 AA=", "PKIX 1 8 A", "PKIX 1 8 AA\u00e9A",
        "PKIX 1 8 AAAA\n",
    ],
)  # fmt: skip
def test_what_clients_may_not_write_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("DPKIX 1 8 AAAA", "no number"),
        ("DPTR 1 8 AAAA", "no number"),
        ("PKIX 1 8 !!", "empty"),
        (f"PKIX 1 8 {base64.b64encode(bytes(65000)).decode()}", "fit into a DNS message"),
    ],
)
def test_what_dns_cannot_hold_is_refused_with_the_reason(refusal, text, reason):
    assert reason in refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PKIX 1 RSASHA256 AQID", "0001000108010203"),
        ("65535 65535 255 AQ==", "ffffffffff01"),
        ("IACPKIX 0 ED448 AQID", "0008000010010203"),
        ("URI 00 0 AQID", "00fd000000010203"),
        ("OID 1 RSAMD5 AQID", "00fe000101010203"),
        ("PKIX 1 4 A Q I D", "0001000104010203"),
        ("PKIX 1 4 AQ;I(D", "0001000104010203"),
        ("PKIX  1\t8  AQID", "0001000108010203"),
        ("PKIX 1 RSASHA256 (\n  AQ\n  ID )", "0001000108010203"),
    ],
)
def test_mnemonics_numbers_and_lenient_base64(wire, text, expected):
    assert wire(text).hex() == expected


def test_a_large_certificate_fits(wire):
    data = bytes(range(256)) * 200

    assert wire(f"PKIX 1 8 {base64.b64encode(data).decode()}") == b"\x00\x01\x00\x01\x08" + data
