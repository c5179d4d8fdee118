"""Fixtures for tests of the API: central, its database and the API in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.factories.zone_data import Hidden


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hidden]:
    with Hidden(tmp_path_factory.mktemp("hidden")) as hidden:
        yield hidden


@pytest.fixture(scope="module")
def call(hidden: Hidden) -> Callable[..., tuple[int, Any]]:
    """Return the client of the API in this process; see Hidden.http."""
    return hidden.http()
