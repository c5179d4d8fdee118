"""The daemons under the restrictions of their units: ready, working, reloaded and stopped in order.

A machine of tests.support.machine starts them from the installed unit files. Broker, database and BIND are
those of the tests, on loopback.
"""

from __future__ import annotations

import json

import pytest
import requests

from tests.support.deadlines import scaled, until
from tests.support.machine.machine import Machine
from tests.support.servers.daemons import configuration
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import ask, bind_pool, texts

NAMES = ("central", "worker", "mdns", "producer", "sink", "api")
CHANGED = "Option DEFAULT.debug changed"
UNITS = " ".join(f"designate-{name}" for name in NAMES)
PROBE = """\
import ctypes, errno, json, mmap, os, pathlib, socket

def outcome(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def write(path):
    return lambda: pathlib.Path(path).write_text("x")

def capabilities():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapBnd:"))

def execute_written():
    mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)

write("/var/log/designate/probe.json")()
found = {
    "state": outcome(write("/var/lib/designate/x")),
    "run": outcome(write("/run/designate/x")),
    "temporary": outcome(write("/tmp/x")),
    "configuration": outcome(write("/etc/designate/x")),
    "log of others": outcome(write("/var/log/x")),
    "program": outcome(write("/opt/designate/bin/x")),
    "netlink": outcome(lambda: socket.socket(socket.AF_NETLINK)),
    "writable code": outcome(execute_written),
    "capabilities": capabilities(),
    "owner": outcome(lambda: os.chown("/var/lib/designate/x", 0, 0)),
    "home": os.path.exists("/root/secret"),
    "host's temporary": os.path.exists("/tmp/of-host"),
    "devices": os.path.exists("/dev/kmsg"),
    "root": os.getuid() == 0,
}
write("/var/log/designate/probe.json")()
pathlib.Path("/var/log/designate/probe.json").write_text(json.dumps(found))
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
    sock.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
import time
time.sleep(600)
"""


@pytest.fixture(scope="module")
def bind(tmp_path_factory):
    with Named(tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture(scope="module")
def ports():
    return {"api": free_port(), "mdns": free_port()}


@pytest.fixture(scope="module")
def machine(wheel, broker, mariadb, bind, ports):
    conf = configuration(
        {
            "DEFAULT": {"transport_url": broker.fresh(), "log_dir": "/var/log/designate"},
            "storage:sqlalchemy": {"connection": mariadb.fresh()},
            "service:api": {
                "auth_strategy": "noauth",
                "listen": f"127.0.0.1:{ports['api']}",
            },
            "service:mdns": {"listen": f"127.0.0.1:{ports['mdns']}"},
            "service:worker": {"workers": 2},
        }
    )
    pools = bind_pool(bind, ports["mdns"])
    pools[0]["targets"][0]["options"]["rndc_key_file"] = "/etc/designate/rndc.key"
    with Machine() as made:
        made.install(wheel, "/opt/designate")
        made.run("/opt/designate/bin/designate-install; systemd-sysusers designate.conf")
        made.run("systemd-tmpfiles --create designate.conf")
        made.run("chgrp designate /etc/designate; chmod 750 /etc/designate; umask 027")
        for name, text in {
            "designate.conf": conf,
            "pools.yaml": json.dumps(pools),
            "rndc.key": bind.key_file.read_text(),
        }.items():
            made.write(f"/etc/designate/{name}", text)
            made.run(f"chgrp designate /etc/designate/{name}; chmod 640 /etc/designate/{name}")
        made.run("/opt/designate/bin/designate-manage database sync")
        made.run("/opt/designate/bin/designate-manage pool update")
        yield made


@pytest.fixture
def running(machine):
    """Start the units that do not run; each start waits for the daemon's READY=1."""
    machine.run(f"systemctl enable --now {UNITS}")
    return machine


def logged(machine, name):
    return machine.run(f"cat /var/log/designate/designate-{name}.log")


@pytest.mark.usefixtures("running")
def test_a_zone_is_served(ports, bind):
    http = requests.Session()
    url = f"http://127.0.0.1:{ports['api']}/v2/zones"
    body = {"name": "confined.example.", "email": "admin@example.org"}
    zone = http.post(url, json=body, timeout=scaled(30)).json()
    address = f"{url}/{zone['id']}"
    record = {"name": "www.confined.example.", "type": "A", "records": ["192.0.2.7"]}
    http.post(f"{address}/recordsets", json=record, timeout=scaled(30)).raise_for_status()

    def status():
        return http.get(address, timeout=scaled(30)).json()["status"]

    until(lambda: status() == "ACTIVE", 30, "the zone ACTIVE")

    assert texts(ask(("127.0.0.1", bind.port), "www.confined.example.", "A")) == {"192.0.2.7"}


def test_reload_reads_the_configuration_again(running):
    """The log level is mutable, and the log says what was changed."""
    running.run("sed -i 's/^log_dir/debug = true\\nlog_dir/' /etc/designate/designate.conf")

    running.run("systemctl reload designate-central designate-worker")

    for name in ("central", "worker"):
        until(lambda name=name: CHANGED in logged(running, name), 20, f"reload of {name}")


def test_daemons_stop_in_order(running):
    """The command fails where it had to kill a process at the end of TimeoutStopSec."""
    assert running.run("pgrep -f /opt/designate/bin/designate-").split()

    running.run(f"systemctl stop {UNITS}")

    assert running.attempt("pgrep -f /opt/designate/bin/designate-").stdout == ""


def test_a_unit_denies_what_it_says(machine):
    """Otherwise the other tests of this file would prove nothing."""
    machine.run("echo secret >/root/secret; touch /tmp/of-host")
    machine.write("/opt/probe.py", PROBE)
    machine.run(
        f"""
        cd /etc/systemd/system
        sed 's|^ExecStart=.*|ExecStart={machine.python} /opt/probe.py|' \\
            designate-central.service >designate-probe.service
        systemctl start designate-probe
        systemctl stop designate-probe
        rm /tmp/of-host
        """
    )

    assert json.loads(machine.run("cat /var/log/designate/probe.json")) == {
        "state": "done",
        "run": "done",
        "temporary": "done",
        "configuration": "EROFS",
        "log of others": "EROFS",
        "program": "EROFS",
        "netlink": "EAFNOSUPPORT",
        "writable code": "EPERM",
        "capabilities": 1 << 10,  # of ports below 1024
        "owner": "EPERM",
        "home": False,
        "host's temporary": False,
        "devices": False,
        "root": machine.has_one_account,
    }
