"""designate-manage: the database, services and TLDs; designate-status."""

import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from designate.context import admin_context
from designate.model.query import Query
from designate.model.services import ServiceState
from tests.support.deadlines import scaled
from tests.support.manage_commands import DEFAULT_ID, ManageCommands


@pytest.fixture
def run(tmp_path, capsys):
    """Run a command on a new database and return exit status, standard output and standard error."""
    return ManageCommands(tmp_path, capsys)


@pytest.fixture
def central(run):
    """Return central on the same database."""
    return run.central()


def test_sync_brings_an_empty_database_to_the_newest_schema(run):
    before = run("database", "version")
    status, out, _ = run("database", "sync")
    again = run("database", "sync")[0]
    head = run("database", "heads")[1].removesuffix(" (head)\n")

    assert before[0] == 0
    assert before[1].startswith("Current: none  Latest: ")
    assert (status, out, again) == (0, "", 0)
    assert run("database", "version")[1] == f"Current: {head} (head)  Latest: {head} (head)\n"
    assert run("database", "current")[1] == f"{head} (head)\n"
    assert (
        run("database", "history")[1]
        .splitlines()[0]
        .partition(" -> ")[2]
        .startswith(f"{head} (head), ")
    )
    assert run("database", "history")[1].splitlines()[-1].startswith("<base> -> ")


def test_an_unknown_revision_is_told_without_a_traceback(run):
    status, out, err = run("database", "upgrade", "nonsense")

    assert (status, out) == (255, "")
    assert "nonsense" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("pool", "update", "--file", "no/such/file"), "no/such/file"),
        (("pool", "show_config", "--pool_id", "12"), "Not a valid uuid: 12"),
        (("pool", "show_config", "--pool_id", DEFAULT_ID.replace("7", "8")), "Could not find Pool"),
    ],
)
def test_what_is_not_there_is_named(run, words, fault):
    run("database", "sync")

    status, out, err = run(*words)

    assert (status, out) == (1, "")
    assert fault in err


@pytest.mark.parametrize("words", [(), ("database",), ("nonsense",), ("pool", "delete")])
def test_wrong_usage_is_status_two(run, words):
    with pytest.raises(SystemExit) as caught:
        run(*words)

    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (("powerdns", "sync", DEFAULT_ID), "pdns4"),
        (("pool", "export_from_config", "--file", "x"), "pool generate_file"),
        (("akamai", "--help"), "akamai_v2"),
        (("pool-manager-cache", "sync"), "there is no cache"),
        (("pool_manager_cache", "sync"), "there is no cache"),
        (("database", "init"), "database sync"),
    ],
)
def test_a_command_of_an_earlier_release_names_its_replacement(run, words, instead):
    status, out, err = run(*words)

    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert instead in err


@pytest.fixture
def beat(central, tmp_path):  # noqa: ARG001 - it makes the database
    """Store a heartbeat of a service."""

    def store(name, status=ServiceState.UP):
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        row = (str(uuid.uuid4()), now, name, "host1", str(status), now)
        with closing(sqlite3.connect(tmp_path / "d.sqlite")) as database, database:
            database.execute(
                "INSERT INTO service_statuses (id, created_at, service_name, hostname, status, "
                "heartbeated_at, stats, capabilities) VALUES (?, ?, ?, ?, ?, ?, '{}', '{}')",
                row,
            )

    return store


def test_services_are_listed_and_those_that_stopped_are_forgotten(run, beat):
    beat("worker")
    beat("mdns", ServiceState.STOPPED)

    listed = run("service", "list")
    cleaned = run("service", "clean")
    after = run("service", "list")

    lines = [line.split()[:3] for line in listed[1].splitlines()]
    assert lines[0] == ["Service", "Host", "Status"]
    assert sorted(lines[1:]) == [["mdns", "host1", "STOPPED"], ["worker", "host1", "UP"]]
    assert cleaned[:2] == (0, "Removing mdns on host1: STOPPED\nJob finished.\n")
    assert [line.split()[0] for line in after[1].splitlines()] == ["Service", "worker"]


def test_a_service_that_says_nothing_any_more_is_cleaned_away(run, beat, tmp_path):
    beat("producer")
    with closing(sqlite3.connect(tmp_path / "d.sqlite")) as database, database:
        database.execute(
            "UPDATE service_statuses SET heartbeated_at = '2026-01-01 00:00:00.000000'"
        )

    assert run("service", "clean")[1] == "Removing producer on host1: DOWN\nJob finished.\n"
    assert len(run("service", "list")[1].splitlines()) == 1


