"""worker.breakers: a server that says nothing is probed, and all that wait for it go on when it is back."""

import contextlib
import threading

import pytest

from designate import errors, metrics
from designate.backend.fake import FakeBackend
from designate.model.pools import Target
from designate.model.zones import Action, Outcome
from designate.worker.converge import Converger
from designate.worker.scheduling.circuit_breaker import OPENS_AFTER, CircuitBreakers
from designate.worker.scheduling.executors import MAX_THREADS
from designate.worker.scheduling.timers import Timers
from designate.worker.settings import ConvergenceSettings
from tests.support.deadlines import scaled, until
from tests.support.factories.worker import AwayBackend, Central, HastyBackend, change, live_pool
from tests.support.fakes.nameserver import NanoServer

ZONES = 300
WAY = ("query", "pool", "192.0.2.1:53")


@pytest.fixture
def running():
    with contextlib.ExitStack() as stack:

        def start(**settings):
            central = Central()
            defaults = {
                "threshold_percentage": 100,
                "deadline_s": 60.0,
                "query_timeout_s": 0.02,
                "first_poll_s": 0.01,
                "retry_s": 0.01,
                "all_tcp": False,
            }
            converger = Converger(central.client, ConvergenceSettings(**defaults | settings))
            converger.start()
            stack.callback(converger.stop)
            return converger, central.reports

        yield start


@pytest.fixture
def breakers():
    return CircuitBreakers(Timers(), threading.RLock())


def probes(kind, server):
    return metrics.PROBES.labels(kind, "pool", f"{server.host}:{server.port}")._value.get()


def counted(metric, kind):
    """Of the first target of the pool."""
    return metric.labels(kind, "pool", "target 1")._value.get()


def is_silent(kind, server):
    return metrics.SILENT.labels(kind, "pool", f"{server.host}:{server.port}")._value.get()


def wanted(count=ZONES):
    return [change(1, name=f"z{n}.example.", serial=7) for n in range(count)]


def test_many_zones_of_a_dead_server_cost_probes_alone_and_go_on_when_it_is_back(running):
    with NanoServer() as server:
        server.silent = True
        converger, reports = running()
        pool = live_pool(server, backends=(FakeBackend(Target(type="fake")),))
        changes = wanted()
        for one in changes:
            converger.converge(one, pool)
        # In this time each zone could be asked for more than once.
        second = threading.Event()
        converger.call_later(1.0, second.set)
        assert second.wait(scaled(10))
        until(lambda: min(probes(k, server) for k in ("query", "notify")) >= 1, 10, "probes")
        queries, notifies = len(server.queries), len(server.notifies)
        asked, told = probes("query", server), probes("notify", server)
        dead = [is_silent(kind, server) for kind in ("query", "notify")]
        server.serials.update({one.name: 7 for one in changes})
        server.silent = False
        until(lambda: len(reports.got) >= ZONES, 10, "all zones")

        assert queries <= OPENS_AFTER + MAX_THREADS + asked
        assert queries + notifies < ZONES / 3
        assert notifies <= OPENS_AFTER + MAX_THREADS + told
        assert dead == [1, 1]
        assert {report.outcome for report in reports.got} == {Outcome.SERVED}
        assert len(converger) == 0
        assert is_silent("query", server) == 0


def test_zones_that_wait_for_a_dead_server_hold_up_none_of_another(running):
    with NanoServer() as dead, NanoServer() as alive:
        dead.silent = True
        converger, reports = running()
        for one in wanted():
            converger.converge(one, live_pool(dead))
        other = change(1, name="other.example.")
        alive.serials["other.example."] = 100
        converger.converge(other, live_pool(alive))

        assert reports.wait(other).outcome is Outcome.SERVED


def test_what_is_given_up_says_why_and_leaves_nothing_behind(running):
    with NanoServer() as server:
        server.silent = True
        converger, reports = running(deadline_s=1.0)
        for one in wanted(40):
            converger.converge(one, live_pool(server))
        until(lambda: len(reports.got) >= 40, 10, "reports")

        assert all("not queried" not in report.error for report in reports.got)
        assert not any(c.waiting for c in converger._scheduler.breakers._breakers.values())


def test_an_api_that_is_away_costs_probes_alone_and_all_zones_go_on_when_it_is_back(running):
    with NanoServer() as server:
        converger, reports = running()
        backend = AwayBackend()
        changes = [
            change(1, Action.CREATE, name=f"z{n}.example.", serial=7, created=False)
            for n in range(ZONES)
        ]
        server.serials.update({one.name: 7 for one in changes})
        pool = live_pool(server, backends=(backend,))
        for one in changes:
            converger.converge(one, pool)
        before = counted(metrics.PROBES, "call")
        until(lambda: counted(metrics.PROBES, "call") >= before + 2, 10, "probes")
        calls, probed = backend.calls, counted(metrics.PROBES, "call") - before
        is_open = counted(metrics.SILENT, "call")
        backend.away.clear()
        until(lambda: len(reports.got) >= ZONES, 10, "all zones")

        assert calls <= OPENS_AFTER + MAX_THREADS + probed
        assert is_open == 1
        assert {report.outcome for report in reports.got} == {Outcome.SERVED}
        assert backend.zones == {one.name for one in changes}
        assert backend.calls <= ZONES + OPENS_AFTER + MAX_THREADS + probed + 2
        assert counted(metrics.SILENT, "call") == 0


