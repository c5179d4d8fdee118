"""wire.names: comparison, relative owners, serial arithmetic."""

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designate.wire import names

SERIALS = st.integers(0, 2**32 - 1)


def test_suffixes_run_from_the_name_to_its_last_label():
    assert list(names.suffixes("a.b.c.")) == ["a.b.c.", "b.c.", "c."]


@pytest.mark.parametrize(
    ("name", "zone", "expected"),
    [
        ("example.com.", "example.com.", True),
        ("WWW.Example.com.", "example.COM.", True),
        ("badexample.com.", "example.com.", False),
        ("com.", "example.com.", False),
    ],
)
def test_is_below_compares_whole_labels_ignoring_case(name, zone, expected):
    assert names.is_below(name, zone) is expected


def test_relative_owner_of_the_apex_is_the_bare_pointer():
    assert names.relative_owner("Example.com.", "example.com.") == b"\xc0\x0c"


def test_relative_owner_keeps_the_spelling_below_the_apex():
    assert names.relative_owner("*.Sub.example.com.", "example.com.") == b"\x01*\x03Sub\xc0\x0c"


def test_relative_owner_refuses_a_name_of_another_zone():
    with pytest.raises(ValueError, match="is not in"):
        names.relative_owner("www.example.org.", "example.com.")


@pytest.mark.parametrize("text", ["a" * 64 + ".com.", "a..b.", "x" * 300 + ".", None])
def test_to_wire_refuses_what_has_no_wire_form(text):
    with pytest.raises(ValueError, match="is not a domain name"):
        names.to_wire(text)


def test_to_wire_agrees_with_dnspython():
    assert names.to_wire("www.example.com.") == dns.name.from_text("www.example.com.").to_wire()


def test_rfc1982_s3_2_comparison_wraps():
    assert names.serial_gt(5, 2**32 - 5)
    assert not names.serial_gt(2**32 - 5, 5)
    assert not names.serial_gt(0, 2**31)
    assert not names.serial_gt(2**31, 0)


@given(serial=SERIALS, now=st.integers(0, 2**33))
def test_next_serial_is_always_newer_and_never_zero(serial, now):
    following = names.next_serial(serial, now)

    assert names.serial_gt(following, serial)
    assert 0 < following < 2**32


def test_next_serial_is_the_time_when_that_is_newer():
    assert names.next_serial(1_700_000_000, 1_800_000_000) == 1_800_000_000


def test_next_serial_is_newer_where_0_would_be_and_1_is_not():
    assert names.next_serial(2**31 + 1, 0) == 2**31 + 2


def test_next_serial_of_a_date_style_serial_counts_on():
    assert names.next_serial(2026112301, 1_795_406_393) == 2026112302
