"""A process killed at each step of a change: no accepted change is lost, and only served ones are ACTIVE.

`--long` runs every step; otherwise one step of each process is run.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.drills.faulty import STEPS
from tests.drills.load import PostResult
from tests.support.deadlines import until
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.daemons import Daemons
from tests.support.servers.databases import MariaDB
from tests.support.servers.nameservers import Named
from tests.support.servers.standalone import ask, texts

SHORT = ("answer-received", "committed", "proven", "transfer-due", "swept")
pytestmark = pytest.mark.timeout(300)

WITHIN_S = 30.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "step" in metafunc.fixturenames:
        all_steps = metafunc.config.getoption("--long")
        metafunc.parametrize("step", sorted(STEPS) if all_steps else SHORT)


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Named]:
    with Named(tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, broker: RabbitMQ, bind: Named, mariadb: MariaDB
) -> Iterator[Daemons]:
    folder = tmp_path_factory.mktemp("cloud")
    with Daemons(folder, mariadb.migrated(), broker.fresh(), bind) as daemons:
        yield daemons


@pytest.fixture
def zone(cloud: Daemons, request: pytest.FixtureRequest) -> dict[str, str]:
    """A zone that is served before the fault."""
    name = f"{request.node.callspec.params['step']}.example."
    status, made = cloud.call("POST", "/zones", {"name": name, "email": "a@example.org"})
    assert status == 202, made
    until(lambda: cloud.call("GET", f"/zones/{made['id']}")[1]["status"] == "ACTIVE", 30, name)
    return {"id": made["id"], "name": name}


def test_no_change_is_lost(cloud: Daemons, bind: Named, zone: dict[str, str], step: str) -> None:
    name = f"{STEPS[step][0]}-0"
    cloud.kill(name)
    cloud.start_faulty(name, step)
    results: list[PostResult] = []

    def dead() -> bool:
        results.append(post(cloud, zone, len(results)))
        return cloud.processes[name].poll() is not None

    until(dead, 60, f"{name} killed at {step}")
    cloud.kill(name)
    cloud.start(name)

    accepted = [result for result in results if 200 <= result.status < 300]
    unclear = [result for result in results if result not in accepted]
    assert all(result.status in (0, 503) for result in unclear), unclear[:3]
    until(
        lambda: is_whole(cloud, bind, zone, accepted), WITHIN_S, f"all changes ACTIVE after {step}"
    )


def post(cloud: Daemons, zone: dict[str, str], number: int) -> PostResult:
    record = f"r{number}.{zone['name']}"
    body = {"name": record, "type": "A", "records": [f"192.0.2.{number % 250}"]}
    try:
        status, found = cloud.call("POST", f"/zones/{zone['id']}/recordsets", body)
    except requests.ConnectionError:
        status, found = 0, None
    return PostResult(path="", name=record, status=status, retry_after=None, took_s=0, body=found)


def is_whole(cloud: Daemons, bind: Named, zone: dict[str, str], accepted: list[PostResult]) -> bool:
    """Return whether all stored recordsets are ACTIVE, and check that they are served as stored.

    Every accepted one must be stored; others may be, whose request broke.
    """
    try:
        status, found = cloud.call("GET", f"/zones/{zone['id']}/recordsets?limit=1000&type=A")
    except requests.ConnectionError:
        return False
    if status != 200:
        return False
    stored = {each["name"]: each for each in found["recordsets"]}
    for result in accepted:
        assert result.name in stored, f"{result.name} was accepted and is lost"
    for each in stored.values():
        if each["status"] != "ACTIVE":
            return False
        served = texts(ask(("127.0.0.1", bind.port), each["name"], "A"))
        assert served == set(each["records"]), f"{each['name']} is ACTIVE and not served"
    return True
