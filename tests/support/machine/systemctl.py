"""systemctl for a machine of tests: starts, reloads and stops services by their units, and waits for them.

    systemctl start|stop|restart|reload|is-active UNIT...
    systemctl enable [--now] UNIT...
    systemctl daemon-reload

A unit of this project runs under its restrictions (tests.support.machine.confine); its readiness is what
it sends to a real socket. Units of others (databases, BIND) run with their command, account and
environment, and are ready when their port accepts connections. Logs are in /run/units.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from tests.support.deadlines import scaled, until
from tests.support.machine import confine
from tests.support.machine.units import Unit

RUN = Path("/run/units")
OWN = "designate-"
PORTS = {
    "mariadb": 3306,
    "rabbitmq-server": 5672,
    "named": 53,
    "keystone": 5000,
    "postgresql": 5432,
}
START_S = 90
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Of sendmsg(2) with credentials: process, user, group.
CREDENTIALS = struct.Struct("3i")


def main() -> int:
    verb, *names = sys.argv[1:]
    RUN.mkdir(exist_ok=True)
    units = [Unit(name) for name in names if not name.startswith("-")]
    if verb == "daemon-reload":
        return 0
    if verb == "is-active":
        return 0 if all(map(main_pid, units)) else 3
    if verb == "enable":
        for unit in units:
            assert unit.all("WantedBy", "Install"), f"{unit.name} has no [Install]"
        if "--now" not in names:
            return 0
    verbs = {"enable": start, "start": start, "stop": stop, "restart": restart, "reload": reload}
    failed = verbs[verb](units)
    for unit in failed:
        log = (RUN / f"{unit.name}.log").read_text(encoding="utf-8")
        sys.stderr.write(f"Job for {unit.name}.service failed:\n{log[-4000:]}\n")
    return 1 if failed else 0


def main_pid(unit: Unit) -> int:
    """Return the process id of the running service, or 0."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((RUN / f"{unit.name}.pid").read_text(encoding="utf-8"))
        if Path(f"/proc/{pid}/exe").readlink():
            return pid
    return 0


def start(units: list[Unit]) -> list[Unit]:
    """Start all services at the same time, and return those that did not become ready."""
    jobs = [Job(unit) for unit in units if not main_pid(unit)]
    return [job.unit for job in jobs if not job.wait()]


class Job:
    """The start of a service."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        path = RUN / f"{unit.name}.notify"
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listener.bind(os.fspath(path))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._listener.settimeout(0.1)
        path.chmod(0o777)
        with (RUN / f"{unit.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                command(unit),
                env=environment(unit) | {"NOTIFY_SOCKET": os.fspath(path)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=unit.get("WorkingDirectory", "/"),
                start_new_session=True,
            )
        (RUN / f"{unit.name}.pid").write_text(str(self._process.pid), encoding="utf-8")

    def wait(self) -> bool:
        """Wait until the service is ready; false where it ended instead."""
        with self._listener:
            until(
                lambda: self._process.poll() is not None or self._ready(), START_S, self.unit.name
            )
        return self._process.poll() is None

    def _ready(self) -> bool:
        """Return whether its port accepts, or a process that NotifyAccess allows has sent READY=1."""
        if self.unit.name in PORTS:
            return accepts(PORTS[self.unit.name])
        try:
            text, control, *_ = self._listener.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
        except TimeoutError:
            return False
        sender, *_ = CREDENTIALS.unpack(control[0][2])
        access = self.unit.get("NotifyAccess", "main")
        allowed = access == "all" or sender == self._process.pid
        return allowed and b"READY=1" in text.split(b"\n")


def command(unit: Unit) -> list[str]:
    if unit.name.startswith(OWN):
        return ["unshare", "--mount", *confine.step_command("files", unit.name)]
    (words,) = unit.commands("ExecStart", **unit.environment())
    return [*confine.account(unit), *words] if unit.get("User") else words


def environment(unit: Unit) -> dict[str, str]:
    """Return the clean environment of a service."""
    found = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", **unit.environment()}
    if unit.name.startswith(OWN):
        # For the programs that confine it.
        found |= {"PYTHONPATH": os.environ["PYTHONPATH"]}
    if unit.get("User"):
        found |= {"USER": unit.get("User"), "HOME": pwd.getpwnam(unit.get("User")).pw_dir}
    return found


def accepts(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0


def stop(units: list[Unit]) -> list[Unit]:
    """Stop services in order, and return those that had to be killed."""
    pids = {unit.name: main_pid(unit) for unit in units}
    for pid in filter(None, pids.values()):
        os.kill(pid, signal.SIGTERM)
    began_s = time.monotonic()
    killed = []
    for unit in units:
        limit_s = scaled(unit.seconds("TimeoutStopSec", "90"))
        while main_pid(unit):
            if time.monotonic() - began_s > limit_s:
                os.kill(pids[unit.name], signal.SIGKILL)
                killed.append(unit)
                break
            time.sleep(0.01)
    return killed


def restart(units: list[Unit]) -> list[Unit]:
    return stop(units) or start(units)


def reload(units: list[Unit]) -> list[Unit]:
    """Run ExecReload of the services, and return those for which it failed."""
    return [
        unit
        for unit in units
        for words in unit.commands("ExecReload", MAINPID=str(main_pid(unit) or ""))
        if subprocess.run(words, check=False, timeout=scaled(30)).returncode != 0
    ]


if __name__ == "__main__":
    sys.exit(main())
