"""Serials that are newer than the announced change: a later change's, or never assigned."""

import pytest

from designate import metrics
from designate.model.zones import Outcome
from tests.support.factories.worker import ZONE, change, live_pool


def ahead_reports(parts):
    return [report for report in parts.reports.got if report.newest is not None]


def test_a_serial_ahead_is_reported_at_once_and_names_its_server(simulate, servers):
    good, ahead = servers(), servers()
    good.serials[ZONE], ahead.serials[ZONE] = 100, 777
    parts, desired = simulate(), change(1)
    parts.converger.converge(desired, live_pool(good, ahead))

    report = parts.reports.wait(desired)

    assert (report.outcome, report.revision) == (Outcome.SERVED, 1)
    assert (report.serial, report.newest) == (100, 777)
    assert report.error == (
        f"nameserver {ahead.host}:{ahead.port}: serial 777 is ahead of the zone's 100"
    )


def test_enough_servers_with_known_serials_prove_the_change_without_the_one_ahead(
    simulate, servers
):
    good, ahead = servers(), servers()
    good.serials[ZONE], ahead.serials[ZONE] = 100, 777
    parts, desired = simulate(threshold_percentage=50), change(1)
    parts.converger.converge(desired, live_pool(good, ahead))
    parts.until(lambda: len(parts.converger) == 0, 10, "the end")

    assert [(report.serial, report.newest) for report in parts.reports.got][-1] == (100, None)


def test_a_later_change_that_the_server_already_has_is_proven_when_it_arrives(simulate, servers):
    """Central is two changes further than the worker, and the nameserver has transferred them."""
    server, parts = servers(), simulate()
    server.serials[ZONE] = 300
    pool = live_pool(server)
    parts.converger.converge(change(1), pool)
    first = parts.reports.wait(change(1))
    parts.run_for(0.2)
    parts.converger.converge(change(3), pool)
    end = parts.reports.wait(change(3))

    assert (first.revision, first.newest) == (1, 300)
    assert (end.outcome, end.serial, end.newest) == (Outcome.SERVED, 300, None)
    assert len(parts.converger) == 0


def test_a_serial_ahead_is_reported_once_and_then_left_to_central(simulate, servers):
    server, parts = servers(), simulate()
    server.serials[ZONE] = 777
    pool, desired = live_pool(server), change(1)
    before = metrics.UNSERVED.labels("pool")._value.get()
    parts.converger.converge(desired, pool)
    parts.run_for(5)
    first = list(parts.reports.got)
    queries = len(server.queries)
    parts.run_for(60)
    parts.converger.converge(change(1, recovery=True), pool)
    parts.until(lambda: len(parts.reports.got) == 2, 10, "a report of the recovery")

    assert [report.newest for report in first] == [777]
    assert len(server.queries) == queries + 1
    assert metrics.UNSERVED.labels("pool")._value.get() == before


def test_a_serial_that_jumps_while_the_worker_waits_is_reported_again(simulate, servers):
    server, parts = servers(), simulate()
    server.serials[ZONE] = 777
    parts.converger.converge(change(1), live_pool(server))
    parts.until(lambda: ahead_reports(parts), 10, "a report")
    server.serials[ZONE] = 888
    parts.until(lambda: len(ahead_reports(parts)) == 2, 10, "another report")

    assert [report.newest for report in ahead_reports(parts)] == [777, 888]


@pytest.mark.parametrize("silent", [False, True])
def test_giving_up_says_which_server_is_ahead_beside_the_one_that_is_behind(
    simulate, servers, silent
):
    behind, ahead = servers(), servers()
    behind.serials[ZONE], ahead.serials[ZONE] = 99, 777
    behind.unresponsive = silent
    parts, desired = simulate(deadline_s=5.0), change(1)
    parts.converger.converge(desired, live_pool(behind, ahead))

    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.LATE
    assert f"{behind.port}: {'timeout' if silent else 'serial 99'}" in report.error
    assert f"{ahead.port}: serial 777 is ahead of the zone's 100" in report.error
