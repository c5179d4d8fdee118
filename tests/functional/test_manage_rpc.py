"""designate-manage without a database connection, over RPC to the running central."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.support.deadlines import scaled, until
from tests.support.servers import schema
from tests.support.servers.daemons import configuration
from tests.support.servers.nameservers import free_port

BIN = Path(sys.executable).parent
# Deployment tools wait this long.
MAX_S = 60
POOLS = """
- name: default
  ns_records: [{hostname: ns1.example.org., priority: 1}]
  nameservers: [{host: 192.0.2.2, port: 53}]
  targets: [{type: fake, masters: [{host: 192.0.2.1, port: 5354}], options: {host: 192.0.2.2}}]
"""


@pytest.fixture
def pools_file(tmp_path):
    path = tmp_path / "pools.yaml"
    path.write_text(POOLS)
    return str(path)


@pytest.fixture
def manage(tmp_path):
    """Run designate-manage with these options and return status, output, errors and seconds."""

    def run(options, *words):
        conf = tmp_path / "manage.conf"
        conf.write_text(configuration(options))
        began_s = time.monotonic()
        done = subprocess.run(
            [BIN / "designate-manage", "--config-file", conf, *words],
            capture_output=True,
            text=True,
            timeout=scaled(2 * MAX_S),
        )
        return done.returncode, done.stdout, done.stderr, time.monotonic() - began_s

    return run


@pytest.fixture
def url(broker):
    return broker.fresh()


@pytest.fixture
def central(url, sqlite, tmp_path):
    """Run designate-central until it listens."""
    database = sqlite.fresh()
    schema.migrate(database)
    conf = tmp_path / "central.conf"
    listen = f"127.0.0.1:{free_port()}"
    conf.write_text(
        configuration(
            {
                "DEFAULT": {"transport_url": url},
                "storage:sqlalchemy": {"connection": database},
                "monitoring": {"listen_central": listen},
            }
        )
    )
    with (tmp_path / "central.log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "designate-central", "--config-file", conf], stdout=log, stderr=log
        )
    yield process
    process.terminate()
    try:
        process.wait(timeout=scaled(30))
    finally:
        process.kill()
        process.wait(timeout=scaled(20))


def test_pools_are_updated_through_central(central, url, manage, pools_file, tmp_path):  # noqa: ARG001
    options = {"DEFAULT": {"transport_url": url}}
    until(lambda: manage(options, "service", "list")[0] == 0, 60, "central's first answer")

    planned = manage(options, "pool", "update", "--file", pools_file, "--dry-run")
    applied = manage(options, "pool", "update", "--file", pools_file)
    again = manage(options, "pool", "update", "--file", pools_file)
    shown = manage(options, "pool", "show_config")
    tlds = tmp_path / "tlds.csv"
    tlds.write_text("com,commercial\norg\n")
    imported = manage(options, "tlds", "import", "--input_file", tlds)
    cleaned = manage(options, "service", "clean")

    line = "Update Pool: <Pool id:'794ccc2c-d751-44fe-b57f-8894c9f5c842' name:'default'>"
    assert [call[0] for call in (planned, applied, again, shown, imported, cleaned)] == [0] * 6
    assert line in planned[1].splitlines()
    assert line in again[1].splitlines()
    assert applied[1].splitlines()[-1] == "Done."
    assert again[1].splitlines()[-1] == "Nothing to change."
    assert yaml.safe_load(shown[1].split("\n", 2)[2])[0]["nameservers"] == [
        {"host": "192.0.2.2", "port": 53}
    ]
    assert imported[1] == "Number of tlds added: 2\n"
    assert cleaned[1] == "Job finished.\n"


@pytest.fixture
def hanging():
    """Listen on a port and answer nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


def failures(url, hanging):
    """Return configurations in which something is away, and what the command must say."""
    closed = free_port()
    no_reply = "designate-central did not reply"
    patient = {"rpc_response_timeout": 60}
    return {
        "central absent": ({"DEFAULT": {"transport_url": url, **patient}}, no_reply),
        "broker refuses": (
            {"DEFAULT": {"transport_url": f"rabbit://a:b@127.0.0.1:{closed}/x", **patient}},
            no_reply,
        ),
        "broker hangs": (
            {"DEFAULT": {"transport_url": f"rabbit://a:b@127.0.0.1:{hanging}/x", **patient}},
            no_reply,
        ),
        "wrong password": (
            {"DEFAULT": {"transport_url": url.replace("guest:guest", "guest:s3cret"), **patient}},
            "The message broker refuses: ",
        ),
        "database refuses": (
            {"storage:sqlalchemy": {"connection": f"mysql://a:s3cret@127.0.0.1:{closed}/x"}},
            "The database is unavailable",
        ),
        "database hangs": (
            {"storage:sqlalchemy": {"connection": f"mysql://a:s3cret@127.0.0.1:{hanging}/x"}},
            "The database is unavailable",
        ),
        "nothing configured": ({"DEFAULT": {}}, "transport_url is set"),
    }


def test_a_command_ends_in_time_whatever_is_away(url, hanging, pools_file, tmp_path):
    """All run at once, since each waits for long."""
    running = {}
    began_s = time.monotonic()
    for number, (name, (options, text)) in enumerate(failures(url, hanging).items()):
        conf = tmp_path / f"{number}.conf"
        conf.write_text(configuration(options))
        command = (BIN / "designate-manage", "--config-file", conf, "pool", "update", "--file")
        process = subprocess.Popen(
            [*command, pools_file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running[name] = process, text

    for name, (process, text) in running.items():
        out, err = process.communicate(timeout=scaled(MAX_S))
        assert (process.returncode, out) == (1, ""), name
        assert text in err.splitlines()[-1], name
        assert len(err.splitlines()) <= 2, name
        assert "s3cret" not in err
    assert time.monotonic() - began_s < scaled(MAX_S)


def test_an_unavailable_broker_of_notifications_does_not_stop_an_update(
    hanging, manage, pools_file, tmp_path
):
    options = {
        "storage:sqlalchemy": {"connection": f"sqlite:///{tmp_path}/d.sqlite"},
        "oslo_messaging_notifications": {
            "driver": "messagingv2",
            "transport_url": f"rabbit://a:b@127.0.0.1:{hanging}/x",
        },
        "oslo_messaging_rabbit": {"use_queue_manager": "true"},
    }
    manage(options, "database", "sync")

    status, out, err, took_s = manage(options, "pool", "update", "--file", pools_file)

    assert (status, out.splitlines()[-1]) == (0, "Done.")
    assert len(err.splitlines()) <= 2
    assert took_s < scaled(MAX_S)
