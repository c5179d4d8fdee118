"""The command line of designate-manage: options of oslo.config and oslo.log, and categories."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from designate.version import VERSION
from tests.support.deadlines import scaled, until
from tests.support.servers.nameservers import free_port

BIN = Path(sys.executable).parent
SCHEMA_ID = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
POOL_ID = "11111111-2222-4333-8444-555555555555"
PARTS = """
  ns_records: [{hostname: ns1.example.org., priority: 1}]
  nameservers: [{host: 192.0.2.2, port: 53}]
  targets: [{type: fake, masters: [{host: 192.0.2.1, port: 5354}], options: {host: 192.0.2.2}}]
"""


@pytest.fixture
def run(tmp_path):
    """Run designate-manage, in an empty home and folder, and return status, output and errors."""

    def command(*words, environment=None):
        done = subprocess.run(
            [BIN / "designate-manage", *words],
            capture_output=True,
            text=True,
            timeout=scaled(60),
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), **(environment or {})},
        )
        return done.returncode, done.stdout, done.stderr

    return command


@pytest.fixture
def connection(tmp_path):
    return f"[storage:sqlalchemy]\nconnection = sqlite:///{tmp_path}/d.sqlite\n"


def test_no_argument_shows_the_usage(run):
    status, out, err = run()

    assert (status, out) == (2, "")
    assert err.startswith("usage: designate-manage ")


def test_version_is_printed(run):
    assert run("--version") == (0, f"{VERSION}\n", "")


def test_options_before_the_category_are_those_of_oslo(run, connection, tmp_path):
    """The folder overrides the files, which override each other in their order."""
    (tmp_path / "a.conf").write_text(f"[DEFAULT]\nlog_dir = {tmp_path}/logs\n")
    (tmp_path / "b.conf").write_text("[storage:sqlalchemy]\nconnection = mysql://127.0.0.1:1/x\n")
    (tmp_path / "more.d").mkdir()
    (tmp_path / "more.d" / "db.conf").write_text(connection)
    (tmp_path / "logs").mkdir()
    files = ("--config-file", "a.conf", "--config-file", "b.conf", "--config-dir", "more.d")

    synced = run(*files, "--debug", "database", "sync")
    cleaned = run(*files, "--log-file", "own.log", "service", "clean")

    assert synced == (0, "", "")
    assert cleaned == (0, "Job finished.\n", "")
    assert " DEBUG " in (tmp_path / "logs" / "designate-manage.log").read_text()
    assert (tmp_path / "logs" / "own.log").exists()


def test_default_files_and_folders_are_found(run, connection, tmp_path):
    """An explicit file replaces the files that are found, but not the folders."""
    home = tmp_path / ".designate"
    (home / "designate.conf.d").mkdir(parents=True)
    (home / "designate.conf.d" / "db.conf").write_text(connection)
    (tmp_path / "other.conf").write_text("[DEFAULT]\n")

    synced = run("database", "sync")
    current = run("--config-file", "other.conf", "database", "current")

    assert synced == (0, "", "")
    assert current[0] == 0
    assert current[1].endswith("(head)\n")


@pytest.mark.parametrize(
    "line", ["log_file = /nonexistent/d.log", "log_config_append = /nonexistent/d.conf"]
)
def test_logging_that_cannot_be_set_up_is_one_line(run, tmp_path, line):
    (tmp_path / "designate.conf").write_text(f"[DEFAULT]\n{line}\n")

    status, out, err = run("database", "heads")

    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "/nonexistent" in err


def test_a_logging_file_decides_where_logs_go(run, connection, tmp_path):
    (tmp_path / "logging.conf").write_text(
        "[loggers]\nkeys = root\n[handlers]\nkeys = file\n[formatters]\nkeys = context\n"
        "[logger_root]\nlevel = DEBUG\nhandlers = file\n"
        "[handler_file]\nclass = FileHandler\nargs = ('chosen.log',)\nformatter = context\n"
        "[formatter_context]\nclass = oslo_log.formatters.ContextFormatter\n"
    )
    (tmp_path / "designate.conf").write_text(connection)

    status = run("--log-config-append", "logging.conf", "database", "sync")

    assert status == (0, "", "")
    assert "alembic" in (tmp_path / "chosen.log").read_text()


def test_without_database_and_broker_a_command_says_what_is_missing(run):
    status, out, err = run("pool", "show_config")

    assert (status, out) == (1, "")
    assert err == "neither [storage:sqlalchemy] connection nor [DEFAULT] transport_url is set\n"


PLUGIN = """
from designate.cmd.category import Category

class Reports(Category):
    help = "reports of a third party"

    def add_commands(self, commands):
        monthly = commands.add_parser("monthly")
        monthly.add_argument("--month")
        monthly.set_defaults(command=lambda conf, arguments: print("month", arguments.month) or 7)
