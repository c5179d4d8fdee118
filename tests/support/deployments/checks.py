"""Health checks as deployment tools make them, and programs that look at a running deployment."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from tests.support.deadlines import scaled, until
from tests.support.deployments.machine import Machine

ESTABLISHED = "01"
WARNING = "nothing reads these, check their names: "


def connected(machine: Machine, title: str, port: int) -> bool:
    """Return whether a process of the machine holds an established TCP connection to a local port.

    Args:
        machine: On which the process runs.
        title: Part of the process's command line.
        port: Of the other side.
    """
    ids = [pid for name in machine.processes for pid in machine.group(name) if title in _title(pid)]
    return any(_sockets(pid) & _connections(port) for pid in ids)


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _sockets(pid: int) -> set[str]:
    """Return the inodes of a process's sockets."""
    folder, found = Path(f"/proc/{pid}/fd"), set()
    try:
        for name in os.listdir(folder):
            target = os.readlink(folder / name)
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        return found
    return found


def _connections(port: int) -> set[str]:
    """Return the inodes of the host's established connections to a port, of both families."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == ESTABLISHED and int(fields[2].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


def unread_options(log: str) -> set[str]:
    """Return what a daemon's log names as read by nothing, without suggestions."""
    lines = [line for line in log.splitlines() if WARNING in line]
    assert lines, log
    names = lines[0].partition(WARNING)[2].split("; ")
    return {name.partition(" (")[0] for name in names}


def pgrep(pattern: str) -> set[int]:
    """Return the processes in a usual state whose command line matches."""
    done = subprocess.run(
        ["pgrep", "-r", "DRST", "-f", pattern], capture_output=True, text=True, timeout=scaled(20)
    )
    return {int(line) for line in done.stdout.split()}


def assert_administered(machine: Machine, folder: str = "", manage: str = "") -> None:
    """Assert that an operator can list and clean up services, and check for upgrades.

    Args:
        machine: On which designate-manage and designate-status run.
        folder: Of the programs, with a slash at its end.
        manage: Options of designate-manage.
    """
    listed, cleaned, checked = machine.run_parallel(
        f"{folder}designate-manage {manage} service list",
        f"{folder}designate-manage {manage} service clean",
        f"{folder}designate-status upgrade check",
    )
    assert listed.returncode == 0, listed.stderr
    # A daemon that waited for its schema sends its first heartbeat some seconds later.
    command = f"{folder}designate-manage {manage} service list".split()
    until(lambda: "central" in machine.run(*command).stdout, 30, "central in the list of services")
    assert cleaned.returncode == 0, cleaned.stderr
    assert checked.returncode == 0, checked.stdout + checked.stderr


def invalid_options(machine: Machine, generator: str, conf: str, folder: str = "") -> set[str]:
    """Return what oslo-config-validator finds that is no option; its status must be 0 or 1."""
    done = machine.run(
        f"{folder}oslo-config-validator", "--config-file", generator, "--input-file", conf
    )
    assert done.returncode in (0, 1), done.stderr
    found = set()
    for line in done.stderr.splitlines():
        level, _, text = line.partition(":")
        if level == "ERROR":
            found.add(text.removeprefix("oslo_config.validator:").split()[0])
    assert bool(found) == (done.returncode == 1), done.stderr
    return found


def listens(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(scaled(2))
        return sock.connect_ex(("127.0.0.1", port)) == 0
