"""Every daemon ends soon after SIGTERM, whatever hangs; deployment tools kill after 30 s."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.deadlines import scaled, until
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import NAMES, Daemons
from tests.support.servers.nameservers import Named
from tests.support.servers.suspend import resume, suspend

LIMIT_S = 15


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[RabbitMQ]:
    """Return a broker that a test may suspend."""
    with RabbitMQ(tmp_path / "broker") as broker:
        yield broker


@contextmanager
def running(folder: Path, broker: RabbitMQ, workers: int) -> Iterator[Daemons]:
    options = {f"service:{name}": {"workers": workers} for name in NAMES}
    with (
        Named(folder / "bind") as bind,
        Daemons(
            folder / "cloud",
            f"sqlite:///{folder}/cloud/db.sqlite",
            broker.fresh(),
            bind,
            {
                **options,
                "oslo_messaging_rabbit": {"use_queue_manager": True},
                "DEFAULT": {"state_path": str(folder / "state")},
            },
        ) as cloud,
    ):
        yield cloud


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):  # any thread may fork
        found.extend(map(int, children.read_text().split()))
    return found


def stop_all(cloud: Daemons, kinds: tuple[str, ...]) -> dict[str, float]:
    """Send SIGTERM to all at once; return the seconds that each took."""
    began = time.monotonic()
    processes = {kind: cloud.processes.pop(f"{kind}-0") for kind in kinds}
    members = {kind: family(process.pid) for kind, process in processes.items()}
    for process in processes.values():
        process.send_signal(signal.SIGTERM)
    took = {}
    for kind, process in processes.items():
        try:
            process.wait(timeout=scaled(LIMIT_S))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=scaled(20))
            pytest.fail(f"{kind} did not end: {cloud.log(f'{kind}-0').read_text()[-3000:]}")
        took[kind] = time.monotonic() - began
    left = [pid for pids in members.values() for pid in pids if Path(f"/proc/{pid}").exists()]
    assert left == []
    return took


def connections(pids: list[int], port: int) -> int:
    """Return how many TCP connections to a port of 127.0.0.1 the processes have established."""
    inodes = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = os.readlink(descriptor)
            except OSError:
                continue  # closed since
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    remote = f"0100007F:{port:04X}"
    return sum(row[2] == remote and row[3] == "01" and row[9] in inodes for row in rows)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("workers", [1, 2])
def test_daemons_have_title_and_broker_connection_and_end_without_central(
    workers: int, own_broker: RabbitMQ, tmp_path: Path
) -> None:
    with running(tmp_path, own_broker, workers) as cloud:
        for kind in NAMES:
            pids = family(cloud.processes[f"{kind}-0"].pid)
            assert len(pids) == (1 if workers == 1 else 1 + workers)
            for pid in pids:
                assert f"designate-{kind}" in Path(f"/proc/{pid}/cmdline").read_text()
            until(
                lambda pids=pids: connections(pids, own_broker.port) > 0,
                20,
                f"a connection of designate-{kind} to the broker",
            )
        central = family(cloud.processes["central-0"].pid)
        for pid in central:
            suspend(pid)
        try:
            stop_all(cloud, tuple(name for name in NAMES if name != "central"))
        finally:
            for pid in central:
                resume(pid)
        stop_all(cloud, ("central",))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("workers", [1, 2])
def test_daemons_end_while_the_broker_hangs(
    workers: int, own_broker: RabbitMQ, tmp_path: Path
) -> None:
    with running(tmp_path, own_broker, workers) as cloud:
        own_broker.pause()
        try:
            stop_all(cloud, NAMES)
        finally:
            own_broker.resume()
