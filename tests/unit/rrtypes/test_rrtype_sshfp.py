"""SSHFP (RFC 4255, RFC 6594)."""

import re

import pytest

RTYPE = "SSHFP"
SHA1 = "123456789abcdef67890123456789abcdef67890"
SHA256 = "aB" * 32


@pytest.mark.parametrize(
    "text",
    [
        "", "2 1", f"256 1 {SHA1}", f"2 256 {SHA1}", f"-1 1 {SHA1}", f"-0 1 {SHA1}", f"2 -0 {SHA1}",
        f"2 -1 {SHA1}", f" 2 1 {SHA1}", f"2 1 {SHA1} ", "2 3", f"2 1 {SHA1[:-2]}",
        "2 0 123456789", f"2 0 {SHA1}1", "2 0 " + "a" * 63, "2 0 " + "a" * 65, f"2 1 {SHA1[:-1]}g",
        f"2 1 {SHA1}\n", "2 0 0x12345678",
    ],
)  # fmt: skip
def test_other_than_two_numbers_and_a_fingerprint_is_refused(refusal, text):
    assert refusal(text)


@pytest.mark.parametrize(
    "text", ["2 0 12345678901", "2 1 1234567890", f"2 1 {SHA256}", f"4 2 {SHA1}"]
)
def test_a_digest_of_the_wrong_length_is_refused_with_the_reason(refusal, text):
    assert re.search("[Oo]dd|digits|length", refusal(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"2 1 {SHA1}", "0201" + SHA1),
        (f"4 2 {SHA256}", "0402" + "ab" * 32),
        ("0 0 1234567890", "00001234567890"),
        (f"6 2 {SHA256}", "0602" + "ab" * 32),  # RFC 8709 section 7
        (f"255 255 {SHA1}", "ffff" + SHA1),
        (f"02  01 ({SHA1[:20]}\n {SHA1[20:]})", "0201" + SHA1),
    ],
)
def test_data_is_two_octets_and_the_fingerprint(wire, text, expected):
    assert wire(text).hex() == expected
