"""Timeouts, retries and batching of calls over oslo.messaging when no reply comes."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from typing import ClassVar, Protocol

import pytest
from oslo_config import cfg

from designate import errors, messaging
from designate.context import Context, admin_context
from designate.rpc import clients, interfaces
from designate.rpc.batching import BATCH_LIMITS
from designate.rpc.bus import RpcTimeout
from designate.rpc.interfaces import CallKind
from designate.runtime import concurrency, deadline
from tests.support.deadlines import scaled, until

concurrency.prepare()  # before oslo.messaging is imported

from designate.rpc import oslo  # noqa: E402


class DeafBus(oslo.OsloBus):
    """Sends nothing; no reply comes until `end` is set."""

    def __init__(self, conf):
        super().__init__(conf)
        self.end = threading.Event()
        self.sent = []

    def _send(self, _topic, calls):
        self.sent.append([call.method for call in calls])
        assert self.end.wait(scaled(60))
        return [{"result": None} for _ in calls]


@pytest.fixture
def bus():
    conf = cfg.ConfigOpts()
    messaging.register(conf)
    conf([], default_config_files=[])
    bus = DeafBus(conf)
    yield bus
    bus.end.set()
    bus.stop()


class LossyBus:
    """A bus that loses the first calls and records how long each call waits."""

    def __init__(self, losses):
        self.losses = losses
        self.waits = []

    def call(self, *message_and_limit):
        self.waits.append(message_and_limit[6] if len(message_and_limit) > 6 else None)
        if len(self.waits) <= self.losses:
            raise RpcTimeout
        return 7


class Shop(interfaces.Interface, Protocol):
    NAMESPACE: ClassVar[str] = "shop"
    VERSION: ClassVar[str] = "1.0"

    def get(self, context: Context) -> int: ...

    def sell(self, context: Context) -> int: ...


def test_a_call_waits_no_longer_than_it_is_told(bus):
    before = time.monotonic()
    with pytest.raises(errors.Unavailable, match="did not reply in time"):
        bus.call("central", "leases", "1.0", "renew", {}, within_s=0.2)

    assert time.monotonic() - before < scaled(bus._conf.rpc_response_timeout / 2)


def test_a_call_ends_with_the_deadline_of_the_work_that_it_is_for(bus, caplog):
    with deadline.until(time.time() + 0.2), pytest.raises(errors.Unavailable):
        bus.call("central", "leases", "1.0", "renew", {})

    assert re.search(r"no reply from central within 0\.\d s", caplog.text)


def test_calls_travel_with_those_of_their_kind(bus):
    def call(method, kind):
        def run():
            with contextlib.suppress(errors.Unavailable):
                bus.call("central", "shop", "1.0", method, {}, kind)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    threads = []
    for count in range(1, BATCH_LIMITS[CallKind.OTHER].senders + 1):
        threads.append(call("sell", CallKind.OTHER))
        until(lambda n=count: len(bus.sent) == n, 10, "a busy sender")
    threads += [
        call("sell", CallKind.OTHER),
        call("get", CallKind.PROMPT),
        call("find", CallKind.LIST),
    ]
    until(lambda: len(bus.sent) == len(threads), 10, "a message of each")
    bus.end.set()
    for thread in threads:
        thread.join(timeout=scaled(10))

    sells = [["sell"]] * (BATCH_LIMITS[CallKind.OTHER].senders + 1)
    assert sorted(bus.sent) == [["find"], ["get"], *sells]


@pytest.mark.parametrize("losses", [0, 1])
def test_a_small_question_is_asked_once_more_when_no_answer_comes_soon(losses):
    lossy = LossyBus(losses)

    assert clients.make(Shop, lossy, "central").get(admin_context()) == 7
    assert lossy.waits == [clients.PROMPT_S, 2 * clients.PROMPT_S][: losses + 1]


def test_a_question_is_not_asked_a_third_time():
    lossy = LossyBus(9)
    with pytest.raises(errors.Unavailable):
        clients.make(Shop, lossy, "central").get(admin_context())

    assert len(lossy.waits) == 2


def test_what_changes_something_is_asked_once():
    lossy = LossyBus(9)
    with pytest.raises(errors.Unavailable):
        clients.make(Shop, lossy, "central").sell(admin_context())

    assert lossy.waits == [None]
