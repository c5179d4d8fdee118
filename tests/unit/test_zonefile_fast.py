"""The fast path for zone files, compared with dnspython's reader."""

from __future__ import annotations

import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designate import domain_names
from designate.wire import zonefile, zonefile_fast

SOA = "@ IN SOA ns.example.net. host.example.com. 1 3600 600 86400 300\n"
LABELS = st.sampled_from(["a", "B", "b", "*", "_x", "IN", "A", "300", "x-1", "l" * 63, "l" * 64])
NAMES = st.builds(
    lambda labels, end: ".".join(labels) + end,
    st.lists(LABELS, min_size=1, max_size=4),
    st.sampled_from(["", "", ".example.org.", ".example.net.", ".", "..", "\\046b", "@"]),
)
OWNERS = st.one_of(NAMES, st.sampled_from(["@", "", " "]))
DATA = st.one_of(
    st.tuples(
        st.just("A"),
        st.sampled_from(["192.0.2.1", "192.0.2.256", "1.2.3", "01.2.3.4", "192.0.2.1 ; c", "(1.2.3.4)"]),
    ),
    st.tuples(st.just("AAAA"), st.sampled_from(["2001:DB8::1", "::", "::ffff:1.2.3.4", "2001::1::2"])),
    st.tuples(st.sampled_from(["CNAME", "NS", "PTR"]), NAMES),
    st.tuples(
        st.just("MX"),
        st.builds("{}{}{}".format, st.sampled_from(["10", "007", "70000", "x"]),
                  st.sampled_from([" ", "\t", "  "]), NAMES),
    ),
    st.tuples(
        st.just("TXT"),
        st.sampled_from(['"a"', '""', '"a b;c"', '"a" "b"', "a", 'a b', '"\\"', '"\\""', '"(a"', '"é"',
                         '"' + "x" * 255 + '"', '"' + "x" * 256 + '"', '"a" ; c', '(\n"a"\n)']),
    ),
    st.tuples(st.just("SRV"), st.just("0 0 80 a")),
)  # fmt: skip
LINES = st.one_of(
    st.builds(
        lambda owner, ttl, class_, data, end: f"{owner} {ttl}{class_}{data[0]} {data[1]}{end}",
        OWNERS,
        st.sampled_from(["", "", "60 ", "1h ", "0 ", "999999999 ", "9999999999 "]),
        st.sampled_from(["", "IN ", "in ", "CH "]),
        DATA,
        st.sampled_from(["\n", "\n", " \n", "\n\n", "\r\n"]),
    ),
    st.sampled_from(
        ["$TTL 77\n", "$ORIGIN sub\n", "$ORIGIN example.org.\n", "$ORIGIN example.net.\n", "; x\n",
         "(\n", ")\n", "\n"]
    ),
)  # fmt: skip


def expected(text):
    """Map (name, type) to (first TTL, texts) by dnspython's own zone; None: the file is rejected."""
    try:
        zone = dns.zone.from_text(
            text, origin=None, relativize=False, check_origin=False, allow_include=False
        )
    except Exception:
        return None
    found = {}
    for name, rdataset in zone.iterate_rdatasets():
        if rdataset.rdtype != dns.rdatatype.SOA and rdataset.rdtype != dns.rdatatype.NS:
            key = (domain_names.text(name.labels).lower(), dns.rdatatype.to_text(rdataset.rdtype))
            found[key] = {rdata.to_text() for rdata in rdataset}
    return found


def read(text):
    try:
        file = zonefile.parse(text)
    except zonefile.InvalidZonefile:
        return None
    return {
        (rrset.name.lower(), rrset.type): set(rrset.texts)
        for rrset in file.rrsets
        if rrset.type != "NS"
    }


@given(st.lists(LINES, max_size=12))
def test_what_is_read_is_what_dnspython_reads(lines):
    text = "$ORIGIN example.org.\n$TTL 300\n" + SOA + "".join(lines)
    want = expected(text)

    # Central checks CNAMEs beside other data; dnspython's zone drops one of them.
    if want is None or "CNAME" in text:
        assert zone_or_faults(text)
    else:
        assert read(text) == want


def zone_or_faults(text):
    """Return whether a file is parsed; if not, each error must have a line."""
    try:
        return bool(zonefile.parse(text))
    except zonefile.MissingSoa:
        return True
    except zonefile.InvalidZonefile as fault:
        return all(part.startswith("line ") for part in str(fault.message).split("; line")[:1])


