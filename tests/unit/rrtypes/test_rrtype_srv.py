"""SRV (RFC 2782)."""

import pytest

from designate import rrtypes

RTYPE = "SRV"


@pytest.mark.parametrize(
    "text",
    [
        "", "0 0 0", "0 0 0 a", "0 0 a.", "0 0 0 0 a.", " 0 0 0 a.",
        "0 0 0 a. ", "65536 0 0 a.", "0 65536 0 a.", "0 0 65536 a.", "-1 0 0 a.", "-0 0 0 a.",
        "+1 0 0 a.", "0 0 0 a.\n", "0x1 0 0 a.", "\u00b2 0 0 a.",
    ],
)  # fmt: skip
def test_other_than_three_numbers_and_a_domain_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 65535 5060 sip.a.", b"\x00\x00\xff\xff\x13\xc4\x03sip\x01a\x00"),
        ("00 010 000080 a.", b"\x00\x00\x00\x0a\x00\x50\x01a\x00"),
        ("0  0\t0 a.", b"\0\0\0\0\0\0\x01a\x00"),
        ("0 0 0 .", b"\0\0\0\0\0\0\0"),  # RFC 2782: the service is not available
    ],
)
def test_rfc2782_forms(wire, text, expected):
    assert wire(text) == expected


@pytest.mark.parametrize(
    "name",
    [
        "example.com.", "_sip.tcp.example.com.", "sip._tcp.example.com.", "_sip._tcp.",
        "x._sip._tcp.example.com.", "*.example.com.", "*._tcp.", "*.sip._tcp.example.com.",
    ],
)  # fmt: skip
def test_owner_without_service_and_protocol_is_refused(owner_refusal, name):
    error = owner_refusal(name)

    assert (error.type, error.errors) == ("invalid_object", ())
    assert (
        error.message == "name is invalid: it begins with service and protocol, such as _sip._tcp"
    )


@pytest.mark.parametrize(
    "name",
    [
        "_sip._tcp.example.com.",
        "_a._b.c.",
        "_a._b._c.d.",
        "_1-2._b.c.",
        "*._tcp.example.com.",
        "*._sip._tcp.example.com.",
    ],
)
def test_owner_with_service_and_protocol(name):
    rrtypes.check_owner(RTYPE, name)
