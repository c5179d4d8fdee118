"""Reading of zone files: faults and their lines, what ends an entry, and how long anything may take."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designate.wire import zonefile, zonefile_entries
from tests.support.deadlines import scaled

SOA = "@ IN SOA ns.example.net. host.example.com. 1 3600 600 86400 300\n"
HEAD = f"$ORIGIN example.org.\n$TTL 300\n{SOA}"


def faults(text):
    """Return the faults of a file as (line, reason)."""
    with pytest.raises(zonefile.InvalidZonefile) as found:
        zonefile.parse(text)
    return [tuple(fault) for fault in found.value.faults]


def records(text):
    """Return (name, type, TTL, texts) of a file's RRsets."""
    return [(one.name, one.type, one.ttl, one.texts) for one in zonefile.parse(text).rrsets]


def test_every_fault_has_its_line_and_reading_continues_behind_it():
    found = faults(
        HEAD + "a IN A 192.0.2.1\nb IN A 192.0.2.999\n"
        "c IN NOTYPE x\nd IN A 192.0.2.2\ne IN MX ten mx\n"
        'g IN TXT "open\nh IN MX (\n  10 mx\n  more )\ni IN A\nf IN TXT ("a"\n'
    )

    assert [line for line, _ in found] == [5, 6, 8, 9, 12, 13, 14]
    assert found[1][1] == "unknown rdatatype 'NOTYPE'"
    assert found[3][1] == "a quoted string has no end"
    assert found[6][1] == "a group in parentheses has no end"


def test_no_more_faults_are_gathered_than_are_shown():
    assert len(faults(HEAD + "x IN A nonsense\n" * 1000)) == zonefile.MAX_FAULTS == 100


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("www 2147483648 IN A 192.0.2.1", "its TTL 2147483648 is above 2147483647"),
        ("www 4294967296 IN A 192.0.2.1", "4294967296 is neither a TTL up to 2147483647 nor a record type"),
        ("$TTL 4294967295", "the TTL is above 2147483647"),
        ("www IN A\f192.0.2.1", "it has the control character \\012"),
        ("w\0w IN A 192.0.2.1", "it has the control character \\000"),
        ("@ IN SOA ns. host. 2 3 4 5 6", "there is another SOA record in line 3"),
        ("www IN OPT \\# 0", "OPT is not a type of records in a zone"),
        ("www CH A 192.0.2.1", "RR class is not zone's class"),
        ("$INCLUDE /etc/passwd", "zone file directive '$INCLUDE' is not allowed"),
        ("www IN A \u202e1", "Text input is malformed."),
    ],
)  # fmt: skip
def test_a_fault_is_explained_once_in_printable_words(line, reason):
    assert faults(f"{HEAD}{line}\nx IN A 192.0.2.1\n") == [(4, reason)]


@pytest.mark.parametrize("field", range(4))
def test_soa_times_have_the_range_of_ttls(field):
    times = ["3600", "600", "86400", "300"]
    times[field] = "2147483648"
    text = f"$ORIGIN example.org.\n@ 60 IN SOA ns. host. (\n 1\n {' '.join(times)} )\n"
    (fault,) = faults(text + "www IN A 192.0.2.1\n")
    name = ("refresh", "retry", "expire", "minimum")[field]

    assert fault == (2 + 2, f"the SOA's {name} is above 2147483647")


def test_page_breaks_byte_order_marks_and_line_ends_of_windows_are_no_content():
    text = (
        "\ufeff" + HEAD.replace("\n", "\r\n") + "\f\r\n; \f comment\r\nwww IN TXT (\r\n a ) ; b\r\n"
    )

    assert records(text) == [("www.example.org.", "TXT", 300, ('"a"',))]
    assert faults(text + "x IN A y\r\n")[0][0] == 8


def test_dumps_of_bind_begin_at_the_root():
    text = (
        "$ORIGIN .\n$TTL 300\t; 5 minutes\n"
        "example.org\t\tIN SOA\tns.example.net. host.example.com. (\n\t\t1 ; serial\n\t\t2 3 4 5\n\t\t)\n"
        "\t\t\tNS\tns.example.net.\n$ORIGIN example.org.\n$TTL 0\nwww\t\t\tA\t192.0.2.1\n"
    )
    found = zonefile.parse(text)

    assert (found.origin, found.soa_line) == ("example.org.", 3)
    assert records(text) == [("www.example.org.", "A", 0, ("192.0.2.1",))]


def test_dumps_of_nsd_begin_at_the_name_above():
    text = (
        "$ORIGIN org.\nexample\t60\tIN\tSOA\tns. host. (\n\t\t1 2 3 4 5 )\n\t60\tIN\tNS\tns.example.\n"
        "$ORIGIN example.org.\na\t1\tIN\tA\t192.0.2.1\n\t1\tIN\tA\t192.0.2.2\n"
    )

    assert zonefile.parse(text).origin == "example.org."
    assert records(text) == [("a.example.org.", "A", 1, ("192.0.2.1", "192.0.2.2"))]


def test_an_soa_of_another_name_than_the_origin_is_a_fault():
    text = HEAD.replace("@ IN SOA", "a.b IN SOA")

    assert faults(text) == [(3, "the SOA is not that of the file's $ORIGIN example.org.")]


