"""Faults under load, and their repair: no accepted change is lost, and no response is late.

Each drill is one row of the reliability targets with a short outage; with `--long` outages last as long
as the targets say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.drills.load import Load
from tests.support.deadlines import until
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import Daemons
from tests.support.servers.databases import MariaDB
from tests.support.servers.nameservers import Named
from tests.support.servers.standalone import ask

# The API's limit, which is rpc_response_timeout.
DEADLINE_S = 10.5
pytestmark = pytest.mark.timeout(300)

WITHIN_S = 20.0
MIN_ACCEPTED = 20
Action = Callable[[], None]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Named]:
    with Named(tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture(scope="module")
def database() -> Iterator[MariaDB]:
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, broker: RabbitMQ, bind: Named, database: MariaDB
) -> Iterator[Daemons]:
    folder = tmp_path_factory.mktemp("cloud")
    with Daemons(folder, database.migrated(), broker.fresh(), bind) as daemons:
        yield daemons


@pytest.fixture(scope="module")
def factor(request: pytest.FixtureRequest) -> int:
    """By how much the outages are longer than the numbers here."""
    return 4 if request.config.getoption("--long") else 1


def drill(
    cloud: Daemons,
    bind: Named,
    label: str,
    outage_s: float,
    fault: Action,
    repair: Action,
    during: Action = lambda: None,
) -> None:
    with Load(cloud, label) as load:
        until(lambda: len(load.accepted) >= MIN_ACCEPTED, 30, "load before the fault")
        fault()
        broken_until_s = time.monotonic() + outage_s
        during()
        until(lambda: time.monotonic() >= broken_until_s, outage_s + 5, "the outage")
        repair()
        seen = len(load.accepted)
        until(lambda: len(load.accepted) >= seen + MIN_ACCEPTED, 40, "load after the fault")
    load.check(bind, DEADLINE_S, WITHIN_S)


@pytest.mark.parametrize("name", ["worker", "central", "mdns", "producer"])
def test_a_process_is_killed(cloud: Daemons, bind: Named, name: str) -> None:
    drill(
        cloud,
        bind,
        f"kill{name}",
        2,
        lambda: cloud.kill(f"{name}-0"),
        lambda: cloud.start(f"{name}-0"),
    )


def test_the_broker_stops(cloud: Daemons, bind: Named, broker: RabbitMQ, factor: int) -> None:
    drill(cloud, bind, "rabbit", 5 * factor, broker.stop, broker.start)


def test_the_broker_hangs(cloud: Daemons, bind: Named, broker: RabbitMQ, factor: int) -> None:
    drill(cloud, bind, "hang", 12 + 3 * factor, broker.pause, broker.resume)


def refuses(cloud: Daemons, label: str) -> None:
    """Wait until a change is refused, while MiniDNS answers."""

    def refused() -> bool:
        assert ask(("127.0.0.1", cloud.dns_port), f"{label}0.example.", "SOA").answer
        body = {"name": f"refused.{label}.example.", "email": "a@example.org"}
        return cloud.call("POST", "/zones", body)[0] == 503

    until(refused, 20, "a refusal")


def test_the_broker_has_a_memory_alarm(
    cloud: Daemons, bind: Named, broker: RabbitMQ, factor: int
) -> None:
    drill(
        cloud,
        bind,
        "alarm",
        12 + 3 * factor,
        broker.block,
        broker.unblock,
        lambda: refuses(cloud, "alarm"),
    )


def test_the_database_is_read_only(
    cloud: Daemons, bind: Named, database: MariaDB, factor: int
) -> None:
    drill(
        cloud,
        bind,
        "readonly",
        3 * factor,
        lambda: database.read_only(True),
        lambda: database.read_only(False),
        lambda: refuses(cloud, "readonly"),
    )


def test_the_database_stops(cloud: Daemons, bind: Named, database: MariaDB, factor: int) -> None:
    drill(cloud, bind, "mariadb", 5 * factor, database.stop, database.start)


def test_the_database_hangs(cloud: Daemons, bind: Named, database: MariaDB, factor: int) -> None:
    drill(cloud, bind, "pause", 12 + 3 * factor, database.pause, database.resume)


def test_the_nameserver_stops(cloud: Daemons, bind: Named, factor: int) -> None:
    drill(cloud, bind, "bind", 7 * factor, bind.stop, bind.start)
