"""worker.scheduling.circuit_breaker: an unreachable server is probed, and zones resume when it replies."""

import threading

import pytest

from designate import errors, metrics
from designate.backend.fake import FakeBackend
from designate.model.pools import Target
from designate.model.zones import Action, Outcome
from designate.worker.scheduling.circuit_breaker import OPENS_AFTER, CircuitBreakers
from designate.worker.scheduling.executors import MAX_THREADS
from designate.worker.scheduling.timers import Timers
from tests.support.factories.worker import change, live_pool
from tests.support.fakes.clock import ManualClock
from tests.support.fakes.worker_backends import TriggeredBackend, UnavailableBackend

ZONES = 300
ENDPOINT = ("query", "pool", "192.0.2.1:53")


@pytest.fixture
def running(simulate):
    """Start convergers and return them and their simulations."""

    def start(**settings):
        simulation = simulate(**{"deadline_s": 60.0} | settings)
        return simulation.converger, simulation

    return start


@pytest.fixture
def breakers():
    clock = ManualClock()
    return CircuitBreakers(Timers(clock), threading.RLock(), clock)


def probes(kind, server):
    return metrics.PROBES.labels(kind, "pool", f"{server.host}:{server.port}")._value.get()


def counted(metric, kind):
    """Return the value for the first target of the pool."""
    return metric.labels(kind, "pool", "target 1")._value.get()


def circuit_open(kind, server):
    return metrics.CIRCUIT_OPEN.labels(kind, "pool", f"{server.host}:{server.port}")._value.get()


def new_changes(count=ZONES):
    return [change(1, name=f"z{n}.example.", serial=7) for n in range(count)]


def test_many_zones_of_a_dead_server_cost_probes_alone_and_go_on_when_it_is_back(running, servers):
    server = servers()
    server.unresponsive = True
    converger, simulation = running()
    pool = live_pool(server, backends=(FakeBackend(Target(type="fake")),))
    changes = new_changes()
    for one in changes:
        converger.converge(one, pool)
    # In this time each zone could be polled more than once.
    simulation.run_for(1.0)
    simulation.until(lambda: min(probes(k, server) for k in ("query", "notify")) >= 1, 10, "probes")
    queries, notifies = len(server.queries), len(server.notifies)
    query_probes, notify_probes = probes("query", server), probes("notify", server)
    dead = [circuit_open(kind, server) for kind in ("query", "notify")]
    server.serials.update({one.name: 7 for one in changes})
    server.unresponsive = False
    simulation.until(lambda: len(simulation.reports.got) >= ZONES, 10, "all zones")

    assert queries <= OPENS_AFTER + MAX_THREADS + query_probes
    assert queries + notifies < ZONES / 3
    assert notifies <= OPENS_AFTER + MAX_THREADS + notify_probes
    assert dead == [1, 1]
    assert {report.outcome for report in simulation.reports.got} == {Outcome.SERVED}
    assert len(converger) == 0
    assert circuit_open("query", server) == 0


def test_zones_that_wait_for_a_dead_server_hold_up_none_of_another(running, servers):
    dead, alive = servers(), servers()
    dead.unresponsive = True
    converger, simulation = running()
    for one in new_changes():
        converger.converge(one, live_pool(dead))
    other = change(1, name="other.example.")
    alive.serials["other.example."] = 100
    converger.converge(other, live_pool(alive))

    assert simulation.reports.wait(other, timeout_s=0.1).outcome is Outcome.SERVED


def test_what_is_given_up_says_why_and_leaves_nothing_behind(running, servers):
    server = servers()
    server.unresponsive = True
    converger, simulation = running(deadline_s=1.0)
    for one in new_changes(40):
        converger.converge(one, live_pool(server))
    simulation.until(lambda: len(simulation.reports.got) >= 40, 10, "reports")

    assert all("not queried" not in report.error for report in simulation.reports.got)
    assert not any(c.waiting for c in converger._scheduler.breakers._breakers.values())


def test_an_api_that_is_away_costs_probes_alone_and_all_zones_go_on_when_it_is_back(
    running, servers
):
    server = servers()
    converger, simulation = running()
    backend = UnavailableBackend()
    changes = [
        change(1, Action.CREATE, name=f"z{n}.example.", serial=7, created=False)
        for n in range(ZONES)
    ]
    server.serials.update({one.name: 7 for one in changes})
    pool = live_pool(server, backends=(backend,))
    for one in changes:
        converger.converge(one, pool)
    before = counted(metrics.PROBES, "call")
    simulation.until(lambda: counted(metrics.PROBES, "call") >= before + 2, 10, "probes")
    calls, probed = backend.calls, counted(metrics.PROBES, "call") - before
    is_open = counted(metrics.CIRCUIT_OPEN, "call")
    backend.unavailable = False
    simulation.until(lambda: len(simulation.reports.got) >= ZONES, 10, "all zones")

    assert calls <= OPENS_AFTER + MAX_THREADS + probed
    assert is_open == 1
    assert {report.outcome for report in simulation.reports.got} == {Outcome.SERVED}
    assert backend.zones == {one.name for one in changes}
    assert backend.calls <= ZONES + OPENS_AFTER + MAX_THREADS + probed + 2
    assert counted(metrics.CIRCUIT_OPEN, "call") == 0


