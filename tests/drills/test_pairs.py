"""Two of each process under load: one is killed, or all are restarted one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.drills.load import Load
from tests.support.deadlines import until
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import NAMES, Daemons
from tests.support.servers.databases import MariaDB
from tests.support.servers.nameservers import Named

pytestmark = pytest.mark.timeout(300)

DEADLINE_S = 10.5  # see test_drills
WITHIN_S = 20.0
MIN_ACCEPTED = 20


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Named]:
    with Named(tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture(scope="module")
def pairs(
    tmp_path_factory: pytest.TempPathFactory, broker: RabbitMQ, mariadb: MariaDB, bind: Named
) -> Iterator[Daemons]:
    folder = tmp_path_factory.mktemp("pairs")
    counts = dict.fromkeys(NAMES, 2)
    with Daemons(folder, mariadb.migrated(), broker.fresh(), bind, counts=counts) as daemons:
        yield daemons


def await_more(load: Load) -> None:
    """Wait until more changes have been accepted."""
    seen = len(load.accepted)
    until(lambda: len(load.accepted) >= seen + MIN_ACCEPTED, 40, "load goes on")


@pytest.mark.parametrize("kind", NAMES)
def test_one_of_two_is_killed(pairs: Daemons, bind: Named, kind: str) -> None:
    with Load(pairs, f"pair{kind}") as load:
        await_more(load)
        pairs.kill(f"{kind}-0")
        await_more(load)
        pairs.start(f"{kind}-0")
        until(lambda: pairs.healthy(f"{kind}-0"), 30, f"{kind} works again")
        await_more(load)

    # A request to a killed API gets no response: at most one of each thread.
    load.check(bind, DEADLINE_S, WITHIN_S, broken=3 if kind == "api" else 0)


def test_all_are_restarted_one_by_one(
    pairs: Daemons, bind: Named, request: pytest.FixtureRequest
) -> None:
    """Restart all, or without --long one of each pair and the second MiniDNS.

    A BIND whose two primaries both refused it at once would not query either for ten minutes.
    """
    all_processes = request.config.getoption("--long")
    with Load(pairs, "rolling") as load:
        for name in pairs.names if all_processes else [*(f"{kind}-0" for kind in NAMES), "mdns-1"]:
            await_more(load)
            assert pairs.stop(name) == 0
            pairs.start(name)
            until(lambda name=name: pairs.healthy(name), 30, f"{name} works again")
        await_more(load)

    load.check(bind, DEADLINE_S, WITHIN_S)
