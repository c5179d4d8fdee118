"""Fixtures and settings of all tests: hypothesis, deadlines, and servers that take long to start.

A server of session scope starts at its first use in a test process and ends with that process.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
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
    parser.addoption("--seed", type=int, default=0, help="other random bytes for the tests of fuzz")


# The longest files, begun first: one that is begun last keeps the other cores idle.
LONGEST = (
    "drills/test_drills",
    "contract/test_green_threads",
    "functional/test_devstack",
    "functional/test_processes",
    "drills/",
    "contract/test_storage_outages",
    "functional/test_secondary",
    "functional/test_sink",
    "contract/",
    "functional/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        found = (number for number, name in enumerate(LONGEST) if f"tests/{name}" in item.nodeid)
        return next(found, len(LONGEST))

    items.sort(key=place)


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool:
    """Give a test as much more time as its conditions have."""
    settings = settings._replace(timeout=scaled(settings.timeout))
    return pytest_timeout.pytest_timeout_set_timer(item, settings)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Return a broker for tests that leave it running; each takes a virtual host of its own."""
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """Return an identity service for tests that leave it running, with accounts of their own."""
    with Keystone(tmp_path_factory.mktemp("keystone")) as server:
        yield server


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build wheel and sdist as pip does, but with the installed build backend; return their folder."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", folder],
        cwd=Path(__file__).parents[1],
        check=True,
        capture_output=True,
        timeout=scaled(90),
    )
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    (found,) = distributions.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """Return a server for tests that leave it running, with databases of their own."""
    with MariaDB.shared() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """As mariadb."""
    with PostgreSQL.shared() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SQLite:
    return SQLite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session", params=["sqlite", "mariadb", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Return each kind of database in turn."""
    server: Databases = request.getfixturevalue(request.param)
    return server
