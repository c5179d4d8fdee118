"""Several producers over one database: their shards, and the failure of one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from designate import errors
from designate.context import admin_context
from designate.model.shards import PRODUCERS, SHARDS
from designate.producer.service import configured_membership
from tests.support.deadlines import scaled, until
from tests.support.servers import schema
from tests.support.servers.nameservers import Memcached
from tests.support.servers.producer_process import local_central
from tests.support.servers.standalone import make_conf
from tests.support.servers.suspend import resume, suspend

HEARTBEAT_S = 0.4
LIFETIME_S = 3 * HEARTBEAT_S
NOW = datetime(2026, 1, 1)
PROGRAM = "tests.support.servers.producer_process"
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Call:
    """One recovery sweep that central executed."""

    pid: int
    first: int
    last: int
    generation: int | None
    taken: bool


class Producers:
    """Producer processes and the log of their sweeps."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.url = f"sqlite:///{folder}/designate.sqlite"
        self.log = folder / "calls"
        self.log.touch()
        self._options = options
        self._folder = folder
        self.running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> int:
        with (self._folder / "producers.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM, self.url, str(self.log), *self._options],
                cwd=CHECKOUT,
                stdout=log,
                stderr=log,
            )  # fmt: skip
        self.running[process.pid] = process
        return process.pid

    def end(self, pid: int, how: signal.Signals) -> None:
        process = self.running.pop(pid)
        process.send_signal(how)
        process.wait(timeout=scaled(30))

    def stop(self) -> None:
        for pid in list(self.running):
            os.kill(pid, signal.SIGCONT)
            self.end(pid, signal.SIGTERM)

    def logs(self) -> str:
        """Return their logs."""
        return (self._folder / "producers.log").read_text()

    def calls(self) -> list[Call]:
        return [
            Call(int(pid), int(first), int(last), None if gen == "None" else int(gen), w == "taken")
            for pid, first, last, gen, w in map(str.split, self.log.read_text().splitlines())
        ]

    def wait_for_shares(self, *pids: int, timeout_s: float = 30) -> list[Call]:
        """Wait until exactly these share the shards, and return the last call of each."""

        def look() -> list[Call] | None:
            newest = {call.pid: call for call in self.calls()[-200:]}
            shares = [newest[pid] for pid in pids if pid in newest]
            shares.sort(key=lambda call: call.first)
            covered = [shard for c in shares for shard in range(c.first, c.last + 1)]
            same = len(shares) == len(pids) and len({call.generation for call in shares}) == 1
            return shares if same and covered == list(range(SHARDS)) else None

        found = until(look, timeout_s, f"shares of {pids} in {self.calls()[-20:]}")
        assert isinstance(found, list)
        return found


@pytest.fixture
def producers(tmp_path):
    schema.migrate(f"sqlite:///{tmp_path}/designate.sqlite")
    found = Producers(tmp_path, f"coordination.heartbeat_interval={HEARTBEAT_S}")
    yield found
    found.stop()


def assert_never_two_at_once(calls: list[Call]) -> None:
    """Assert that producers never shared a shard in a generation and generations never decreased."""
    held: dict[int | None, dict[int, tuple[int, int]]] = defaultdict(dict)
    for call in calls:
        if call.taken:
            held[call.generation].setdefault(call.pid, (call.first, call.last))
            assert held[call.generation][call.pid] == (call.first, call.last)
    assert held
    for ranges in held.values():
        ordered = sorted(ranges.values())
        assert all(a[1] < b[0] for a, b in pairwise(ordered)), ranges


def test_three_producers_divide_the_shards_and_share_those_of_one_that_is_killed(producers):
    pids = [producers.start() for _ in range(3)]
    shares = producers.wait_for_shares(*pids)
    assert [(c.first, c.last) for c in shares] == [(0, 1364), (1365, 2729), (2730, 4095)]

    producers.end(pids[1], signal.SIGKILL)
    # Two lifetimes of a lease, and time for a busy machine on top.
    producers.wait_for_shares(pids[0], pids[2], timeout_s=2 * LIFETIME_S + 20)
    producers.end(pids[0], signal.SIGTERM)
    (last,) = producers.wait_for_shares(pids[2])

    assert (last.first, last.last) == (0, 4095)
    assert_never_two_at_once(producers.calls())


