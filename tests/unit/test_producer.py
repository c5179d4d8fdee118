"""producer: the periodic tasks and their selection."""

import threading
from collections import defaultdict

import pytest
from oslo_config import cfg

from designate import config, errors
from designate.model.shards import SHARDS, Shards, share
from designate.producer.membership import ExpiringShards, SoleMembership
from designate.producer.service import Producer, load
from designate.rpc.clients import CentralClient
from designate.runtime.periodic import Periodic
from tests.support.deadlines import scaled, until

RECOVERY = "producer_task:worker_periodic_recovery"
PURGE = "producer_task:zone_purge"


class Sweeps:
    """Every interface of central that the tasks call; records the calls and returns their results.

    Attributes:
        failing: the errors that the next calls raise.
        work: the remaining amount of each kind.
    """

    def __init__(self, failing=(), **work):
        self.calls = defaultdict(list)
        self.failing = list(failing)
        self.work = work

    def __getattr__(self, name):
        def call(context, *arguments):
            assert context.all_projects
            self.calls[name].append(arguments)
            if self.failing:
                raise self.failing.pop()
            limit = arguments[2] if len(arguments) > 2 else arguments[-1]
            done = min(self.work.get(name, 0), limit)
            self.work[name] = self.work.get(name, 0) - done
            return done

        return call


class Given:
    """A membership whose shards the test sets."""

    def __init__(self, shards):
        place = ExpiringShards(lifetime_s=3600)
        self.set = lambda shards: place.set(shards, threading.TIMEOUT_MAX)
        self.set(shards)
        self.shards, self.wait, self.close = place.shards, place.wait, place.close
        self.refreshes = 0

    def start(self):
        pass

    stop = start

    def refresh_soon(self):
        self.refreshes += 1


