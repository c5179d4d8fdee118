"""Exported zone files: canonical texts that read back as the same data."""

from __future__ import annotations

import struct

import pytest

from designate import rrtypes
from designate.central import jobs as central_jobs
from designate.context import admin_context
from designate.wire import zonefile, zonefile_writer
from tests.support.factories import fuzzed_zones
from tests.support.factories.transfers import content, secondary
from tests.support.factories.zone_data import Hidden
from tests.support.factories.zone_files import exported, imported, recordsets
from tests.support.fakes.scripted_primary import CONTENT, ZONE, rrs, soa


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("exports")) as hidden:
        yield hidden


@pytest.fixture(scope="module")
def call(hidden):
    return hidden.http()


TEXTS = [
    "", '""', '"a b"', "plain", '"', 'a"b', 'a\\"b', 'a\\\\"b', '"a\\"b"', '"back\\\\slash"', '"a\\\\"',
    ";", "(a)", '"(a;b)"', "v=DMARC1;p=none", "\\#", "@", "$ORIGIN", "$TTL", "é中😀", '"naïve café"',
    "\\065\\255\\000", '"\\010\\127\\128"', '" a "', '"a\tb"', "\\;", "\\a", "\\@",
    '"' + "a" * 253 + '" "b c" "' + "d" * 253 + '"',
    '"' + "é" * 127 + '" "' + '\\"' * 100 + '"',
    '"' + "\\255" * 60 + '" "' + "\\000" * 60 + '"',
]  # fmt: skip


def test_an_export_has_canonical_texts_whatever_the_client_wrote(call):
    _, zone = call("POST", "/v2/zones", {"name": "words.example.", "email": "a@example.org"})
    texts = {
        "CAA": {"0 issue letsencrypt.org": '0 issue "letsencrypt.org"'},
        "TXT": {"plain": '"plain"', '"quoted text"': '"quoted text"', "é": '"\\195\\169"'},
        "MX": {"10 mail.example.org.": "10 mail.example.org."},
    }
    for rtype, records in texts.items():
        body = {"name": f"{rtype.lower()}.words.example.", "type": rtype, "records": [*records]}
        assert call("POST", f"/v2/zones/{zone['id']}/recordsets", body)[0] == 202

    lines = exported(call, zone["id"]).splitlines()

    for rtype, records in texts.items():
        for record in records.values():
            assert f"{rtype.lower()}.words.example.  IN {rtype} {record}" in lines


def test_an_export_that_takes_long_reports_its_progress(databases, tmp_path, monkeypatch):
    """Each report extends the claim on the task, also while the zone is being read."""
    monkeypatch.setattr(central_jobs, "PROGRESS_INTERVAL_S", 0)
    reports = []
    report = central_jobs.JobRunner.report_progress

    def recorded(runner, job_id, attempt, message):
        reports.append(message)
        report(runner, job_id, attempt, message)

    monkeypatch.setattr(central_jobs.JobRunner, "report_progress", recorded)
    storage = {"connection": databases.migrated()}
    with Hidden(tmp_path, **{"storage:sqlalchemy": storage}) as parts:
        call = parts.http()
        soa = "@ IN SOA ns. host.example. 1 60 60 60 60\n"
        body = "".join(f"h{number} IN A 192.0.2.1\n" for number in range(1200))
        task = imported(call, f"$ORIGIN long.example.\n$TTL 60\n{soa}{body}")
        assert call("PATCH", "/v2/quotas/p", {"api_export_size": -1})[0] == 200
        text = exported(call, task["zone_id"])

    assert text.count("\n") == 1200 + 5
    assert [message for message in reports if message.startswith("Writing")] == [
        "Writing: 500 of 1202 recordsets", "Writing: 1000 of 1202 recordsets",
    ]  # fmt: skip


