"""worker.check: what is served is left alone; what drifted is told of and repaired."""

import contextlib
import logging
from dataclasses import replace

import dns.rcode
import pytest

from designate import metrics
from designate.backend import base as backends
from designate.model.zones import Outcome, ZoneType
from designate.wire.client import SoaAnswer, SoaState
from designate.worker.converge import Converger
from designate.worker.pools import PoolCache
from designate.worker.reconcile import DriftChecker, fault_of
from designate.worker.settings import ConvergenceSettings
from tests.support.deadlines import until
from tests.support.factories.worker import ZONE, Central, change, stored_pool
from tests.support.fakes.nameserver import NanoServer


@pytest.fixture
def servers():
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(NanoServer()) for _ in range(2)]
        for server in found:
            server.serials[ZONE] = 500
        yield found


@pytest.fixture
def parts(servers):
    """(checker, converger, central) of a pool of both servers."""
    with contextlib.ExitStack() as stack:

        def make(**settings):
            values = {
                "threshold_percentage": 100,
                "deadline_s": 10.0,
                "query_timeout_s": 0.3,
                "first_poll_s": 0.01,
                "retry_s": 0.05,
                "all_tcp": False,
            }
            wanted = ConvergenceSettings(**values | settings)
            central = Central(stored_pool(*servers))
            converger = Converger(central.client, wanted)
            converger.start()
            stack.callback(converger.stop)
            pools = PoolCache(central.client, backends.load)
            return DriftChecker(central.client, pools, converger, wanted), converger, central

        yield make


def counted(counter, *labels):
    return counter.labels(*labels)._value.get()


def label(server):
    return f"{server.host}:{server.port}"


def checked(*servers):
    return sum(counted(metrics.CHECKED, "pool", label(server)) for server in servers)


def test_a_zone_that_is_served_costs_a_query_for_each_server_and_nothing_else(parts, servers):
    checker, converger, central = parts()

    checker.check([change(5)])
    until(lambda: checked(*servers) == 2, 10, "both answers")

    assert [len(server.queries) for server in servers] == [1, 1]
    assert [server.notifies for server in servers] == [[], []]
    assert (central.reports.got, len(converger)) == ([], 0)


@pytest.mark.parametrize("kind", ["missing", "behind", "failing"])
def test_what_a_server_lost_is_told_of_and_repaired(parts, servers, kind, caplog):
    checker, _, central = parts()
    lost = servers[1]
    if kind == "behind":
        lost.serials[ZONE] = 499
    else:
        del lost.serials[ZONE]
        lost.rcode = dns.rcode.REFUSED if kind == "missing" else dns.rcode.SERVFAIL
    for server in servers:
        server.on_notify = 500
    repaired = counted(metrics.REPAIRED, "pool")
    wanted = change(5)

    with caplog.at_level(logging.WARNING):
        checker.check([wanted])
        told = central.reports.wait(wanted, Outcome.DRIFTED)
        served = central.reports.wait(wanted, Outcome.SERVED)

    assert (told.revision, told.serial) == (5, 500)
    assert f"nameserver {label(lost)}: {kind}" in told.error
    assert label(servers[0]) not in told.error
    assert central.reports.got.index(told) < central.reports.got.index(served)
    assert counted(metrics.DRIFTED, "pool", label(lost), kind) == 1
    assert counted(metrics.REPAIRED, "pool") == repaired + 1
    assert f"nameserver {label(lost)}: 1 zones are {kind}" in caplog.text


def test_a_serial_that_was_never_given_is_central_s_to_pass(parts, servers):
    """No transfer would follow a NOTIFY."""
    checker, converger, central = parts()
    servers[0].serials[ZONE] = 777
    wanted = change(5)

    checker.check([wanted])
    told = central.reports.wait(wanted, Outcome.DRIFTED)
    until(lambda: checked(*servers) >= 2, 10, "both answers")

    assert (told.serial, told.revision) == (777, 5)
    assert len(converger) == 0
    assert [server.notifies for server in servers] == [[], []]


def test_enough_servers_keep_the_zone_active_while_another_is_repaired(parts, servers):
    checker, _, central = parts(threshold_percentage=50)
    del servers[1].serials[ZONE]
    for server in servers:
        server.on_notify = 500
    wanted = change(5)

    checker.check([wanted])
    until(lambda: ZONE in servers[1].serials, 10, "the zone to come back")

    assert not [r for r in central.reports.got if r.outcome is Outcome.DRIFTED]


def test_a_server_that_says_nothing_proves_nothing(parts, servers):
    checker, converger, central = parts()
    servers[0].silent = True
    before = checked(*servers)

    checker.check([change(5)])
    until(lambda: len(servers[0].queries) >= 1 and checked(*servers) == before + 1, 10, "answers")

    assert (central.reports.got, len(converger)) == ([], 0)


def test_a_zone_on_its_way_is_not_asked_for(parts, servers):
    checker, converger, _ = parts()
    pool = checker._pools.get("pool", 1)
    converger.converge(change(6), pool)
    asked = checked(*servers)
    for server in servers:
        server.serials["other.example."] = 500

    checker.check([change(5), change(5, name="other.example.")])
    until(lambda: checked(*servers) == asked + 2, 10, "the other zone's answers")

    assert checked(*servers) == asked + 2


def test_a_server_that_lost_many_zones_is_told_of_in_one_line(parts, servers, caplog):
    checker, _, _ = parts()
    lost = [change(5, name=f"z{number}.example.") for number in range(40)]
    for one in lost:
        servers[0].serials[one.name] = 500
    servers[0].on_notify = servers[1].on_notify = 500

    with caplog.at_level(logging.WARNING, "designate.worker.reconcile"):
        checker.check(lost)
        until(lambda: "40 zones are missing" in caplog.text, 20, "the line")

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
    assert fault_of(change(5), answer) == kind


def test_a_server_may_refuse_queries_for_a_catalog():
    catalog = replace(change(5), type=ZoneType.CATALOG)

    assert fault_of(catalog, SoaAnswer(state=SoaState.ABSENT)) == ""
