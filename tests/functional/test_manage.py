"""designate-manage: the database and the pools from the command line."""

import logging
import sqlite3
import stat
import subprocess
import sys
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from oslo_config import cfg

from designate import config, processes
from designate.cmd import manage
from designate.context import Context, admin_context
from designate.model.query import Query
from designate.model.services import ServiceState
from designate.model.zones import Action, PrimaryAddress, ZoneDraft, ZoneType
from tests.support.deadlines import scaled

DEFAULT_ID = "794ccc2c-d751-44fe-b57f-8894c9f5c842"

POOLS = f"""
- name: default
  id: {DEFAULT_ID}
  ns_records: [{{hostname: ns1.example.org., priority: 1}}]
  nameservers: [{{host: 192.0.2.2, port: 53}}]
  targets:
    - type: fake
      masters: [{{host: 192.0.2.1, port: 5354}}]
      options: {{host: 192.0.2.2, api_token: s3cret}}
"""


@pytest.fixture
def run(tmp_path, capsys):
    """Run a command on a new database and return exit status, standard output and standard error."""
    conf = tmp_path / "designate.conf"
    conf.write_text(f"[storage:sqlalchemy]\nconnection = sqlite:///{tmp_path}/d.sqlite\n")

    def command(*words):
        capsys.readouterr()
        status = manage.main(["--config-file", str(conf), *words])
        return status, *capsys.readouterr()

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield command
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def pools_file(tmp_path):
    def write(text):
        path = tmp_path / "pools.yaml"
        path.write_text(text)
        return str(path)

    return write


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


def test_pools_are_shown_planned_applied_and_then_unchanged(run, pools_file):
    run("database", "sync")
    path = pools_file(POOLS)

    planned = run("pool", "update", "--file", path, "--dry-run")
    untouched = run("pool", "show_config")[1]
    applied = run("pool", "update", "--file", path)
    again = run("pool", "update", "--file", path)
    shown = run("pool", "show_config")

    assert planned[0] == 0
    assert "The following changes will occur:" in planned[1]
    assert "Update Pool: default: nameservers" in planned[1]
    assert "nameservers: []" in untouched
    assert (applied[0], applied[1].splitlines()[-1]) == (0, "Done.")
    assert (again[0], again[1].splitlines()[-1]) == (0, "Nothing to change.")
    assert shown[1].startswith("Pool Configuration:\n-------------------\n")
    assert yaml.safe_load(shown[1].split("\n", 2)[2])[0]["nameservers"] == [
        {"host": "192.0.2.2", "port": 53}
    ]


def test_a_plan_shows_what_differs_and_nothing_that_stays(run, pools_file):
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS))
    changed = POOLS.replace(
        "nameservers: [{host: 192.0.2.2, port: 53}]",
        "nameservers: [{host: 192.0.2.2, port: 53}, {host: 192.0.2.3, port: 53}]",
    ).replace("ns_records: [", "ns_records: [{hostname: ns0.example.org., priority: 2}, ")

    status, printed, _ = run("pool", "update", "--dry-run", "--file", pools_file(changed))

    assert status == 0
    assert printed.splitlines()[4:] == [
        f"Update Pool: <Pool id:'{DEFAULT_ID}' name:'default'>",
        "Update Pool: default: ns_records",
        "  - none",
        "  + hostname=ns0.example.org. priority=2",
        "Update Pool: default: nameservers",
        "  - none",
        "  + host=192.0.2.3 port=53",
    ]


def test_a_plan_shows_the_changed_option_of_a_target_alone(run, pools_file):
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS))
    secret = pools_file(POOLS.replace("s3cret", "s3cret2"))
    changed = POOLS.replace("s3cret", "s3cret2").replace("port: 53}]", "port: 54}]", 1)

    only_secret = run("pool", "update", "--dry-run", "--file", secret)[1].splitlines()[5:]
    both = run("pool", "update", "--dry-run", "--file", pools_file(changed))[1].splitlines()[5:]

    assert only_secret[0] == "Update Pool: default: targets[1]"
    assert only_secret[1].endswith("=***")
    assert only_secret[2].endswith("=*** (changed)")
    assert " " not in only_secret[1].removeprefix("  - "), "one option"
    assert both[:3] == ["Update Pool: default: nameservers[1]", "  - port=53", "  + port=54"]
    assert both[3:] == only_secret


def test_a_plan_shows_both_orders_where_only_the_order_changes(run, pools_file):
    two = "ns_records: [{{hostname: {}.example.org.}}, {{hostname: {}.example.org.}}]"
    old = "ns_records: [{hostname: ns1.example.org., priority: 1}]"
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS.replace(old, two.format("ns1", "ns2"))))

    again = pools_file(POOLS.replace(old, two.format("ns2", "ns1")))
    printed = run("pool", "update", "--dry-run", "--file", again)[1]

    assert printed.splitlines()[-2:] == [
        "  - hostname=ns1.example.org. priority=1; hostname=ns2.example.org. priority=1",
        "  + hostname=ns2.example.org. priority=1; hostname=ns1.example.org. priority=1",
    ]


def test_secrets_stay_out_of_what_is_printed(run, pools_file):
    run("database", "sync")
    path = pools_file(POOLS)

    printed = [
        *run("pool", "update", "--file", path),
        *run("pool", "update", "--file", pools_file(POOLS.replace("s3cret", "s3cret2"))),
        *run("pool", "show_config", "--all_pools"),
    ]

    assert not any("s3cret" in str(text) for text in printed)
    assert "s3cret2" in run("pool", "show_config", "--show-secrets")[1]