def test_a_producer_that_was_paused_does_not_work_on_what_it_lost(producers):
    pids = [producers.start() for _ in range(2)]
    paused, other = pids
    producers.wait_for_shares(*pids)

    suspend(paused)
    (alone,) = producers.wait_for_shares(other)
    before = len(producers.calls())
    resume(paused)
    producers.wait_for_shares(*pids)

    later = [c for c in producers.calls()[before:] if c.pid == paused and c.taken]
    assert later
    assert all(call.generation > alone.generation for call in later)
    assert_never_two_at_once(producers.calls())


@pytest.fixture
def memcached():
    with Memcached() as found:
        yield found


@pytest.fixture
def coordinated(tmp_path, memcached):
    """Run producers whose membership is in memcached."""
    schema.migrate(f"sqlite:///{tmp_path}/designate.sqlite")
    url = f"memcached://127.0.0.1:{memcached.port}?timeout=5&membership_timeout=2"
    found = Producers(
        tmp_path,
        f"coordination.backend_url={url}",
        f"coordination.run_watchers_interval={HEARTBEAT_S}",
    )
    yield found
    found.stop()


def test_a_coordination_service_says_who_lives(coordinated):
    pids = [coordinated.start() for _ in range(3)]
    shares = coordinated.wait_for_shares(*pids)
    assert [(c.first, c.last) for c in shares] == [(0, 1364), (1365, 2729), (2730, 4095)]
    # No row of a lease was asked for.
    assert {call.generation for call in coordinated.calls()} == {None}

    coordinated.end(pids[1], signal.SIGKILL)
    coordinated.wait_for_shares(pids[0], pids[2])
    coordinated.end(pids[0], signal.SIGTERM)
    coordinated.wait_for_shares(pids[2])


def test_producers_find_each_other_again_after_the_coordination_service_was_away(
    coordinated, memcached
):
    pids = [coordinated.start() for _ in range(2)]
    coordinated.wait_for_shares(*pids)

    memcached.stop()
    coordinated.end(pids[1], signal.SIGKILL)
    until(lambda: "coordination service: request failed" in coordinated.logs(), 20, "a warning")
    with memcached:
        coordinated.wait_for_shares(pids[0])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nosuch://user:geheim@127.0.0.1", "looking for 'nosuch'"),
        ("etcd3+http://user:geheim@127.0.0.1", "No module named 'etcd3gw'"),
    ],
)
def test_a_coordination_service_without_a_driver_is_told_at_once(central, tmp_path, url, reason):
    conf = make_conf(tmp_path)
    conf.set_override("backend_url", url, "coordination")

    with pytest.raises(ValueError, match=reason) as told:
        configured_membership(conf, central)

    assert "[coordination] backend_url" in str(told.value)
    assert "geheim" not in str(told.value)


@pytest.fixture
def central(tmp_path):
    schema.migrate(f"sqlite:///{tmp_path}/designate.sqlite")
    client, bus = local_central(make_conf(tmp_path))
    bus.start()
    yield client
    bus.stop()


def test_work_on_shares_of_an_older_generation_is_refused(central):
    context = admin_context()
    first = central.leases.renew(context, PRODUCERS, "a", 60)
    again = central.leases.renew(context, PRODUCERS, "a", 60)
    second = central.leases.renew(context, PRODUCERS, "b", 60)

    assert again == first
    assert (first.position, first.members) == (0, 1)
    assert (second.position, second.members) == (1, 2)
    sweeps = central.sweeps
    for sweep in (
        lambda generation: central.status.recover(context, 0, 4095, 10, generation),
        lambda generation: central.secondary.refresh(context, 0, 4095, 10, generation),
        lambda generation: sweeps.purge(context, 0, 4095, 10, 0, generation),
        lambda generation: sweeps.follow_pools(context, 0, 4095, 10, generation),
        lambda generation: len(sweeps.audit(context, 0, 4095, 9, "", NOW, generation)),
    ):
        with pytest.raises(errors.LeaseLost):
            sweep(first.generation)
        assert sweep(second.generation) == 0
        assert sweep(None) == 0


def test_who_leaves_is_replaced_at_once(central):
    context = admin_context()
    central.leases.renew(context, PRODUCERS, "a", 60)
    before = central.leases.renew(context, PRODUCERS, "b", 60)
    central.leases.release(context, PRODUCERS, "a")

    def alone():
        place = central.leases.renew(context, PRODUCERS, "b", 60)
        return place if place.members == 1 else None

    place = until(alone, 10, "the other one's leave")
    assert (place.position, place.generation) == (0, before.generation + 1)
