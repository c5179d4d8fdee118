"""Imports keep to the rules of POST for zones, and for data to no more than what the wire needs."""

from __future__ import annotations

import pytest

from designate.central import imports as central_imports
from designate.central.jobs import MAX_ATTEMPTS
from designate.context import admin_context
from designate.runtime.clock import utcnow
from designate.storage.sqlalchemy import jobs
from designate.wire import zonefile
from tests.support.deadlines import until
from tests.support.factories.zone_data import Hidden
from tests.support.factories.zone_files import finished, imported
from tests.support.servers.standalone import transferred

KIND = {"Content-Type": "text/dns"}
HEAD = """\
$ORIGIN {name}
$TTL 300
@ 1800 IN SOA ns.example.net. {rname} 2026112301 3600 601 86401 300
"""


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("rules")) as parts:
        yield parts


@pytest.fixture(scope="module")
def call(hidden):
    return hidden.http()


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory, databases):
    """A caller of the API, on each database."""
    storage = {"connection": databases.migrated()}
    folder = tmp_path_factory.mktemp(f"rules-{databases.kind}")
    with Hidden(folder, **{"storage:sqlalchemy": storage}) as parts:
        yield parts.http()


def head(name, rname="host.example.com."):
    return HEAD.format(name=name, rname=rname)


def lines(task):
    return [(fault["line"], fault["reason"]) for fault in task["faults"]]


LONG = "TTL 2147483648 is above 2147483647"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (head("high.example.") + "a 2147483648 IN A 192.0.2.1\n", 4, LONG),
        (head("high.example.").replace("300", "4294967295", 1), 2, "the TTL is above 2147483647"),
        (head("high.example.").replace("3600", "2147483648"), 3, "refresh is above 2147483647"),
        (head("high.example.").replace("86401", "4294967295"), 3, "expire is above 2147483647"),
        (head("*.example."), 3, "is not a valid name"),
        (head("mail.example.", "."), 3, "is not an email address"),
        (head("mail.example.", "a\\@b.example.com."), 3, "is not an email address"),
        (head("mail.example.", "a\\010b.example.com."), 3, "is not an email address"),
        (head("mail.example.", "a\\255.example.com."), 3, "is not an email address"),
        (head("mail.example.", "a\\ b.example.com."), 3, "is not an email address"),
    ],
)
def test_a_file_that_posts_rules_refuse_is_refused_on_each_database(everywhere, text, line, reason):
    task = imported(everywhere, text)
    found = lines(task)

    assert task["status"] == "ERROR"
    assert task["message"].startswith(f"Malformed zonefile. line {line}: ")
    assert [number for number, _ in found] == [line]
    assert reason in found[0][1]


def test_a_local_part_with_dots_is_one_label(call):
    task = imported(call, head("dots.example.", "first\\.last.example.com."))
    _, zone = call("GET", f"/v2/zones/{task['zone_id']}")

    assert zone["email"] == "first.last@example.com"


def test_faults_are_members_of_the_task_and_the_message_is_a_summary(call):
    bad = "".join(f"b{number} IN A nonsense\n" for number in range(150))
    task = imported(call, head("faulty.example.") + "a IN A 192.0.2.1\n" + bad)

    assert [line for line, _ in lines(task)] == list(range(5, 105))
    assert len(task["message"]) <= 160
    assert "; and 9" in task["message"]
    assert (task["skipped_count"], task["zone_id"]) == (0, None)


def test_records_outside_the_zone_are_counted_and_named(call):
    text = head("inside.example.") + (
        "a IN A 192.0.2.1\na.outside.example. IN A 192.0.2.1\nb\\.inside.example. IN A 192.0.2.1\n"
    )
    task = imported(call, text)

    assert task["status"] == "COMPLETE"
    assert task["message"] == "inside.example. imported, 2 records outside the zone skipped"
    assert task["skipped_count"] == 2
    assert lines(task) == [
        (5, "skipped: a.outside.example. is outside the zone inside.example."),
        (6, "skipped: b\\046inside.example. is outside the zone inside.example."),
    ]


def test_an_import_without_faults_has_an_empty_list(call):
    task = imported(call, head("clean.example."))

    assert (task["message"], task["faults"], task["skipped_count"]) == (
        "clean.example. imported", [], 0,
    )  # fmt: skip


def test_zero_is_a_ttl_in_the_api_and_on_the_wire(hidden, call):
    task = imported(call, head("zero.example.") + "www 0 IN A 192.0.2.1\n")
    _, found = call("GET", f"/v2/zones/{task['zone_id']}/recordsets?type=A")

    assert [one["ttl"] for one in found["recordsets"]] == [0]
    assert transferred(hidden.address, "zero.example.").get_rdataset("www", "A").ttl == 0


def test_a_zone_of_ttl_zero_gets_the_minimum_where_there_is_one(call):
    text = head("low.example.").replace("1800", "0").replace("$TTL 300", "$TTL 0")
    _, zone = call("GET", f"/v2/zones/{imported(call, text)['zone_id']}")

    assert zone["ttl"] == 0


