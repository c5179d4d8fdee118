"""producer: the clock and its sweeps."""

import threading

import pytest
from oslo_config import cfg

from designate import errors
from designate.producer import sweeps
from designate.producer.timer import Periodic
from designate.rpc.clients import CentralClient
from tests.servers import until


class Status:
    """central.status: counts the sweeps. failing: how many calls raise first; rows: what is left
    to purge."""

    def __init__(self, failing=0, rows=0):
        self.failing = failing
        self.rows = rows
        self.recovered = []
        self.purged = []

    def recover(self, context, first_shard, last_shard, limit):
        self.recovered.append((context.all_projects, first_shard, last_shard, limit))
        if self.failing > 0:
            self.failing -= 1
            raise errors.Unavailable("the database is away")
        return 0

    def purge(self, context, first_shard, last_shard, limit):
        self.purged.append((first_shard, last_shard, limit))
        done = min(self.rows, limit)
        self.rows -= done
        return done


class Inbound:
    """central.inbound: counts the sweeps."""

    def __init__(self):
        self.refreshed = []

    def refresh(self, context, first_shard, last_shard, limit):
        self.refreshed.append((first_shard, last_shard, limit))
        return 0


@pytest.fixture
def started():
    producers = []

    def start(status, recovery_s=3600, inbound=None, **purge):
        conf = cfg.ConfigOpts()
        for group, options in sweeps.OPTIONS_BY_GROUP.items():
            conf.register_opts(options, group)
        conf.set_override("interval", recovery_s, sweeps.RECOVERY)
        for name, value in purge.items():
            conf.set_override(name, value, sweeps.PURGE)
        parts = {"status": status, "inbound": inbound or Inbound()}
        client = CentralClient(**dict.fromkeys(CentralClient.__slots__) | parts)
        producer = sweeps.Producer(conf, client)
        producer.start()
        producers.append(producer)
        return producer

    yield start
    for producer in producers:
        producer.stop()


def test_a_start_recovers_every_shard_at_once(started):
    status = Status()
    started(status)

    until(lambda: status.recovered, 10, "a recovery")
    assert status.recovered == [(True, 0, 4095, 1000)]


def test_a_sweep_that_fails_is_made_again(started, caplog):
    status = Status(failing=2)
    started(status, recovery_s=0.1)

    until(lambda: len(status.recovered) >= 4, 10, "recoveries")
    assert "worker_periodic_recovery failed" in caplog.text


def test_a_purge_goes_on_in_batches_until_nothing_is_left(started):
    status = Status(rows=25)
    started(status, batch_size=10)

    until(lambda: len(status.purged) == 3, 10, "purges")
    assert (status.rows, status.purged[0]) == (0, (0, 4095, 10))


def test_stopping_does_not_wait_for_the_interval():
    ran = threading.Event()
    timer = Periodic("long", 3600, ran.set)
    timer.start()
    assert ran.wait(10)
    timer.stop()

    assert not timer._thread.is_alive()


def test_a_timer_that_never_started_can_be_stopped():
    timer = Periodic("never", 1, lambda: None)
    timer.stop()

    assert timer._thread.ident is None


def test_secondary_zones_are_swept_from_the_start_on(started):
    inbound = Inbound()
    started(Status(), inbound=inbound)

    until(lambda: inbound.refreshed)

    assert inbound.refreshed == [(0, 4095, 1000)]