def make_conf(*enabled, **options):
    """Return a configuration; options: those of each group."""
    conf = cfg.ConfigOpts()
    config.register(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    conf.set_override("enabled_tasks", list(enabled) or None, "service:producer")
    for group, values in options.items():
        for name, value in values.items():
            conf.set_override(name, value, group)
    return conf


def client(sweeps):
    return CentralClient(**dict.fromkeys(CentralClient.__slots__, sweeps))


class Inbound:
    """The interface central.secondary, which counts the sweeps."""

    def __init__(self):
        self.refreshed = []

    def refresh(self, _context, first_shard, last_shard, limit):
        self.refreshed.append((first_shard, last_shard, limit))
        return 0


@pytest.fixture
def started():
    producers = []

    def start(sweeps, *enabled, membership=None, **options):
        conf = make_conf(*enabled, **options)
        producer = Producer(conf, client(sweeps), membership or SoleMembership())
        producer.start()
        producers.append(producer)
        return producer

    yield start
    for producer in producers:
        producer.stop()


def test_a_start_recovers_every_shard_at_once(started):
    sweeps = Sweeps()
    started(sweeps, "worker_periodic_recovery", **{RECOVERY: {"interval": 3600}})

    until(lambda: sweeps.calls["recover"], 10, "a recovery")
    assert sweeps.calls["recover"] == [(0, 4095, 100, None)]


def test_a_sweep_that_fails_is_made_again(started, caplog):
    sweeps = Sweeps(failing=[errors.DesignateError("a fault")] * 2)
    started(sweeps, "worker_periodic_recovery", **{RECOVERY: {"interval": 0.1}})

    until(lambda: len(sweeps.calls["recover"]) >= 4, 10, "recoveries")
    assert "worker_periodic_recovery: failed" in caplog.text


def test_while_central_is_unavailable_a_task_takes_one_line_of_the_log(started, caplog):
    sweeps = Sweeps(failing=[errors.Unavailable("no reply")])
    started(sweeps, "worker_periodic_recovery", **{RECOVERY: {"interval": 0.1}})

    until(lambda: len(sweeps.calls["recover"]) >= 3, 10, "recoveries")
    (record,) = [r for r in caplog.records if r.levelname == "WARNING"]
    assert record.exc_info is None
    assert "worker_periodic_recovery: not run, will be retried: no reply" in record.getMessage()


def test_batches_follow_each_other_until_nothing_is_left(started):
    sweeps = Sweeps(purge=25, recover=250, follow_pools=10)
    started(
        sweeps,
        "zone_purge",
        "worker_periodic_recovery",
        "delayed_notify",
        **{
            PURGE: {"batch_size": 10, "time_threshold": 60},
            RECOVERY: {"interval": 3600},
            "producer_task:delayed_notify": {"interval": 3600, "batch_size": 10},
        },
    )

    until(lambda: len(sweeps.calls["purge"]) == 3, 10, "purges")
    # Central may hold some back: only a batch of none is the end.
    until(lambda: len(sweeps.calls["recover"]) == 4, 10, "recoveries")
    until(lambda: len(sweeps.calls["follow_pools"]) == 2, 10, "zones that follow their pools")
    assert set(sweeps.work.values()) == {0}
    assert sweeps.calls["purge"][0] == (0, 4095, 10, 60, None)


def test_tasks_work_on_the_shards_of_the_membership_and_again_when_these_change(started):
    sweeps = Sweeps()
    membership = Given(Shards(first=0, last=99, generation=7))
    options = {RECOVERY: {"interval": 3600}}
    started(sweeps, "worker_periodic_recovery", membership=membership, **options)

    until(lambda: sweeps.calls["recover"] == [(0, 99, 100, 7)], 10, "a recovery")
    membership.set(Shards(first=0, last=199, generation=8))
    until(lambda: sweeps.calls["recover"][1:] == [(0, 199, 100, 8)], 10, "one of more shards")


def test_secondary_zones_are_handed_out_in_batches(started):
    sweeps = Sweeps(refresh=101)
    options = {"producer_task:periodic_secondary_refresh": {"interval": 3600}}
    started(sweeps, "periodic_secondary_refresh", **options)

    until(lambda: sweeps.calls["refresh"] == [(0, 4095, 100, None)] * 2, 10, "refreshes")


def test_nothing_is_done_while_the_shards_are_unknown(started):
    sweeps = Sweeps()
    membership = Given(None)
    started(sweeps, membership=membership)

    membership.set(Shards(first=5, last=6))
    until(lambda: sweeps.calls["recover"], 10, "a recovery")
    assert sweeps.calls["recover"][0] == (5, 6, 100, None)


def test_lost_shards_are_doubted(started, caplog):
    sweeps = Sweeps(failing=[errors.LeaseLost("others")])
    membership = Given(Shards())
    options = {RECOVERY: {"interval": 3600}}
    started(sweeps, "worker_periodic_recovery", membership=membership, **options)

    until(lambda: len(sweeps.calls["recover"]) == 2, 10, "a recovery")
    assert membership.refreshes == 1
    assert "Traceback" not in caplog.text


def test_work_without_shards_belongs_to_the_first_ones(started):
    first, second = Sweeps(), Sweeps()
    names = ("periodic_check_service_status", "periodic_cleanup_stopped_service_status")
    started(first, *names, membership=Given(Shards(first=0, last=9)))
    started(second, *names, "zone_purge", membership=Given(Shards(first=10, last=4095)))

    until(lambda: first.calls["mark_down"] and first.calls["clean_up"], 10, "the first one's work")
    until(lambda: second.calls["purge"], 10, "the second one's work")
    assert first.calls["mark_down"] == [(1800, 100)]
    assert first.calls["clean_up"] == [(604800, 100)]
    assert set(second.calls) == {"purge"}


def test_reconciliation_goes_through_its_shards_at_its_rate_and_rests():
    class Pages:
        def __init__(self):
            self.answers = ["a", "b", ""]
            self.asked = []

        def reconcile(self, _context, first, last, limit, after, generation):
            self.asked.append((first, last, limit, after, generation))
            return self.answers.pop(0)

    pages = Pages()
    conf = make_conf("periodic_reconciliation")
    conf.set_override("per_page", 20, "producer_task:periodic_reconciliation")
    conf.set_override("rate", 40.0, "producer_task:periodic_reconciliation")
    (task,) = load(conf, client(pages))
    mine = Shards(first=0, last=9, generation=3)

    waits = [task.run(mine) for _ in range(3)]
    pages.answers += ["c", ""]
    task.run(mine)
    task.run(Shards(first=0, last=4, generation=4))

    assert waits[:2] == [0.5, 0.5]
    assert 590 < waits[2] <= 600
    assert pages.asked == [
        (0, 9, 20, "", 3),
        (0, 9, 20, "a", 3),
        (0, 9, 20, "b", 3),
        (0, 9, 20, "", 3),
        (0, 4, 20, "", 4),
    ], "new shards are begun from their first zone"


def test_all_installed_tasks_run_by_default():
    names = {task.NAME for task in load(make_conf(), client(Sweeps()))}

    assert names == {
        "delayed_notify",
        "periodic_check_service_status",
        "periodic_cleanup_stopped_service_status",
        "periodic_exists",
        "periodic_reconciliation",
        "periodic_secondary_refresh",
        "worker_periodic_recovery",
        "zone_purge",
    }


def test_enabled_tasks_that_are_not_there_are_named(caplog):
    found = load(make_conf("zone_purge", "increment_serial", "zone_purj"), client(Sweeps()))

    assert [task.NAME for task in found] == ["zone_purge"]
    assert "task zone_purj is not installed" in caplog.text
    with pytest.raises(errors.ConfigurationError, match="zone_purge"):
        load(make_conf("zone_purj"), client(Sweeps()))


@pytest.mark.parametrize("members", [1, 2, 3, 5, 65, 4096, 5000])
def test_shares_are_disjoint_and_complete(members):
    shares = [share(position, members) for position in range(members)]
    covered = [shard for s in shares for shard in range(s.first, s.last + 1)]

    assert covered == list(range(SHARDS))
    sizes = {s.last - s.first + 1 for s in shares}
    assert max(sizes) - min(sizes) <= 1


def test_a_place_that_is_not_renewed_is_unknown():
    place = ExpiringShards(lifetime_s=10)
    place.set(Shards(), -20)

    assert place.shards() is None


def test_stopping_does_not_wait_for_the_interval():
    ran = threading.Event()
    timer = Periodic("long", 3600, ran.set)
    timer.start()
    assert ran.wait(scaled(10))
    timer.stop()

    assert not timer._thread.is_alive()


def test_a_timer_that_never_started_can_be_stopped():
    timer = Periodic("never", 1, lambda: None)
    timer.stop()

    assert timer._thread.ident is None
