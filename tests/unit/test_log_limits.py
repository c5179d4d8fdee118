"""An outage is one line without a traceback, and its repetitions are a number."""

from __future__ import annotations

import logging
import uuid

import pytest
from kombu.exceptions import OperationalError

from designate.runtime.log_limits import LOGGERS, RepeatLimit

LOG = logging.getLogger("tests.outage")


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(caplog):
    clock = Clock()
    limit = RepeatLimit(60, clock)
    LOG.addFilter(limit)
    caplog.set_level(logging.INFO)
    yield clock
    LOG.removeFilter(limit)


def test_repetitions_become_a_number(clock, caplog):
    for number in range(30):
        LOG.error("[%s] %s:5672 is unreachable, again in %d s", uuid.uuid4(), "127.0.0.1", number)
    clock.now_s += 61
    LOG.error("[%s] %s:5672 is unreachable, again in %d s", uuid.uuid4(), "127.0.0.1", 2)

    assert len(caplog.messages) == 2
    assert caplog.messages[0].endswith("again in 0 s")
    assert caplog.messages[1].endswith("again in 2 s (29 more like this since the last one)")


def test_other_texts_levels_and_information_pass(clock, caplog):  # noqa: ARG001
    LOG.error("no reply to %s", "zones.get")
    LOG.error("no reply to %s", "zones.find")
    LOG.warning("no reply to %s", "zones.get")
    LOG.info("reconnected")
    LOG.info("reconnected")

    assert len(caplog.messages) == 5


@pytest.mark.parametrize("error", [OperationalError("down\nmore"), ConnectionResetError("down")])
def test_exception_of_an_outage_is_a_part_of_the_line(clock, caplog, error):  # noqa: ARG001
    try:
        raise error
    except Exception:
        LOG.exception("cannot send")

    assert caplog.messages == [f"cannot send: {type(error).__name__}: down"]
    assert "Traceback" not in caplog.text


def test_traceback_of_a_defect_stays(clock, caplog):  # noqa: ARG001
    try:
        raise KeyError("zone")
    except KeyError:
        LOG.exception("cannot send")

    assert "Traceback" in caplog.text


def test_loggers_are_those_of_the_libraries():
    """A renamed module of oslo.messaging would log without a limit."""
    from oslo_messaging import server
    from oslo_messaging._drivers import amqpdriver, common, impl_rabbit, pool
    from oslo_messaging.rpc import server as rpc_server

    for module in (amqpdriver, common, impl_rabbit, pool, rpc_server, server):
        log = module.LOG
        assert getattr(log, "logger", log).name in LOGGERS, module.__name__
