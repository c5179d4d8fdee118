"""The most important paths on green threads; `tools/test eventlet` runs all functional tests so."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from designate.runtime import concurrency
from tests.support.deadlines import scaled
from tests.support.servers.databases import MariaDB, PostgreSQL

ROOT = Path(__file__).parents[2]
SECONDARY = "tests/functional/test_secondary.py::test_"
MAIN_JOB = "tests/functional/test_main_job.py"
TOGETHER = f"{MAIN_JOB}::test_many_clients_changing_one_zone_and_many_lose_nothing"
PROGRAM = "tests/functional/test_standalone_program.py::test_"
SERVERS = "on servers' databases"
PARTS = {
    "the main job": (MAIN_JOB, "-k", "sqlite"),
    SERVERS: (f"{TOGETHER}[mariadb]", f"{TOGETHER}[postgresql]"),
    "beside a broken database": (
        "tests/contract/test_storage_outages.py",
        "-k",
        "left_behind or unanswered",
    ),
    "imports and exports": ("tests/functional/test_imports_and_exports.py",),
    "zones of other primaries": (
        f"{SECONDARY}a_zone_of_a_real_primary_is_served_and_follows_its_changes",
        f"{SECONDARY}of_several_primaries_the_newest_wins_whichever_is_down",
    ),
    "MiniDNS over TCP and TLS": (
        "tests/conformance/test_dns_tcp.py",
        "tests/conformance/test_dns_tls.py",
    ),
    "the program": (f"{PROGRAM}a_signal_ends_it_in_order",),
}
TIMEOUT_S = 240
PLUGINS = ("tests.support.green", "pytest_timeout", "no:cacheprovider")
COMMAND = [sys.executable, "-m", "pytest", *(part for name in PLUGINS for part in ("-p", name))]


@pytest.fixture
def folder() -> Iterator[str]:
    """Return a short path, since that of Knot's socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="green-") as folder:
        yield folder


@pytest.mark.timeout(TIMEOUT_S + 60)
@pytest.mark.parametrize("part", PARTS)
def test_it_works_on_green_threads_too(
    part: str, folder: str, request: pytest.FixtureRequest
) -> None:
    shared = {}
    if part == SERVERS:
        for kind in (MariaDB, PostgreSQL):
            shared[kind.variable()] = str(request.getfixturevalue(kind.kind).port)
    process = subprocess.Popen(
        [*COMMAND, f"--basetemp={folder}/t", *PARTS[part]],
        # Most plug-ins take a second to load, and no part needs them.
        env={
            **os.environ,
            **shared,
            concurrency.VARIABLE: "eventlet",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=scaled(TIMEOUT_S))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # for it has servers to end
            process.communicate(timeout=scaled(30))

    assert process.returncode == 0, output
    assert re.fullmatch(r"\d+ passed(, \d+ deselected)? in .+", output.splitlines()[-1]), output
