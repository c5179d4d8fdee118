"""The operator's guide, followed word by word on an empty machine.

The blocks of its chapter Install run in order, in one shell, in namespaces with the real servers on
their usual ports. Two programs are replaced: apt-get, which finds the packages of bindep.txt installed, and
systemctl (see tests.support.machine). pip takes packages from the environment of the tests.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.deadlines import until
from tests.support.machine.debian import Debian
from tests.support.machine.machine import SHOWN, Machine
from tests.support.machine.shell import Shell

CHECKOUT = Path(__file__).parents[2]
GUIDE = (CHECKOUT / "doc/operator.md").read_text(encoding="utf-8")
STEPS = (
    "Packages",
    "The programs",
    "The database",
    "The message bus",
    "Keystone",
    "designate.conf",
    "BIND and the pool",
)
DAEMONS = ("api", "central", "mdns", "producer", "worker")
PIP = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # the option's name is "no": 0 means without isolation
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
# The machine of the fixture follows the whole chapter, mostly in single steps of a second or two.
pytestmark = pytest.mark.timeout(300)


def section(title: str) -> str:
    """Return a section of the chapter Install."""
    (chapter,) = re.findall(r"^## Install\n(.*?)^## ", GUIDE, re.DOTALL | re.MULTILINE)
    (found,) = re.findall(
        rf"^### {re.escape(title)}\n(.*?)(?=^### |\Z)", chapter, re.DOTALL | re.MULTILINE
    )
    return str(found)


def blocks(title: str, language: str = "sh") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", section(title), re.DOTALL | re.MULTILINE)


def satisfied_constraints() -> str:
    """Return the lines of tools/constraints.txt with the versions that the tests have."""
    found = []
    for line in (CHECKOUT / "tools/constraints.txt").read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition(";")[0].strip().partition("==")
        with contextlib.suppress(metadata.PackageNotFoundError):
            # These two are the virtual environment's own.
            if name not in ("pip", "setuptools") and metadata.version(name) == version:
                found.append(line)
    return "\n".join(found)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Return a shell in which everything up to the start of the daemons was done."""
    constraints = tmp_path_factory.mktemp("guide") / "constraints.txt"
    constraints.write_text(satisfied_constraints(), encoding="utf-8")
    shown = {"checkout/tools/constraints.txt": constraints}
    with contextlib.ExitStack() as opened:
        machine = opened.enter_context(Machine(network=True, shown=shown))
        debian = Debian(machine)
        background = opened.enter_context(ThreadPoolExecutor(1))
        # As apt-get would; meanwhile pip runs.
        servers = background.submit(debian.start_servers)
        environment = {**debian.administrator, **PIP}
        shell = opened.enter_context(Shell(machine, f"{SHOWN}/checkout", environment))
        for title in STEPS:
            if title == "The database":
                servers.result()
            for block in blocks(title):
                shell.run(block)
        yield shell


@pytest.fixture(scope="module")
def started(shell: Shell) -> str:
    """Return what the first block of the chapter's end prints."""
    return shell.run(blocks("Start and check")[0])


@pytest.fixture(scope="module")
def served(shell: Shell, started: str) -> str:  # noqa: ARG001 - in this order
    """Create the zone, and return the block that shows it."""
    _, create, check = blocks("Start and check")
    shell.run(create)
    return check


def test_checks_succeed(started: str) -> None:
    assert set(re.findall(r"Result: (\w+)", started)) == {"Success"}, started


@pytest.mark.usefixtures("started")
def test_every_daemon_is_up(shell: Shell) -> None:
    """A daemon reports soon after its start."""
    command = blocks("Start and check")[0].splitlines()[-1]

    def all_are_up() -> bool:
        listed = re.findall(r"^\| \S+ +\| \S+ +\| (\w+) +\| UP ", shell.run(command), re.MULTILINE)
        return sorted(listed) == sorted(DAEMONS)

    until(all_are_up, 20, command)


def test_the_zone_is_active_and_served(shell: Shell, served: str) -> None:
    (expected,) = blocks("Start and check", "text")

    until(lambda: shell.run(served) == expected, 10, f"this output: {expected}")


@pytest.mark.usefixtures("started")
def test_secrets_are_readable_by_the_service_only(shell: Shell) -> None:
    listed = shell.run(
        "stat -c '%a %n' /etc/designate /etc/designate/{designate.conf,rndc.key,pools.yaml}"
    )

    assert listed.splitlines() == [
        "750 /etc/designate",
        "640 /etc/designate/designate.conf",
        "640 /etc/designate/rndc.key",
        "644 /etc/designate/pools.yaml",
    ]


@pytest.mark.usefixtures("started")
def test_daemons_know_every_option_of_the_guide(shell: Shell) -> None:
    logs = shell.run("cat /run/units/designate-*.log")

    assert re.findall(r"^.* WARNING .*\boptions? .*$", logs, re.MULTILINE) == []
    assert "Traceback" not in logs


def test_an_upgrade_keeps_the_zone(shell: Shell, served: str) -> None:
    before = shell.run("pgrep -f /opt/designate/bin/designate-").split()
    for block in blocks("Upgrade"):
        shell.run(block)
    after = shell.run("pgrep -f /opt/designate/bin/designate-").split()
    (expected,) = blocks("Start and check", "text")

    assert (len(after), set(before) & set(after)) == (len(DAEMONS), set())
    until(lambda: shell.run(served) == expected, 10, f"this output: {expected}")


def test_a_database_of_postgresql_takes_the_schema(wheel: Path) -> None:
    create, connection = blocks("PostgreSQL instead of MariaDB")[0], "    [storage:sqlalchemy]\n"
    conf = section("PostgreSQL instead of MariaDB").partition(connection)[2]
    with Machine(network=True) as machine:
        debian = Debian(machine)
        debian.start_postgresql()
        machine.install(wheel, "/opt/designate")
        with Shell(machine, "/", debian.administrator) as shell:
            shell.run(create)
            shell.run(
                "cat >/run/designate.conf <<EOF\n[storage:sqlalchemy]\n"
                + conf.strip().replace("PASSWORD", "$DATABASE_PASSWORD")
                + "\nEOF"
            )
            shell.run("/opt/designate/bin/designate-manage --config-file /run/designate.conf "
                      "database sync")  # fmt: skip
            shown = shell.run("/opt/designate/bin/designate-manage --config-file "
                              "/run/designate.conf database version")  # fmt: skip

    current, newest = re.findall(r"(?:Current|Latest)\D* (\S+)", shown)
    assert current == newest


def test_the_tests_have_the_packages_of_the_guide() -> None:
    named = set(re.findall(r"install --yes (.*)", blocks("Packages")[0])[0].split())
    bindep = set((CHECKOUT / "bindep.txt").read_text(encoding="utf-8").split())

    assert named <= bindep