def test_a_long_spf_is_two_strings_in_the_form_that_nsd_reads_whole(call):
    """Of SPF "a" "b" NSD 4.6 loads the first string alone, of the form of unknown types both."""
    _, zone = call("POST", "/v2/zones", {"name": "spf.example.", "email": "a@example.org"})
    body = {"name": "x.spf.example.", "type": "SPF", "records": [f'"{"x" * 300}"']}
    assert call("POST", f"/v2/zones/{zone['id']}/recordsets", body)[0] == 202
    wire = b"\xff" + b"x" * 255 + b"\x2d" + b"x" * 45

    lines = exported(call, zone["id"]).splitlines()

    assert f"x.spf.example.  IN TYPE99 \\# 302 {wire.hex()}" in lines


def test_nothing_that_a_primary_sends_becomes_a_line_of_its_own(hidden, call):
    """Neither labels nor texts nor the mailbox; what the file says is read back as it was sent."""
    zone = secondary(hidden)
    records = rrs(
        f'a\\010evil.{ZONE} 60 TXT "y\\010$INCLUDE /etc/passwd"',
        f"\\$INCLUDE.{ZONE} 60 MX 10 b\\010c.example.",
        f"sig.{ZONE} 60 RRSIG A 13 3 60 20261231000000 20260101000000 1 {ZONE} {'A' * 86}==",
        f"caa.{ZONE} 60 CAA 0 issue ca.example",
        f"svc.{ZONE} 60 HTTPS 1 . alpn=h2",
        f"ds.{ZONE} 60 DS 1 13 2 {'00' * 32}",
        f'n.{ZONE} 60 NAPTR 1 1 "" "a b" "" .',
    )
    framing = soa(5, rname=f"x\\010\\$ORIGIN\\032evil.{ZONE}")
    made = content(zone, [framing, *CONTENT, *records, framing])
    hidden.central.secondary.replace_content(admin_context(), made)
    text = exported(call, zone.id)
    file = zonefile.parse(text)

    assert text.count("\n") == 4 + len(CONTENT) + len(records)
    assert [line for line in text.splitlines() if line.startswith("$")] == text.splitlines()[:2]
    assert file.email == "x\\010$ORIGIN\\032evil@example.org"
    assert call("GET", f"/v2/zones/{zone.id}")[1]["email"] == file.email
    assert {rdata for rrset in file.rrsets for rdata in rrset.rdatas} == {
        rdata.to_wire() for rrset in (*CONTENT[1:], *records) for rdata in rrset
    }


def test_a_zone_of_all_types_comes_back_through_the_api(call):
    for number in range(3):
        zone = fuzzed_zones.make(f"api-{number}")
        zone.soa = b"\2ns\0\4host\7example\0" + struct.pack(">5I", 7, 60, 60, 60, 60)
        text = "".join(zonefile_writer.render(zone.name, zone.ttl, zone.soa, zone.recordsets))
        task = imported(call, text)
        assert task["status"] == "COMPLETE", task["faults"]
        file = zonefile.parse(exported(call, task["zone_id"]))
        expected = zonefile.parse(text)

        assert (file.origin, file.ttl, file.serial) == (expected.origin, expected.ttl, 7)
        assert sorted(map(content_of, file.rrsets)) == sorted(map(content_of, expected.rrsets))


def content_of(rrset):
    return (rrset.name, rrset.type, rrset.ttl, rrset.rdatas, sorted(rrset.covered_ttls.items()))


def test_texts_come_back_from_an_export_byte_for_byte(call):
    _, zone = call("POST", "/v2/zones", {"name": "from.example.", "email": "a@example.org"})
    sent = {}
    for number, text in enumerate(TEXTS):
        body = {"name": f"t{number}.from.example.", "type": "TXT", "records": [text]}
        status, created = call("POST", f"/v2/zones/{zone['id']}/recordsets", body)
        assert status == 202, (text, created)
        sent[f"t{number}.to.example."] = rrtypes.rdata("TXT", "x.", [text])
    written = exported(call, zone["id"])

    task = imported(call, written.replace("from.example.", "to.example."))

    assert task["status"] == "COMPLETE", task["message"]
    assert {
        name: rrtypes.rdata(rtype, name, records, known=records)
        for (name, rtype), (_, records) in recordsets(call, task["zone_id"]).items()
        if rtype == "TXT"
    } == sent