@pytest.mark.parametrize("action", [Action.CREATE, Action.DELETE])
def test_who_is_away_has_refused_nothing_so_that_the_zone_is_late(running, servers, action):
    server = servers()
    converger, simulation = running(deadline_s=0.3)
    desired = change(1, action, created=action is Action.DELETE)
    server.serials[desired.name] = desired.serial
    converger.converge(desired, live_pool(server, backends=(UnavailableBackend(),)))
    report = simulation.reports.wait(desired)

    assert report.outcome is Outcome.LATE
    assert "target 1" in report.error
    assert "no reply from the server" in report.error


def test_a_target_that_refuses_is_an_error_though_another_one_is_away(running, servers):
    refusing = FakeBackend(Target(type="fake"))
    refusing.fail_next(10_000)
    server = servers()
    converger, simulation = running(deadline_s=0.3)
    desired = change(1, Action.CREATE, created=False)
    converger.converge(desired, live_pool(server, backends=(UnavailableBackend(), refusing)))

    assert simulation.reports.wait(desired).outcome is Outcome.FAILED


def test_a_server_that_is_slow_to_follow_notifies_is_hastened(running, servers):
    server = servers()
    converger, simulation = running()
    backend = TriggeredBackend(server)
    desired = change(1)
    server.serials[desired.name] = 1
    converger.converge(desired, live_pool(server, backends=(backend,)))
    assert simulation.reports.wait(desired).outcome is Outcome.SERVED

    assert len(server.notifies) >= 1
    assert backend.transfers_triggered == [desired]


@pytest.mark.parametrize("error", [errors.BackendError("no"), RuntimeError("a plug-in's fault")])
def test_a_server_that_cannot_be_hastened_follows_its_notifies(running, servers, error):
    server = servers()
    converger, simulation = running()
    backend = TriggeredBackend(server)
    backend.error = error
    desired = change(1)
    server.serials[desired.name], server.on_notify = 1, desired.serial
    converger.converge(desired, live_pool(server, backends=(backend,)))

    assert simulation.reports.wait(desired).outcome is Outcome.SERVED


def test_nobody_is_hastened_for_zones_that_nobody_waits_for(running, servers):
    server = servers()
    converger, simulation = running()
    backend = TriggeredBackend(server)
    desired = change(1, recovery=True)
    server.serials[desired.name], server.on_notify = 1, desired.serial
    converger.converge(desired, live_pool(server, backends=(backend,)))
    assert simulation.reports.wait(desired).outcome is Outcome.SERVED

    assert backend.transfers_triggered == []


def test_an_api_that_is_away_is_not_asked_to_hasten_every_zone(running, servers):
    server = servers()
    converger, simulation = running()
    backend = TriggeredBackend(server)
    backend.error = errors.BackendUnavailable("no reply from the server")
    changes = [change(1, name=f"z{n}.example.", serial=7) for n in range(ZONES)]
    server.serials.update({one.name: 1 for one in changes})
    server.on_notify = 7
    before = counted(metrics.PROBES, "trigger_transfer")
    for one in changes:
        converger.converge(one, live_pool(server, backends=(backend,)))
    simulation.until(lambda: len(simulation.reports.got) >= ZONES, 10, "all zones")
    probed = counted(metrics.PROBES, "trigger_transfer") - before

    assert {report.outcome for report in simulation.reports.got} == {Outcome.SERVED}
    assert len(backend.transfers_triggered) <= OPENS_AFTER + MAX_THREADS + probed


def test_a_zone_that_the_server_has_just_taken_is_asked_for_at_once(breakers):
    for _ in range(OPENS_AFTER):
        breakers.timed_out(ENDPOINT, "nothing", probe=False)

    assert breakers.blocked(ENDPOINT, "z", lambda: None) == "nothing"
    breakers.allow_next(ENDPOINT)
    assert breakers.blocked(ENDPOINT, "z", lambda: None) == ""


def test_one_answer_among_silences_keeps_the_way_open(breakers):
    for _ in range(3):
        for _ in range(OPENS_AFTER - 1):
            breakers.timed_out(ENDPOINT, "nothing", probe=False)
        breakers.replied(ENDPOINT)

    assert breakers.blocked(ENDPOINT, "z", lambda: None) == ""


def test_one_probe_at_a_time_and_all_go_on_after_its_answer(breakers):
    resumed = []
    for _ in range(OPENS_AFTER):
        breakers.timed_out(ENDPOINT, "nothing", probe=False)
    breakers.allow_next(ENDPOINT)
    assert breakers.begin(ENDPOINT)
    for zone in ("a", "b", "c"):
        assert breakers.blocked(ENDPOINT, zone, lambda zone=zone: resumed.append(zone))
    breakers.forget("b")
    breakers.replied(ENDPOINT)

    assert resumed == ["a", "c"]


def test_a_probe_whose_zone_went_is_made_up_for(breakers):
    resumed = []
    for _ in range(OPENS_AFTER):
        breakers.timed_out(ENDPOINT, "nothing", probe=False)
    for zone in ("a", "b"):
        breakers.blocked(ENDPOINT, zone, lambda zone=zone: resumed.append(zone))
    breakers.tick()
    early = list(resumed)
    breakers.allow_next(ENDPOINT)
    breakers.tick()
    breakers.tick()

    assert early == []
    assert resumed == ["a", "b"]