def test_top_level_domains_are_read_from_a_file_line_by_line(run, central, tmp_path):
    file = tmp_path / "tlds.csv"
    lines = ["com,commercial", "org", "com", "not_one!", "a,b,c", f"net,{'x' * 161}", ""]
    file.write_text("\n".join(lines))

    status, out, _ = run("tlds", "import", "--input_file", str(file))
    missing = run("tlds", "import", "--input_file", str(tmp_path / "nothing"))

    assert status == 1
    assert out.splitlines()[:3] == [
        "Number of tlds added: 2",
        "Number of errors: 4",
        "Error Lines:",
    ]
    assert [line.split()[0] for line in out.splitlines()[3:]] == [
        "DuplicateTld", "InvalidDescription", "InvalidLine", "InvalidTld",
    ]  # fmt: skip
    found = central.tlds.find(admin_context(), Query(sort_key="name")).items
    assert [(tld.name, tld.description) for tld in found] == [("com", "commercial"), ("org", None)]
    assert missing[0] == 1
    assert "nothing" in missing[2]


def test_the_text_of_a_file_moves_no_cursor_of_a_terminal(run, central, tmp_path):  # noqa: ARG001
    file = tmp_path / "tlds.csv"
    file.write_text("a\x1b[2J\x9b1A\u2028,x\n", encoding="utf-8")

    status, out, _ = run("tlds", "import", "--input_file", str(file))
    missing = run("tlds", "import", "--input_file", f"{tmp_path}/no\x1b[2J")

    assert (status, out.splitlines()[3:]) == (1, [r"InvalidTld --> a\x1b[2J\x9b1A\u2028,x"])
    assert (missing[0], r"no\x1b[2J" in missing[2]) == (1, True)


def check(tmp_path, *words):
    """Return the exit status and the results of the checks of designate-status."""
    program = Path(sys.executable).parent / "designate-status"
    words = words or ("--config-file", tmp_path / "designate.conf")
    done = subprocess.run(
        [program, *words, "upgrade", "check"],
        capture_output=True,
        text=True,
        timeout=scaled(60),
        cwd=tmp_path,
    )
    assert done.stderr == ""
    rows = done.stdout.replace("|", "").splitlines()
    results, name = {}, ""
    for row in rows:
        key, _, value = row.strip().partition(": ")
        name = value.strip() if key == "Check" else name
        if key == "Result":
            results[name] = value.strip()
    return done.returncode, results


def test_upgrade_check_tells_what_is_missing(run, tmp_path):
    empty = check(tmp_path)
    run("database", "sync")
    ready = check(tmp_path)
    (tmp_path / "old.json").write_text('{"get_zone": "role:admin"}')
    with (tmp_path / "designate.conf").open("a") as conf:
        conf.write(f"[oslo_policy]\npolicy_file = {tmp_path}/old.json\n")
    old_policy = check(tmp_path)
    with closing(sqlite3.connect(tmp_path / "d.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
    old_schema = check(tmp_path)

    assert empty[0] == 2
    assert empty[1]["Database Schema"] == "Failure"
    names = [
        "Database Schema", "Duplicate service status", "Policy File JSON to YAML Migration",
        "Masters of Secondary Zones",
    ]  # fmt: skip
    assert ready == (0, dict.fromkeys(names, "Success"))
    assert (old_policy[0], old_policy[1][names[2]]) == (2, "Failure")
    assert old_schema[1]["Database Schema"] == "Warning"


def test_upgrade_check_takes_an_empty_policy_and_folders(run, tmp_path):
    """An empty mapping is what tools write for a policy without rules, and it is JSON too."""
    run("database", "sync")
    folder = tmp_path / "more.d"
    folder.mkdir()
    for name, content in (
        ("policy.yaml", "{}\n"),
        ("empty.yaml", ""),
        ("rules.yaml", '{"a": "b"}'),
    ):
        (tmp_path / name).write_text(content)
    files = ("--config-file", run.conf_file, "--config-dir", folder)
    found = []
    for name in ("policy.yaml", "empty.yaml", "rules.yaml"):
        (folder / "policy.conf").write_text(f"[oslo_policy]\npolicy_file = {name}\n")
        found.append(check(tmp_path, *files)[0])

    assert found == [0, 0, 2]


def test_upgrade_check_without_a_database_says_what_is_missing(tmp_path):
    (tmp_path / "designate.conf").write_text("[DEFAULT]\n")
    unset = check(tmp_path)
    (tmp_path / "designate.conf").write_text(
        "[storage:sqlalchemy]\nconnection = mysql://u:p@127.0.0.1:1/d\n"
    )
    unreachable = check(tmp_path)

    assert (unset[0], unset[1]["Database Schema"]) == (2, "Failure")
    assert (unreachable[0], unreachable[1]["Database Schema"]) == (2, "Failure")


def test_designate_status_writes_a_report_on_usr2():
    program = (
        "import signal, sys; from designate.cmd import status; "
        "status.upgradecheck.main = lambda *_, **__: signal.raise_signal(signal.SIGUSR2) or 7; "
        "sys.exit(status.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=scaled(60)
    )

    assert done.returncode == 7
    assert "Guru Meditation" in done.stderr
    assert "connection = ***" in done.stderr
