"""Fixtures of several modules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers.secondaries import Pdns


@pytest.fixture(scope="module")
def pdns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pdns]:
    with Pdns(tmp_path_factory.mktemp("pdns")) as pdns:
        yield pdns
