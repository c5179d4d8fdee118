"""Fixtures of the worker's tests."""

import contextlib

import pytest

from tests.support.fakes.nameserver import NanoServer
from tests.support.fakes.simulation import Simulation, skip_timeouts


@pytest.fixture
def quick_timeouts(monkeypatch):
    """Servers that would not reply time out at once."""
    skip_timeouts(monkeypatch)


@pytest.fixture
def simulate(quick_timeouts):  # noqa: ARG001 - for its effect
    """Start convergers in simulated time."""
    with contextlib.ExitStack() as stack:

        def start(*pools, **settings):
            simulation = Simulation(*pools, **settings)
            stack.callback(simulation.stop)
            return simulation

        yield start


@pytest.fixture
def servers():
    """Start nameservers."""
    with contextlib.ExitStack() as stack:
        yield lambda host="127.0.0.1": stack.enter_context(NanoServer(host))
