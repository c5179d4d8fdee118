"""What all folders of tests share: how hypothesis runs, and the servers that take long to start.
Other parts to test with are in servers.py and service.py."""

import sys
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import pytest_timeout

from designate.runtime import concurrency
from tests.support.deadlines import scaled
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.databases import Databases, MariaDB, PostgreSQL, SQLite
from tests.support.servers.keystone import Keystone

if concurrency.choice() == "eventlet" and "tests.support.green" not in sys.modules:
    raise pytest.UsageError(f"{concurrency.VARIABLE} is set; run: tools/test eventlet [FILE]")

# A slow machine is no fault of the code; what fails prints how to repeat it.
hypothesis.settings.register_profile("designate", deadline=None, print_blob=True)
hypothesis.settings.load_profile("designate")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="drills with outages of full length")
    parser.addoption("--seed", type=int, default=0, help="other random bytes for test_dns_fuzz")


# Files whose tests wait most of their time, begun first: what is begun last keeps one core idle.
SLOW = ("functional/test_processes", "drills/", "functional/test_secondary", "contract/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not any(name in item.nodeid for name in SLOW))


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool:
    """Give a test as much more time as its conditions have."""
    settings = settings._replace(timeout=scaled(settings.timeout))
    return pytest_timeout.pytest_timeout_set_timer(item, settings)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """For tests that leave it running. Those that stop it make one of their own."""
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """For tests that leave it running. Each makes projects and accounts of its own in it."""
    with Keystone(tmp_path_factory.mktemp("keystone")) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """As broker; tests take a fresh database each."""
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SQLite:
    return SQLite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session", params=["sqlite", "mariadb", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Each kind of database in turn."""
    server: Databases = request.getfixturevalue(request.param)
    return server