def test_records_outside_the_zone_are_counted_with_their_lines():
    text = HEAD + (
        "www IN A 192.0.2.1\nwww.example.net. IN A 192.0.2.1\n"
        "a\\.example.org. IN TXT x\na\\..example.org. IN TXT y\n"
        "badexample.org. IN NS ns\nbadexample.org. IN NS ns2\nbadexample.org. IN A malformed\n"
    )
    found = zonefile.parse(text)

    assert [rrset.name for rrset in found.rrsets] == ["www.example.org.", "a\\046.example.org."]
    assert found.skipped_count == 5
    assert [fault.line for fault in found.skipped] == [5, 6, 8, 9, 10]
    assert "www.example.net. is outside the zone example.org." in found.skipped[0].reason


def test_data_that_differs_by_the_case_of_names_is_one_record():
    found = zonefile.parse(
        HEAD + "x MX 10 Mail\nx MX 10 mail\nx IN MX (10 MAIL)\nY PTR A.b.\ny PTR a.B.\n"
        "z TXT A\nz TXT a\ns SRV 0 0 1 Ns\ns SRV 0 0 1 nS\n"
    ).rrsets

    assert [rrset.texts for rrset in found] == [
        ("10 Mail.example.org.",), ("A.b.",), ('"A"', '"a"'), ("0 0 1 Ns.example.org.",),
    ]  # fmt: skip


def test_signatures_have_the_ttl_of_what_they_cover():
    signature = "13 2 1 20261231000000 20260101000000 1 example.org. AAAA"
    found = zonefile.parse(
        f"{HEAD}x 5 RRSIG A {signature}\nx 7 RRSIG TXT {signature}\nx 60 A 192.0.2.1\n"
        f"@ 1 RRSIG SOA {signature}\n"
    ).rrsets

    assert [rrset.covered_ttls for rrset in found if rrset.type == "RRSIG"] == [
        {1: 60, 16: 7}, {6: 300},
    ]  # fmt: skip


def test_a_type_by_number_is_its_name_and_generic_data_its_text():
    assert records(HEAD + "x TYPE1 \\# 4 c0000201\ny TYPE65400 \\# 2 00 01\n") == [
        ("x.example.org.", "A", 300, ("192.0.2.1",)),
        ("y.example.org.", "TYPE65400", 300, ("\\# 2 0001",)),
    ]


def test_forms_of_bind_that_no_other_has_are_understood():
    text = (
        HEAD
        + "a NID 7 0:ab:0:1\nb L64 8 2001:db8:1:0\nc NSEC d. A EID NIMLOC ATMA SINK\nd EID \\# 1 00\n"
    )

    assert [(one.type, one.texts) for one in zonefile.parse(text).rrsets] == [
        ("NID", ("7 0000:00ab:0000:0001",)),
        ("L64", ("8 2001:0db8:0001:0000",)),
        ("NSEC", ("d. A TYPE31 TYPE32 TYPE34 TYPE40",)),
        ("TYPE31", ("\\# 1 00",)),
    ]


HUGE = 4 * 2**20
STALLING = {
    "a quote without an end": ('x TXT "' + "a" * 32 * 2**20, 1),
    "a group without an end": ("x TXT (" + "\na" * (HUGE // 2), 100),
    "a line of parentheses": ("(" * HUGE, 1),
    "a line of backslashes": ("x TXT " + "\\" * HUGE, 1),
    "a comment without an end": (";" * HUGE + "\nx", 1),
    "one line of words": ("x TXT" + " a" * (HUGE // 2), 1),
    "quotes in a group": ("x TXT (" + '\n"a' * (HUGE // 3), 100),
    "empty lines": ("\n" * HUGE + "x", 1),
}


@pytest.mark.parametrize("name", STALLING)
def test_nothing_takes_long_between_two_reports(name):
    """Each report renews the claim on the job, so that no second process starts it."""
    text, count = STALLING[name]
    last = time.monotonic()
    pauses = []

    def progress(_):
        nonlocal last
        pauses.append(time.monotonic() - last)
        last = time.monotonic()

    with pytest.raises(zonefile.InvalidZonefile) as found:
        zonefile.parse(HEAD + text, progress)
    progress("the end")

    assert 1 <= len(found.value.faults) <= count
    assert max(pauses) < scaled(5)
    assert sum(pauses) < scaled(20)


def test_reading_reports_where_it_is():
    said = []
    zonefile.parse(HEAD + "h IN A 192.0.2.1\n" * 10_000, said.append)

    assert len(said) == 10_000 * 17 // zonefile.PROGRESS_CHARS
    assert said[0].startswith("Reading the zone file: line ")


@pytest.mark.parametrize("begin", ["\n; x\n \n$origin ", "  $ORIGIN ", "\ufeff$ORIGIN\t"])
def test_a_file_begins_with_its_origin_behind_comments(begin):
    assert records(f"{begin}example.org.\n$TTL 5\n{SOA}x A 192.0.2.1\n")[0][:3] == (
        "x.example.org.", "A", 5,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "\n;$ORIGIN x.\n", "$TTL 5\n$ORIGIN x.\n", "$ORIGINAL x.\n"])
def test_a_file_without_an_origin_is_refused(text):
    with pytest.raises(zonefile.MissingOrigin):
        zonefile.parse(text)


@given(st.text(st.sampled_from('ab "();\\\n\t$@.1'), max_size=60))
def test_entries_end_with_a_newline_and_leave_nothing_out(text):
    text += "\n"
    position = 0
    while position < len(text):
        entry = zonefile_entries.find(text, position)
        assert text[entry.end] == "\n"
        assert entry.end >= position
        assert 0 <= entry.line <= text.count("\n", position, entry.end)
        position = entry.end + 1
