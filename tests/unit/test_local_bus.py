"""rpc: typed clients over the local bus."""

import logging
import threading

import pytest

from designate import errors
from designate.context import Context
from designate.model.zones import Action, ZoneAnnouncement, ZoneDraft, ZoneType
from designate.rpc import interfaces
from designate.rpc.bus import Dispatcher
from designate.rpc.clients import CentralClient, worker_client
from designate.rpc.local import LocalBus
from tests.support.deadlines import scaled

CHANGE = ZoneAnnouncement(
    zone_id="z",
    name="example.com.",
    type=ZoneType.PRIMARY,
    pool_id="p",
    pool_version=1,
    revision=2,
    serial=3,
    action=Action.UPDATE,
)


class Worker:
    def __init__(self) -> None:
        self.seen: list[object] = []
        self.arrived = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def zone_changed(self, change, **_context):
        self.gate.wait(scaled(10))
        self.seen.append(change)
        self.arrived.release()

    def refresh_zone(self, zone_id, source=None, **_context):
        self.seen.append((zone_id, source))
        self.arrived.release()

    def look(self, **_arguments):
        raise AssertionError

    def check_zones(self, **_arguments):
        raise AssertionError

    def zone_served(self, zone_id, serial, peer, **_context):
        self.seen.append((zone_id, serial, peer))
        self.arrived.release()


class Zones(interfaces.ZonesApi):
    def create(self, **_arguments):
        raise RuntimeError("password=hunter2")

    def get(self, **_arguments):
        raise errors.NotFound("zone")

    find = update = delete = nameservers = None


@pytest.fixture
def bus():
    bus = LocalBus(cast_threads=1, queue_size=2)
    bus.start()
    yield bus
    bus.stop()


def serve_worker(bus) -> Worker:
    worker = Worker()
    bus.serve("worker", Dispatcher({interfaces.WorkerApi: worker}))
    return worker


def test_a_cast_arrives_as_the_value_that_was_sent(bus):
    worker = serve_worker(bus)

    worker_client(bus).zone_changed(Context(), CHANGE)
    worker_client(bus).zone_served(Context(), "z", 3, "192.0.2.1")

    assert worker.arrived.acquire(timeout=scaled(5))
    assert worker.arrived.acquire(timeout=scaled(5))
    assert worker.seen == [CHANGE, ("z", 3, "192.0.2.1")]


def test_a_full_queue_drops_and_counts_instead_of_blocking(bus, caplog):
    worker = serve_worker(bus)
    worker.gate.clear()
    client = worker_client(bus)

    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            client.zone_changed(Context(), CHANGE)
    worker.gate.set()

    assert 7 <= bus.dropped <= 8
    assert "cast queue: full" in caplog.text


def test_an_error_of_the_endpoint_reaches_the_caller(bus):
    bus.serve("central", Dispatcher({interfaces.ZonesApi: Zones()}))

    with pytest.raises(errors.NotFound) as caught:
        CentralClient.over(bus).zones.get(Context(), "z")

    assert caught.value.type == "zone_not_found"


def test_a_foreign_error_is_logged_and_its_text_kept_back(bus, caplog):
    bus.serve("central", Dispatcher({interfaces.ZonesApi: Zones()}))
    context = Context()

    with pytest.raises(errors.DesignateError) as caught:
        CentralClient.over(bus).zones.create(context, ZoneDraft(name="x."))

    assert type(caught.value) is errors.DesignateError
    assert "hunter2" not in str(caught.value)
    assert context.request_id in caplog.text


def test_a_call_that_nothing_serves_is_unavailable(bus):
    with pytest.raises(errors.Unavailable):
        CentralClient.over(bus).zones.get(Context(), "z")