# Valid lines only: after one error there would be nothing to compare.
SOUND_NAMES = st.sampled_from(
    ["a", "B.c", "*", "IN", "x.example.org.", "example.org.", "Y.EXAMPLE.org."]
)
SOUND_DATA = st.one_of(
    st.sampled_from([("A", "192.0.2.1"), ("A", "192.0.2.2 ; c"), ("AAAA", "2001:DB8::1"), ("TXT", "a b"),
                     ("TXT", '"a;b"'), ("TXT", '("a"\n"b")'), ("SRV", "0 0 80 a")]),
    st.tuples(st.sampled_from(["NS", "PTR"]), SOUND_NAMES),
    st.tuples(st.just("MX"), st.builds("{} {}".format, st.sampled_from(["10", "007"]), SOUND_NAMES)),
)  # fmt: skip
SOUND_LINES = st.one_of(
    st.builds(
        lambda owner, ttl, class_, data: f"{owner} {ttl}{class_}{data[0]} {data[1]}\n",
        st.one_of(SOUND_NAMES, st.sampled_from(["", "@", "s\\065"])),
        st.sampled_from(["", "60 ", "1h "]),
        st.sampled_from(["", "IN "]),
        SOUND_DATA,
    ),
    st.sampled_from(["$TTL 77\n", "$ORIGIN sub.example.org.\n", "$ORIGIN example.net.\n", "\n"]),
)


@given(st.sampled_from(["$TTL 300\n", ""]), st.lists(SOUND_LINES))
def test_skimming_sound_lines_changes_nothing(ttl, lines):
    text = f"$ORIGIN example.org.\n{ttl}{SOA.replace('@', '@ 900', 1)}" + "".join(lines)
    found = outcome(text, zonefile_fast.FastZonefileReader)

    assert isinstance(found, zonefile.ZoneFile), found
    assert found == outcome(text, Idle)


@given(st.sampled_from(["$TTL 300\n", ""]), st.lists(LINES, max_size=12))
def test_skimming_changes_nothing(ttl, lines):
    text = f"$ORIGIN example.org.\n{ttl}{SOA.replace('@', '@ 900', 1)}" + "".join(lines)

    assert outcome(text, zonefile_fast.FastZonefileReader) == outcome(text, Idle)


class Idle(zonefile_fast.FastZonefileReader):
    """Leaves all lines to dnspython."""

    def line(self, _line, _number):
        return False


def outcome(text, fast_reader):
    try:
        return zonefile.parse(text, fast_reader=fast_reader)
    except zonefile.InvalidZonefile as fault:
        return type(fault), fault.message


def test_big_files_are_skimmed():
    """Plain lines do not reach the tokenizer, so they are fast."""
    lines = [f"h{number} 60 IN A 192.0.2.{number % 250}\n" for number in range(500)]
    taken = []

    class Counting(zonefile_fast.FastZonefileReader):
        def line(self, line, number):
            taken.append(super().line(line, number))
            return taken[-1]

    text = "$ORIGIN example.org.\n" + SOA.replace("@ IN", "@ 60 IN") + "".join(lines)
    zonefile.parse(text, fast_reader=Counting)

    assert taken.count(True) == 500
    assert taken.count(False) <= 4


def test_many_records_of_one_name_cost_no_comparison_of_each_with_each():
    """Reading 20,000 errors takes one call of the reader per line."""
    lines = [f'x IN TXT "{number}"\n' for number in range(20_000)]
    file = zonefile.parse("$ORIGIN example.org.\n$TTL 300\n" + SOA + "".join(lines))

    assert len(file.rrsets[0].records) == 20_000
    assert isinstance(file.rrsets[0].records, dict)


@pytest.mark.parametrize(
    "line", ["b IN TXT (two)\n", " IN MX 10 a\n", "b IN A 192.0.2.2\n", "b IN A 192.0.2.3 ; c\n"]
)
def test_what_follows_a_skimmed_line_has_its_ttl_and_owner_where_it_has_none(line):
    """Omitted values are the last stated ones (RFC 1035 section 5.1)."""
    text = f"$ORIGIN example.org.\n{SOA.replace('@', '@ 900', 1)}a 60 IN A 192.0.2.1\n{line}"

    assert outcome(text, zonefile_fast.FastZonefileReader) == outcome(text, Idle)
    assert [rrset.ttl for rrset in zonefile.parse(text).rrsets] == [60, 60]
