"""Fixtures of the storage contract: central and its database, on each kind of database in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from designate.storage.sqlalchemy.listing import pagination
from tests.support.factories.zone_data import Hidden
from tests.support.servers.databases import Databases


@pytest.fixture(scope="module")
def hidden(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hidden]:
    """Central and its database, in which each test uses its own zones and projects."""
    storage = {"connection": databases.migrated(), "max_pool_size": 40}
    folder = tmp_path_factory.mktemp(f"hidden-{databases.kind}")
    with Hidden(folder, **{"storage:sqlalchemy": storage}) as parts:
        yield parts


@pytest.fixture
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up to how many rows a list sorts instead of walking an order's index.

    The tests cover both sides of the limit, and a thousand rows for each of them would take minutes.
    """
    monkeypatch.setattr(pagination, "FEW", request.param)
