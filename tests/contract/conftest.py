"""What the storage contract's tests share: central and its database, on each kind in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from designate.storage.sqlalchemy.listing import pagination
from tests.support.factories.zone_data import Hidden
from tests.support.servers.databases import Databases


@pytest.fixture(scope="module")
def hidden(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hidden]:
    """Tests use zones and projects of their own in it."""
    storage = {"connection": databases.migrated(), "max_pool_size": 40}
    folder = tmp_path_factory.mktemp(f"hidden-{databases.kind}")
    with Hidden(folder, **{"storage:sqlalchemy": storage}) as parts:
        yield parts


@pytest.fixture
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to how many rows a list sorts instead of walking an order. Set here, for each side of it is a
    path of its own, and a thousand rows for each of these tests on three databases take minutes."""
    monkeypatch.setattr(pagination, "FEW", request.param)