def test_ttls_below_the_minimum_are_faults_of_their_lines(tmp_path):
    with Hidden(tmp_path, **{"service:central": {"min_ttl": 100}}) as hidden:
        member = hidden.http()
        roles = {"X-Roles": "member,reader", "X-Auth-Project-ID": "p2"}
        text = head("low.example.") + "a 5 IN A 192.0.2.1\nb 200 IN A 192.0.2.1\nc 0 IN TXT x\n"
        path = "/v2/zones/tasks/imports"
        status, task = member("POST", path, text.encode(), KIND | roles)
        assert status == 202, task

        def get():
            return member("GET", f"{path}/{task['id']}", None, roles)[1]

        until(lambda: get()["status"] != "PENDING", 30, "the import's end")
        ended = get()

    assert ended["message"] == "TTL is below the minimum: 100"
    assert [line for line, _ in lines(ended)] == [4, 6]


def test_the_same_data_in_another_case_is_one_record(call):
    task = imported(call, head("case.example.") + "@ MX 10 Mail.x.\n@ IN MX 10 mail.x.\n")
    _, found = call("GET", f"/v2/zones/{task['zone_id']}/recordsets?type=MX")

    assert [one["records"] for one in found["recordsets"]] == [["10 Mail.x."]]


# Forms that clients may not send, and that nameservers serve.
LEGAL = [
    ("0/25", "CNAME", "a.0/25.2.0.192.in-addr.arpa."),
    ("-dash-", "A", "192.0.2.1"),
    ("a\\.b", "TXT", '"x"'),
    ("a\\010b", "TXT", '"\\010\\195\\169"'),
    ("x", "CAA", '0 issue ";"'),
    ("y", "CAA", '128 tbs "unknown"'),
    ("svc", "HTTPS", '1 . alpn="foo" key65000="x"'),
    ("mx", "MX", "0 ."),
    ("srv", "SRV", "0 0 0 ."),
    ("n", "NAPTR", '10 10 "" "a b" "" .'),
    ("*.tcp", "TLSA", "3 1 1 " + "00" * 32),
    ("s", "SSHFP", "6 2 " + "00" * 32),
]


def test_what_a_nameserver_may_serve_is_imported_and_served_unchanged(hidden, call):
    name = "legal.example."
    body = "".join(f"{owner} 60 IN {rtype} {data}\n" for owner, rtype, data in LEGAL)
    task = imported(call, head(name) + body)
    zone = transferred(hidden.address, name)
    expected = zonefile.parse(head(name) + body)

    assert task["status"] == "COMPLETE", task["faults"]
    for rrset in expected.rrsets:
        rdataset = zone.get_rdataset(rrset.name, rrset.type)
        assert {rdata.to_wire(origin=zone.origin) for rdata in rdataset} == set(rrset.rdatas)


@pytest.mark.parametrize(
    ("lines_of_file", "line", "reason"),
    [
        ("a CNAME b\na A 192.0.2.1\n", 5, "must be the only one"),
        ("a CNAME b\nx A 192.0.2.1\na CNAME c\n", 4, "more than one CNAME"),
        ("@ CNAME b\n", 4, "must be the only one"),
        ("*.sub NS ns\n", 4, "a wildcard cannot have NS records"),
        ("n NAPTR 10 10 \"s\" \"x\" \"!(!y!\" .\n", 4, "NAPTR record is not valid"),
        ("t TXT x\n" + "".join(f't TXT "{n}{"x" * 250}"\n' for n in range(100, 400)), 4, "fit into"),
    ],
)  # fmt: skip
def test_what_no_nameserver_serves_is_a_fault_of_its_line(call, lines_of_file, line, reason):
    task = imported(call, head("illegal.example.") + lines_of_file)

    assert task["status"] == "ERROR"
    assert lines(task)[0][0] == line
    assert reason in lines(task)[0][1]


def test_a_permanent_fault_ends_the_job_at_the_first_attempt(hidden, call, monkeypatch):
    """Such as a fault of this program; before, the same was tried five times."""
    attempts = []

    def broken(_endpoint, _row, attempt):
        attempts.append(attempt)
        raise ZeroDivisionError

    monkeypatch.setattr(central_imports.ImportsEndpoint, "_import", broken)
    task = imported(call, head("broken.example."))
    hidden.central.status.recover(admin_context(), 0, 4095, 10)

    assert task["status"] == "ERROR"
    assert task["message"].startswith("An undefined error occurred.")
    assert attempts == [1] < [MAX_ATTEMPTS]


def test_an_export_of_a_corrupt_recordset_fails_at_once_with_its_name(hidden, call):
    task = imported(call, head("corrupt.example.") + "www IN A 192.0.2.1\n")
    with hidden.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE recordsets SET wire = x'00' WHERE name = 'www.corrupt.example.'"
        )
        # As any change of a zone's content.
        connection.exec_driver_sql("UPDATE zones SET version=version + 1")
    _, export = call("POST", f"/v2/zones/{task['zone_id']}/tasks/export")
    path = f"/v2/zones/tasks/exports/{export['id']}"
    found = finished(call, path)
    with hidden.database.read() as connection:
        runnable = jobs.find_runnable(connection, utcnow(), 10)

    assert found["status"] == "ERROR"
    assert "the stored recordset www.corrupt.example. A cannot be read" in found["message"]
    assert export["id"] not in runnable