"""


@pytest.fixture
def plugins(tmp_path):
    """Install a category and two broken ones, and return the environment that has them."""
    folder = tmp_path / "site"
    about = folder / "reports-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "reports.py").write_text(PLUGIN)
    (folder / "broken.py").write_text("raise OSError('no such device')\n")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: reports\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[designate.manage]\nreports = reports:Reports\nbroken = broken:X\nwrong = reports:PLUGIN\n"
    )
    return {"PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_categories_of_third_parties_are_added_and_broken_ones_left_out(run, plugins):
    own = run("reports", "monthly", "--month", "may", environment=plugins)
    ours = run("database", "heads", environment=plugins)
    usage = run("--help", environment=plugins)

    assert own[:2] == (7, "month may\n")
    assert ours[0] == 0
    for line, name in zip(ours[2].splitlines(), ("broken", "wrong"), strict=True):
        assert line.startswith(f"designate-manage: category {name} left out: ")
    assert "reports of a third party" in usage[1]


@pytest.fixture
def with_pool_id(run, connection, tmp_path):
    """Sync a database, if wanted before default_pool_id is set."""

    def sync(*, late):
        conf = tmp_path / "designate.conf"
        conf.write_text(connection)
        if late:
            run("database", "sync")
        conf.write_text(f"{connection}[service:central]\ndefault_pool_id = {POOL_ID}\n")
        return run("database", "sync")

    return sync


def pools_of(run):
    shown = run("pool", "show_config", "--all_pools")[1]
    return [(pool["id"], pool["name"]) for pool in yaml.safe_load(shown.split("\n", 2)[2])]


@pytest.mark.parametrize("late", [False, True])
def test_the_schemas_pool_has_the_configured_id(run, with_pool_id, tmp_path, late):
    """A file may then name the pool without an id, or rename it by its id."""
    pools = tmp_path / "pools.yaml"
    synced = with_pool_id(late=late)
    again = run("database", "sync")
    created = pools_of(run)
    pools.write_text(f"- name: default{PARTS}")
    by_name = run("pool", "update", "--file", str(pools))
    shown = run("pool", "show_config")
    pools.write_text(f"- name: default-bind\n  id: {POOL_ID}{PARTS}")
    by_id = run("pool", "update", "--file", str(pools))

    assert synced[:2] == (0, "")
    assert f"pool default: id is {POOL_ID}" in synced[2]
    assert again == (0, "", "")
    assert created == [(POOL_ID, "default")]
    assert (by_name[0], shown[0], by_id[0]) == (0, 0, 0)
    assert POOL_ID in shown[1]
    assert pools_of(run) == [(POOL_ID, "default-bind")]


def test_a_pool_in_use_keeps_its_id(run, connection, with_pool_id, tmp_path):
    pools = tmp_path / "pools.yaml"
    pools.write_text(f"- name: default{PARTS}")
    (tmp_path / "designate.conf").write_text(connection)
    run("database", "sync")
    run("pool", "update", "--file", str(pools))

    synced = with_pool_id(late=False)

    assert synced[:2] == (0, "")
    assert pools_of(run) == [(SCHEMA_ID, "default")]


def test_a_default_pool_id_that_is_no_uuid_is_refused(run, connection, tmp_path):
    (tmp_path / "designate.conf").write_text(
        f"{connection}[service:central]\ndefault_pool_id = first\n"
    )

    status, out, err = run("database", "sync")

    assert (status, out) == (1, "")
    assert err == "[service:central] default_pool_id is not a UUID: first\n"


def test_usr2_writes_a_report_and_the_command_goes_on(tmp_path):
    """The command waits for a broker that does not exist."""
    conf = tmp_path / "designate.conf"
    conf.write_text(
        "[DEFAULT]\nrpc_response_timeout = 3\n"
        f"transport_url = rabbit://user:planted@127.0.0.1:{free_port()}/\n"
    )
    errors = tmp_path / "errors"
    with errors.open("wb") as stderr:
        command = [BIN / "designate-manage", "--config-file", conf, "service", "list"]
        process = subprocess.Popen(command, stderr=stderr, stdout=subprocess.DEVNULL)
        try:
            until(lambda: _catches(process.pid, signal.SIGUSR2), 20, "the handler")
            process.send_signal(signal.SIGUSR2)
            assert process.wait(scaled(60)) == 1
        finally:
            process.kill()
            process.wait(scaled(20))
    report = errors.read_text()
    assert "Guru Meditation" in report
    assert "connection = ***" in report
    assert "planted" not in report
    assert "designate-central did not reply" in report


def _catches(process_id, number):
    """Return whether the process has a handler for the signal."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii", errors="replace")
    (caught,) = [line for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