@pytest.mark.parametrize("action", [Action.CREATE, Action.DELETE])
def test_who_is_away_has_refused_nothing_so_that_the_zone_is_late(running, action):
    with NanoServer() as server:
        converger, reports = running(deadline_s=0.3)
        wanted = change(1, action, created=action is Action.DELETE)
        server.serials[wanted.name] = wanted.serial
        converger.converge(wanted, live_pool(server, backends=(AwayBackend(),)))
        report = reports.wait(wanted)

    assert report.outcome is Outcome.LATE
    assert "target 1" in report.error
    assert "nobody answers" in report.error


def test_a_target_that_refuses_is_an_error_though_another_one_is_away(running):
    refusing = FakeBackend(Target(type="fake"))
    refusing.fail_next(10_000)
    with NanoServer() as server:
        converger, reports = running(deadline_s=0.3)
        wanted = change(1, Action.CREATE, created=False)
        converger.converge(wanted, live_pool(server, backends=(AwayBackend(), refusing)))

        assert reports.wait(wanted).outcome is Outcome.FAILED


def test_a_server_that_is_slow_to_follow_notifies_is_hastened(running):
    with NanoServer() as server:
        converger, reports = running()
        backend = HastyBackend(server)
        wanted = change(1)
        server.serials[wanted.name] = 1
        converger.converge(wanted, live_pool(server, backends=(backend,)))
        assert reports.wait(wanted).outcome is Outcome.SERVED

    assert len(server.notifies) >= 1
    assert backend.transfers_triggered == [wanted]


@pytest.mark.parametrize("error", [errors.BackendError("no"), RuntimeError("a plug-in's fault")])
def test_a_server_that_cannot_be_hastened_follows_its_notifies(running, error):
    with NanoServer() as server:
        converger, reports = running()
        backend = HastyBackend(server)
        backend.error = error
        wanted = change(1)
        server.serials[wanted.name], server.on_notify = 1, wanted.serial
        converger.converge(wanted, live_pool(server, backends=(backend,)))

        assert reports.wait(wanted).outcome is Outcome.SERVED


def test_nobody_is_hastened_for_zones_that_nobody_waits_for(running):
    with NanoServer() as server:
        converger, reports = running()
        backend = HastyBackend(server)
        wanted = change(1, again=True)
        server.serials[wanted.name], server.on_notify = 1, wanted.serial
        converger.converge(wanted, live_pool(server, backends=(backend,)))
        assert reports.wait(wanted).outcome is Outcome.SERVED

    assert backend.transfers_triggered == []


def test_an_api_that_is_away_is_not_asked_to_hasten_every_zone(running):
    with NanoServer() as server:
        converger, reports = running()
        backend = HastyBackend(server)
        backend.error = errors.BackendUnavailable("nobody answers")
        changes = [change(1, name=f"z{n}.example.", serial=7) for n in range(ZONES)]
        server.serials.update({one.name: 1 for one in changes})
        server.on_notify = 7
        before = counted(metrics.PROBES, "trigger_transfer")
        for one in changes:
            converger.converge(one, live_pool(server, backends=(backend,)))
        until(lambda: len(reports.got) >= ZONES, 10, "all zones")
        probed = counted(metrics.PROBES, "trigger_transfer") - before

    assert {report.outcome for report in reports.got} == {Outcome.SERVED}
    assert len(backend.transfers_triggered) <= OPENS_AFTER + MAX_THREADS + probed


def test_a_zone_that_the_server_has_just_taken_is_asked_for_at_once(breakers):
    for _ in range(OPENS_AFTER):
        breakers.timed_out(WAY, "nothing", probe=False)

    assert breakers.blocked(WAY, "z", lambda: None) == "nothing"
    breakers.allow_next(WAY)
    assert breakers.blocked(WAY, "z", lambda: None) == ""


def test_one_answer_among_silences_keeps_the_way_open(breakers):
    for _ in range(3):
        for _ in range(OPENS_AFTER - 1):
            breakers.timed_out(WAY, "nothing", probe=False)
        breakers.replied(WAY)

    assert breakers.blocked(WAY, "z", lambda: None) == ""


def test_one_probe_at_a_time_and_all_go_on_after_its_answer(breakers):
    went_on = []
    for _ in range(OPENS_AFTER):
        breakers.timed_out(WAY, "nothing", probe=False)
    breakers.allow_next(WAY)
    assert breakers.begin(WAY)
    for zone in ("a", "b", "c"):
        assert breakers.blocked(WAY, zone, lambda zone=zone: went_on.append(zone))
    breakers.forget("b")
    breakers.replied(WAY)

    assert went_on == ["a", "c"]


def test_a_probe_whose_zone_went_is_made_up_for(breakers):
    went_on = []
    for _ in range(OPENS_AFTER):
        breakers.timed_out(WAY, "nothing", probe=False)
    for zone in ("a", "b"):
        breakers.blocked(WAY, zone, lambda zone=zone: went_on.append(zone))
    breakers.tick()
    early = list(went_on)
    breakers.allow_next(WAY)
    breakers.tick()
    breakers.tick()

    assert early == []
    assert went_on == ["a", "b"]
