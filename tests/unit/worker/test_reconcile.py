"""worker.reconcile: what is served is left alone; what drifted is reported and repaired."""

import logging
from dataclasses import replace

import dns.rcode
import pytest

from designate import metrics
from designate.backend import base as backends
from designate.model.zones import Outcome, ZoneType
from designate.wire.client import SoaAnswer, SoaState
from designate.worker.pools import PoolCache
from designate.worker.proof import find_fault
from designate.worker.reconcile import DriftChecker
from tests.support.factories.worker import ZONE, change, stored_pool


@pytest.fixture
def pair(servers):
    """Two nameservers that serve the zone."""
    found = [servers(), servers()]
    for server in found:
        server.serials[ZONE] = 500
    return found


@pytest.fixture
def parts(simulate, pair):
    """Return a checker of a pool of both servers, and its simulation."""

    def make(**settings):
        simulation = simulate(stored_pool(*pair), **{"deadline_s": 10.0} | settings)
        client = simulation.central.client
        pools = PoolCache(client, backends.load)
        arguments = (client, pools, simulation.converger, simulation.settings, simulation.clock)
        return DriftChecker(*arguments), simulation

    return make


def counted(counter, *labels):
    return counter.labels(*labels)._value.get()


def label(server):
    return f"{server.host}:{server.port}"


def checked(*servers):
    return sum(counted(metrics.CHECKED, "pool", label(server)) for server in servers)


def test_a_zone_that_is_served_costs_a_query_for_each_server_and_nothing_else(parts, pair):
    checker, simulation = parts()

    checker.check([change(5)])
    simulation.until(lambda: checked(*pair) == 2, 10, "both answers")

    assert [len(server.queries) for server in pair] == [1, 1]
    assert [server.notifies for server in pair] == [[], []]
    assert (simulation.central.reports.got, len(simulation.converger)) == ([], 0)


@pytest.mark.parametrize("kind", ["missing", "behind", "failing"])
def test_what_a_server_lost_is_told_of_and_repaired(parts, pair, kind, caplog):
    checker, simulation = parts()
    lost = pair[1]
    if kind == "behind":
        lost.serials[ZONE] = 499
    else:
        del lost.serials[ZONE]
        lost.rcode = dns.rcode.REFUSED if kind == "missing" else dns.rcode.SERVFAIL
    for server in pair:
        server.on_notify = 500
    repaired = counted(metrics.REPAIRED, "pool")
    desired = change(5)

    with caplog.at_level(logging.WARNING):
        checker.check([desired])
        drifted = simulation.central.reports.wait(desired, Outcome.DRIFTED)
        served = simulation.central.reports.wait(desired, Outcome.SERVED)

    assert (drifted.revision, drifted.serial) == (5, 500)
    assert f"nameserver {label(lost)}: {kind}" in drifted.error
    assert label(pair[0]) not in drifted.error
    assert simulation.central.reports.got.index(drifted) < simulation.central.reports.got.index(
        served
    )
    assert counted(metrics.DRIFTED, "pool", label(lost), kind) == 1
    assert counted(metrics.REPAIRED, "pool") == repaired + 1
    assert f"nameserver {label(lost)}: 1 zones are {kind}" in caplog.text


def test_a_serial_that_was_never_given_is_central_s_to_pass(parts, pair):
    """But only when the targets have confirmed that the zone there is ours."""
    checker, simulation = parts()
    pair[0].serials[ZONE] = 777
    desired = change(5)

    checker.check([desired])
    drifted = simulation.central.reports.wait(desired, Outcome.DRIFTED)
    simulation.until(lambda: checked(*pair) >= 2, 10, "both answers")

    served = simulation.central.reports.wait(desired, Outcome.SERVED)
    assert (drifted.serial, drifted.revision) == (500, 5)
    assert (served.newest, served.revision) == (777, 5)


def test_enough_servers_keep_the_zone_active_while_another_is_repaired(parts, pair):
    checker, simulation = parts(threshold_percentage=50)
    del pair[1].serials[ZONE]
    for server in pair:
        server.on_notify = 500
    desired = change(5)

    checker.check([desired])
    simulation.until(lambda: ZONE in pair[1].serials, 10, "the zone to come back")

    assert not [r for r in simulation.central.reports.got if r.outcome is Outcome.DRIFTED]


def test_a_server_that_says_nothing_proves_nothing(parts, pair):
    checker, simulation = parts()
    pair[0].unresponsive = True
    before = checked(*pair)

    checker.check([change(5)])
    simulation.until(
        lambda: len(pair[0].queries) >= 1 and checked(*pair) == before + 1, 10, "answers"
    )

    assert (simulation.central.reports.got, len(simulation.converger)) == ([], 0)


def test_a_zone_on_its_way_is_not_asked_for(parts, pair):
    checker, simulation = parts()
    pool = checker._pools.get("pool", 1)
    simulation.converger.converge(change(6), pool)
    asked = checked(*pair)
    for server in pair:
        server.serials["other.example."] = 500

    checker.check([change(5), change(5, name="other.example.")])
    simulation.until(lambda: checked(*pair) == asked + 2, 10, "the other zone's answers")

    assert checked(*pair) == asked + 2


def test_a_server_that_lost_many_zones_is_told_of_in_one_line(parts, pair, caplog):
    checker, simulation = parts()
    lost = [change(5, name=f"z{number}.example.") for number in range(40)]
    for one in lost:
        pair[0].serials[one.name] = 500
    pair[0].on_notify = pair[1].on_notify = 500

    with caplog.at_level(logging.WARNING, "designate.worker.reconcile"):
        checker.check(lost)
        simulation.until(lambda: "40 zones are missing" in caplog.text, 20, "the line")

    lines = [r for r in caplog.records if r.name == "designate.worker.reconcile"]
    assert len(lines) == 1
    assert "z0.example., z1.example., z10.example., ..." in lines[0].getMessage()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (SoaAnswer(state=SoaState.SERIAL, serial=500), ""),
        (SoaAnswer(state=SoaState.SERIAL, serial=499), "behind"),
        (SoaAnswer(state=SoaState.SERIAL, serial=501), "ahead"),
        (SoaAnswer(state=SoaState.SERIAL, serial=500 + 2**31 - 1), "ahead"),
        (SoaAnswer(state=SoaState.ABSENT), "missing"),
        (SoaAnswer(state=SoaState.FAILED), "failing"),
        (SoaAnswer(state=SoaState.UNKNOWN), ""),
    ],
)
def test_what_an_answer_says(answer, kind):
    fault = find_fault(change(5), answer)

    assert (fault.kind if fault else "") == kind


def test_a_server_may_refuse_queries_for_a_catalog():
    catalog = replace(change(5), type=ZoneType.CATALOG)

    assert find_fault(catalog, SoaAnswer(state=SoaState.ABSENT)) is None