def test_a_generated_file_is_private_and_changes_nothing_when_it_is_applied(
    run, pools_file, tmp_path
):
    run("database", "sync")
    run("pool", "update", "--file", pools_file(POOLS))
    target = tmp_path / "generated.yaml"
    target.write_text("old")
    target.chmod(0o644)

    status, out, _ = run("pool", "generate_file", "--file", str(target))

    assert (status, out) == (0, "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "s3cret" in target.read_text()
    assert "Nothing to change." in run("pool", "update", "--file", str(target))[1]
    assert sorted(tmp_path.glob(".generated*")) == []


def test_pools_that_left_the_file_go_only_when_it_is_asked_for(run, pools_file):
    run("database", "sync")
    both = POOLS + POOLS.replace(f"  id: {DEFAULT_ID}\n", "").replace("default", "second")
    run("pool", "update", "--file", pools_file(both))
    path = pools_file(POOLS)

    run("pool", "update", "--file", path)
    kept = run("pool", "show_config", "--all_pools")[1]
    deleted = run("pool", "update", "--file", path, "--delete")
    left = run("pool", "show_config", "--all_pools")[1]

    assert "name: second" in kept
    assert "Delete Pool: second" in deleted[1]
    assert "name: second" not in left


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[", "pools.yaml: while parsing"),
        ("name: p", "pools.yaml: top level: must be a list"),
        (POOLS.replace("type: fake", "type: agent"), "driver type: agent"),
        (POOLS.replace("priority: 1", "priority: x"), "pool default: ns_records[0]: priority"),
    ],
)
def test_a_faulty_file_changes_nothing_and_is_explained(run, pools_file, text, fault):
    run("database", "sync")

    status, out, err = run("pool", "update", "--file", pools_file(text))

    assert (status, out) == (1, "")
    assert fault in err
    assert "Traceback" not in err
    assert "nameservers: []" in run("pool", "show_config")[1]


def test_what_a_file_says_nothing_about_stays(run, pools_file):
    run("database", "sync")
    more = "  also_notifies: [{host: 192.0.2.4, port: 53}]\n  attributes: {tier: gold}\n"
    run("pool", "update", "--file", pools_file(POOLS.rstrip("\n") + "\n" + more))
    stored = run("pool", "show_config")[1]

    silent = run("pool", "update", "--file", pools_file("- {name: default}"))
    kept = run("pool", "show_config")[1]
    emptied = run("pool", "update", "--file", pools_file("- {name: default, also_notifies: []}"))

    assert "Nothing to change." in silent[1]
    assert kept == stored
    assert "tier: gold" in kept
    assert "Update Pool: default: also_notifies" in emptied[1]
    assert "also_notifies: []" in run("pool", "show_config")[1]


def test_a_new_pool_needs_what_a_stored_one_may_keep(run, pools_file):
    run("database", "sync")

    status, _, err = run("pool", "update", "--file", pools_file("- {name: other}"))

    assert status == 1
    assert "pools.yaml: pool other: ns_records: required for a new pool" in err


def test_target_types_can_be_left_unchecked(run, pools_file):
    run("database", "sync")
    path = pools_file(POOLS.replace("type: fake", "type: of_another_host"))

    assert run("pool", "update", "--file", path, "--skip-verify-drivers")[0] == 0


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
def central(run, tmp_path):
    """Return central on the same database."""
    run("database", "sync")
    conf = cfg.ConfigOpts()
    config.register(conf)
    conf([], default_config_files=[str(tmp_path / "designate.conf")])
    return processes.central_client(conf)


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


def check(tmp_path):
    """Return the exit status and the results of the checks of designate-status."""
    program = Path(sys.executable).parent / "designate-status"
    done = subprocess.run(
        [program, "--config-file", str(tmp_path / "designate.conf"), "upgrade", "check"],
        capture_output=True,
        text=True,
        timeout=scaled(60),
    )
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
        database.execute("UPDATE alembic_version SET version_num = '0001_first'")
    old_schema = check(tmp_path)

    assert empty[0] == 2
    assert empty[1]["Database Schema"] == "Failure"
    names = ["Database Schema", "Duplicate service status", "Policy File JSON to YAML Migration"]
    assert ready == (0, dict.fromkeys(names, "Success"))
    assert (old_policy[0], old_policy[1][names[2]]) == (2, "Failure")
    assert old_schema[1]["Database Schema"] == "Warning"


def test_pool_changes_touch_only_the_zones_that_they_concern(run, central, pools_file):
    run("pool", "update", "--file", pools_file(POOLS))
    user = Context(project_id="p", user_id="u", roles=["admin"], is_admin=True)
    mail = "a@example.com"
    kept = central.zones.create(user, ZoneDraft(name="kept.example.", email=mail))
    leaving = central.zones.create(user, ZoneDraft(name="leaving.example.", email=mail))
    masters = (PrimaryAddress(host="192.0.2.77", port=53),)
    secondary = central.zones.create(
        user, ZoneDraft(name="second.example.", type=ZoneType.SECONDARY, masters=masters)
    )
    central.zones.delete(user, leaving.id)

    def seen():
        return [central.zones.get(admin_context(), z.id) for z in (kept, leaving, secondary)]

    before = seen()
    elsewhere = POOLS.replace("192.0.2.1,", "192.0.2.9,").replace("priority: 1", "priority: 5")
    run("pool", "update", "--file", pools_file(elsewhere))
    after_masters = seen()
    renamed = elsewhere.replace("ns1.example.org.", "ns9.example.org.")
    run("pool", "update", "--file", pools_file(renamed))
    after_ns = seen()

    assert before[1].action is Action.DELETE
    assert after_masters == before
    assert after_ns[0].revision == before[0].revision + 1
    assert after_ns[1:] == before[1:]
    assert after_ns[2].masters == masters
