"""TLSA (RFC 6698)."""

import pytest

from designate import rrtypes
from designate.errors import BadRequest, InvalidObject

RTYPE = "TLSA"
SHA256 = "0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6"
SHA512 = SHA256 * 2


@pytest.mark.parametrize(
    "text",
    [
        "", "3 1 1", "()", f"256 1 1 {SHA256}", f"3 256 1 {SHA256}", "3 1 256 ab", f"-1 1 1 {SHA256}",
        f"3 1 1 {SHA256[:-2]}", f"3 1 1 {SHA256}00", f"3 1 1 {SHA512}", f"3 1 2 {SHA256}",
        f"3 1 2 {SHA512}00", f"3 1 01 {SHA256}00", "3 1 0 abc", "3 1 0 ab c", "3 1 0 xy", "3 1 0 0xab",
        '3 1 0 "ab"', "3 1 0 ab;cd", "3 1 0 ab\u00a0cd", "3 1 0 \uff11\uff11", "3 1 0 ab\x00",
        "x 1 0 ab", "3 1 0 (ab ; cd)",
    ],
)  # fmt: skip
def test_what_clients_may_not_write_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"3 1 1 {SHA256}", "030101" + SHA256),
        (f"3 1 1 {SHA256.upper()}", "030101" + SHA256),
        (f"3 1 2 {SHA512}", "030102" + SHA512),
        (f"3 1 1 {SHA256[:10]} {SHA256[10:]}", "030101" + SHA256),
        (f"(3 1\r\n\t1 {SHA256[:11]}\n{SHA256[11:]} )", "030101" + SHA256),
        (f" 3 1 1 {SHA256}\n", "030101" + SHA256),
        ("255 255 255 ab", "ffffffab"),
        ("00 001 0 ab", "000100ab"),
    ],
)
def test_white_space_and_brackets_only_part_the_data(wire, text, expected):
    assert wire(text).hex() == expected


def test_the_longest_data(wire):
    assert len(wire("3 1 0 " + "ab" * 32767)) == 3 + 32767


@pytest.mark.parametrize(
    "name",
    [
        "example.com.", "_443.example.com.", "_tcp._443.example.com.", "443._tcp.example.com.",
        "_443.tcp.example.com.", "_65536._tcp.example.com.", "_000443._tcp.example.com.",
        "_443._tcp4.example.com.", "_443._t-p.example.com.", "_x._tcp.example.com.", "_443._tcp.",
        "*.tcp.example.com.", "*.example.com.", "*._443._tcp.example.com.", "*._tcp.", "x_dane.a.",
        "_._tcp.example.com.", "a._443._tcp.example.com.",
    ],
)  # fmt: skip
def test_owner_without_port_and_protocol_is_a_bad_request(owner_refusal, name):
    error = owner_refusal(name)

    assert type(error) is BadRequest
    assert error.type == "bad_request"
    assert "_443._tcp" in error.message


def test_owner_that_is_no_name_is_an_invalid_object(owner_refusal):
    assert type(owner_refusal("_443._tcp.example.com")) is InvalidObject


@pytest.mark.parametrize(
    "name",
    [
        "_443._tcp.a.",
        "_0._udp.a.b.",
        "_65535._SCTP.a.",
        "_00443._tcp.a.",
        "_1._tcp._a.",
        "*._tcp.example.com.",
        "tlsa201._dane.example.com.",
        "_dane.a.",  # RFC 7671 section 7
    ],
)
def test_owner_with_port_and_protocol(name):
    rrtypes.check_owner(RTYPE, name)
