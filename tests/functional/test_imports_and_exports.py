"""Imports and exports: the API, lost processes, snapshots, and error messages with line numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from designate.central import jobs as central_jobs
from designate.central.jobs import MAX_ATTEMPTS, ProgressReporter, shorten_message
from designate.context import admin_context
from designate.model.jobs import ZoneJob
from designate.runtime.clock import utcnow
from designate.storage.sqlalchemy import jobs
from designate.wire import zonefile
from tests.support.deadlines import until
from tests.support.factories.zone_data import Hidden
from tests.support.factories.zone_files import DNS, finished, imported, recordsets

HEAD = """\
; a comment
$ORIGIN {name}
$TTL 300
@ 1800 IN SOA ns.example.net. host\\.master.example.com. 2026112301 3600 601 86401 300
@ IN NS ns.example.net.
"""
BODY = """\
www IN A 192.0.2.1
www IN A 192.0.2.2
mail 0 IN MX 10 mx
sub IN NS ns.sub
txt 60 IN TXT "some text"
"""


@pytest.fixture
def hidden(tmp_path):
    with Hidden(tmp_path) as hidden:
        yield hidden


@pytest.fixture
def call(hidden):
    return hidden.http()


def test_a_zone_file_becomes_a_zone(call):
    task = imported(call, HEAD.format(name="one.example.") + BODY)

    assert (task["status"], task["message"]) == ("COMPLETE", "one.example. imported")
    _, zone = call("GET", f"/v2/zones/{task['zone_id']}")
    assert zone["name"] == "one.example."
    assert (zone["ttl"], zone["serial"]) == (1800, 2026112301)
    assert zone["email"] == "host.master@example.com"
    assert task["links"]["zone"].endswith(f"/v2/zones/{zone['id']}")
    found = recordsets(call, zone["id"])
    soa = found.pop(("one.example.", "SOA"))[1][0].split()
    assert soa[0] == "ns1.example.org."
    assert soa[2] == "2026112301"
    assert soa[4:6] == ["601", "86401"]
    assert found == {
        ("one.example.", "NS"): (None, ["ns1.example.org."]),
        ("www.one.example.", "A"): (300, ["192.0.2.1", "192.0.2.2"]),
        ("mail.one.example.", "MX"): (0, ["10 mx.one.example."]),
        ("sub.one.example.", "NS"): (300, ["ns.sub.one.example."]),
        ("txt.one.example.", "TXT"): (60, ['"some text"']),
    }


def test_the_serial_of_the_file_grows_with_the_next_change(call):
    task = imported(call, HEAD.format(name="serial.example."))
    body = {"name": "a.serial.example.", "type": "A", "records": ["192.0.2.1"]}
    assert call("POST", f"/v2/zones/{task['zone_id']}/recordsets", body)[0] == 202

    assert call("GET", f"/v2/zones/{task['zone_id']}")[1]["serial"] == 2026112302


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("www IN A 192.0.2.1\n", "The $ORIGIN statement is required and must be the first"),
        ("$ORIGIN bad.example.\nwww 60 IN A 192.0.2.1\n", "An SOA record is required."),
        (HEAD.format(name="bad.example.") + "www IN A 192.0.2.999\n", "Malformed zonefile. line 6"),
        (HEAD.format(name="bad.example.") + "\nwww IN NOTYPE x\n", "Malformed zonefile. line 7"),
        (HEAD.format(name="bad.example.") + "$INCLUDE /etc/passwd\n", "Malformed zonefile. line 6"),
        (
            HEAD.format(name="bad.example.") + "$GENERATE 1-9 a$ A 192.0.2.1\n",
            "Malformed zonefile. line 6",
        ),
        (
            HEAD.format(name="bad.example.") + "a IN CNAME b\na IN A 192.0.2.1\n",
            "Malformed zonefile. line 7: a CNAME",
        ),
        (HEAD.format(name="bad.example.") + "a IN TYPE251 \\# 0\n", "Malformed zonefile. line 6"),
        (HEAD.format(name="example."), "An undefined error occurred. More than one label"),
    ],
)
def test_a_faulty_file_makes_no_zone_and_is_explained(call, text, message):
    task = imported(call, text)

    assert task["status"] == "ERROR"
    assert task["message"].startswith(message)
    assert task["zone_id"] is None
    assert call("GET", "/v2/zones")[1]["zones"] == []


def test_a_name_that_exists_and_a_quota_that_is_used_up(call):
    imported(call, HEAD.format(name="twice.example."))
    assert imported(call, HEAD.format(name="twice.example."))["message"] == "Duplicate zone."

    everywhere = {"X-Auth-All-Projects": "true"}
    assert call("PATCH", "/v2/quotas/p", {"zone_recordsets": 3}, everywhere)[0] == 200
    task = imported(call, HEAD.format(name="full.example.") + BODY)
    assert task["message"] == "Quota exceeded during zone import."


def test_bodies_that_are_refused_at_once(call):
    post = ("POST", "/v2/zones/tasks/imports")
    kind = {"Content-Type": "application/json"}
    assert (
        call(*post, b"x", {"Content-Type": "text/plain"})[1]["type"] == "unsupported_content_type"
    )
    for body in (b"{", b"[]", b"{}", b'{"zonefile": 5}'):
        assert call(*post, body, kind)[1]["type"] == "bad_request"
    assert call("GET", "/v2/zones/tasks/imports")[1]["imports"] == []


def test_a_task_whose_process_died_is_finished_by_another(hidden, call):
    text = HEAD.format(name="lost.example.") + BODY
    task = imported(call, text)
    context = hidden.context.to_plain()

    def dead_runner(tx):
        new = jobs.IMPORTS.get(tx.connection, task["id"])
        lost = type(new)(id="1" * 36, project_id="p", status="PENDING", created_at=utcnow())
        second_text = text.replace("lost", "found")
        jobs.insert(tx, lost, "IMPORT", context, {}, second_text)
        assert jobs.claim(tx, lost.id, utcnow() - timedelta(hours=1), 60) is not None

    hidden.database.write(dead_runner)
    hidden.central.status.recover(admin_context(), 0, 4095, 10)

    with_id = "/v2/zones/tasks/imports?limit=10"
    until(
        lambda: all(t["status"] == "COMPLETE" for t in call("GET", with_id)[1]["imports"]),
        30,
        "the other runner",
    )
    names = {zone["name"] for zone in call("GET", "/v2/zones")[1]["zones"]}
    assert names == {"lost.example.", "found.example."}


def test_a_task_that_is_claimed_is_left_alone_and_one_that_never_ends_is_given_up(hidden, call):
    task = imported(call, HEAD.format(name="claimed.example."))
    stored = type("", (), {})
    stored.id = "2" * 36

    def claimed(tx):
        new = jobs.IMPORTS.get(tx.connection, task["id"])
        lost = type(new)(id=stored.id, project_id="p", status="PENDING", created_at=utcnow())
        jobs.insert(tx, lost, "IMPORT", hidden.context.to_plain(), {}, "x")
        long_ago = utcnow() - timedelta(hours=1)
        for turn in range(MAX_ATTEMPTS):
            moment = long_ago + timedelta(minutes=2 * turn)
            assert jobs.claim(tx, lost.id, moment, 60) is not None
            assert jobs.claim(tx, lost.id, moment, 60) is None

    hidden.database.write(claimed)
    hidden.central.status.recover(admin_context(), 0, 4095, 10)

    def given_up():
        found = call("GET", "/v2/zones/tasks/imports?status=ERROR")[1]["imports"]
        return [t["message"] for t in found] == ["Given up after too many attempts."]

    until(given_up, 30, "the end of the attempts")


def test_an_export_is_the_zone_at_one_serial(call):
    task = imported(call, HEAD.format(name="out.example.") + BODY)
    zone_id = task["zone_id"]
    status, export = call("POST", f"/v2/zones/{zone_id}/tasks/export")
    assert status == 202
    assert (export["status"], export["location"]) == ("PENDING", None)
    path = f"/v2/zones/tasks/exports/{export['id']}"
    done = finished(call, path)
    assert done["location"] == f"designate://v2/zones/tasks/exports/{export['id']}/export"
    body = {"name": "later.out.example.", "type": "A", "records": ["192.0.2.9"]}
    assert call("POST", f"/v2/zones/{zone_id}/recordsets", body)[0] == 202

    status, text = call("GET", f"{path}/export", None, {"Accept": "text/dns"})

    assert status == 200
    lines = text.splitlines()
    assert lines[:3] == ["$ORIGIN out.example.", "$TTL 1800", ""]
    assert lines[3].startswith("out.example.  IN SOA ns1.example.org. ")
    assert lines[4] == "out.example.  IN NS ns1.example.org."
    assert "2026112301" in lines[3]
    assert "later" not in text
    parsed = zonefile.parse(text)
    assert {(r.name, r.type) for r in parsed.rrsets} == {
        ("www.out.example.", "A"),
        ("mail.out.example.", "MX"),
        ("sub.out.example.", "NS"),
        ("txt.out.example.", "TXT"),
    }


def test_what_an_export_refuses(call):
    task = imported(call, HEAD.format(name="refused.example."))
    path = f"/v2/zones/{task['zone_id']}/tasks/export"
    stranger = {"X-Auth-Project-ID": "other", "X-Roles": "member"}
    assert call("POST", path, None, stranger)[0] == 404
    assert call("PATCH", "/v2/quotas/p", {"api_export_size": 1})[0] == 200
    assert call("POST", path)[1]["type"] == "over_quota"
    assert call("PATCH", "/v2/quotas/p", {"api_export_size": 10})[0] == 200
    _, export = call("POST", path)
    finished(call, f"/v2/zones/tasks/exports/{export['id']}")
    file = f"/v2/zones/tasks/exports/{export['id']}/export"
    assert call("GET", file, None, {"Accept": "application/json"})[0] == 406
    assert call("GET", file, None, stranger)[1]["type"] == "zone_export_not_found"
    assert call("DELETE", f"/v2/zones/tasks/exports/{export['id']}")[0] == 204
    assert call("GET", file)[1]["type"] == "zone_export_not_found"


def test_ten_thousand_records_come_and_go(call):
    count = 10_000
    lines = (f"h{n} IN A 10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(count))
    task = imported(call, HEAD.format(name="big.example.") + "".join(lines))
    assert task["status"] == "COMPLETE", task["message"]
    assert call("PATCH", "/v2/quotas/p", {"api_export_size": -1})[0] == 200
    _, export = call("POST", f"/v2/zones/{task['zone_id']}/tasks/export")
    path = f"/v2/zones/tasks/exports/{export['id']}"
    finished(call, path)

    _, text = call("GET", f"{path}/export")

    assert len(zonefile.parse(text).rrsets) == count


def test_texts_of_several_strings_are_taken_and_shown_as_strings(call):
    long = "x" * 200
    text = (
        HEAD.format(name="strings.example.")
        + 'short IN TXT "v=DKIM1;" "k=rsa"\nshort IN TXT plain\n'
        + f'long IN TXT "{long}" "{long}"\nspf IN SPF "v=spf1" " -all"\n'
    )
    task = imported(call, text)

    assert task["status"] == "COMPLETE", task["message"]
    found = recordsets(call, task["zone_id"])
    assert found["short.strings.example.", "TXT"][1] == ['"v=DKIM1;" "k=rsa"', '"plain"']
    assert found["long.strings.example.", "TXT"][1] == [f'"{long}" "{long}"']
    assert found["spf.strings.example.", "SPF"][1] == ['"v=spf1" " -all"']
    export = finished(
        call,
        "/v2/zones/tasks/exports/"
        + call("POST", f"/v2/zones/{task['zone_id']}/tasks/export")[1]["id"],
    )
    status, written = call("GET", f"/v2/zones/tasks/exports/{export['id']}/export", None, DNS)
    assert status == 200
    parsed = zonefile.parse(written)
    assert '"v=DKIM1;" "k=rsa"' in {text for rrset in parsed.rrsets for text in rrset.texts}


def test_a_list_of_faults_is_cut_between_them():
    faults = [f"line {number}: {'x' * 40}" for number in range(10)]
    short = shorten_message("; ".join(faults))

    assert short == "; ".join([*faults[:3], "and 7 more"])
    assert shorten_message("y" * 500) == "y" * 160


def test_a_running_import_says_how_far_it_is():
    """At most one report each second."""
    reports = []
    now = [0.0]
    progress = ProgressReporter(reports.append, 1.0, lambda: now[0])
    for at, words in ((0.5, "early"), (1.0, "first"), (1.9, "soon after"), (2.0, "second")):
        now[0] = at
        progress(words)
    assert reports == ["first", "second"]


def test_words_about_progress_are_shown_and_keep_the_claim(hidden):
    now = utcnow()
    project_id = hidden.context.project_id
    task = ZoneJob(id="3" * 36, project_id=project_id, status="PENDING", created_at=now)
    plain = hidden.context.to_plain()
    hidden.database.write(lambda tx: jobs.insert(tx, task, "IMPORT", plain, {}, "x"))
    row = hidden.database.write(lambda tx: jobs.claim(tx, task.id, now, 60))

    def message_after(attempt, message):
        moment = now + timedelta(seconds=50)
        hidden.database.write(
            lambda tx: jobs.set_message(tx, task.id, attempt, message, moment, 60)
        )
        with hidden.database.read() as connection:
            return jobs.IMPORTS.get(connection, task.id).message

    assert message_after(row.attempts + 1, "of another attempt") is None
    assert message_after(row.attempts, "half") == "half"
    after_the_first_claim = now + timedelta(seconds=70)
    claimed = hidden.database.write(lambda tx: jobs.claim(tx, task.id, after_the_first_claim, 60))
    assert claimed is None


def test_an_import_that_takes_long_shows_its_progress(call, monkeypatch):
    monkeypatch.setattr(central_jobs, "PROGRESS_INTERVAL_S", 0)
    lines = [f"h{number} IN A 192.0.2.1\n" for number in range(20_000)]
    text = HEAD.format(name="long.example.") + "".join(lines)
    status, task = call(
        "POST", "/v2/zones/tasks/imports", text.encode(), {"Content-Type": "text/dns"}
    )
    assert status == 202
    path = f"/v2/zones/tasks/imports/{task['id']}"
    seen = set()

    def ended():
        found = call("GET", path)[1]
        seen.add((found["message"] or "").partition(":")[0])
        return found["status"] != "PENDING"

    until(ended, 60, "the import's end")
    assert seen & {"Reading the zone file", "Checking"}
    assert call("GET", path)[1]["status"] == "COMPLETE", call("GET", path)[1]["message"]
