"""Catalog zones: each revision has an SOA of its own, which says whose catalog a nameserver has."""

from dataclasses import replace

import pytest

from designate.backend import base as backends
from designate.model.zones import Outcome, ZoneType
from designate.wire.client import SoaAnswer, SoaState
from designate.worker.pools import PoolCache
from designate.worker.proof import AHEAD, find_fault, is_ahead
from designate.worker.reconcile import DriftChecker
from tests.support.factories.worker import ZONE, change, live_pool, stored_pool

OURS = "ours.invalid. admin.example.org. {} 3600 600 86400 300"
OTHER = "other.invalid. admin.example.org. {} 3600 600 86400 300"


@pytest.fixture
def server(servers):
    """A nameserver that has our catalog with the serial of change 1."""
    server = servers()
    server.soa = OURS
    server.serials[ZONE] = 100
    return server


def catalog(server, revision=1):
    """Return the change of our catalog; the server has its SOA."""
    return replace(change(revision, soa=server.soa_digest()), type=ZoneType.CATALOG)


def test_another_catalog_of_the_same_serial_is_reported_as_one_to_pass(simulate, server):
    desired = catalog(server)
    server.soa = OTHER
    parts = simulate()
    parts.converger.converge(desired, live_pool(server))
    parts.run_for(2)
    (report,) = parts.reports.got

    assert (report.outcome, report.revision) == (Outcome.SERVED, 1)
    assert (report.serial, report.newest) == (100, 100)
    assert "serial 100 is that of another catalog zone of this name" in report.error


def test_one_of_two_nameservers_with_another_catalog_keeps_it_unproven(simulate, server, servers):
    second = servers()
    second.soa, second.serials[ZONE] = OTHER, 100
    parts = simulate()
    parts.converger.converge(catalog(server), live_pool(server, second))
    parts.run_for(2)

    assert [report.newest for report in parts.reports.got] == [100]
    assert f"{second.host}:{second.port}" in parts.reports.got[0].error


def test_our_catalog_is_proven_by_its_soa(simulate, server):
    parts, desired = simulate(), catalog(server)
    parts.converger.converge(desired, live_pool(server))
    report = parts.reports.wait(desired)

    assert (report.outcome, report.serial, report.newest) == (Outcome.SERVED, 100, None)


def test_a_nameserver_that_signs_must_have_the_catalog_s_serial(simulate, server):
    desired = catalog(server, revision=2)
    pool = live_pool(server)
    signing = replace(pool, signers=frozenset({f"{server.host}:{server.port}"}))
    parts = simulate()
    parts.converger.converge(desired, signing)
    parts.run_for(2)
    before = list(parts.reports.got)
    server.serials[ZONE] = 200
    report = parts.reports.wait(desired)

    assert before == []
    assert (report.outcome, report.serial) == (Outcome.SERVED, 200)


def test_the_serial_of_a_catalog_is_asked_over_tcp_where_udp_is_refused(simulate, server):
    desired = catalog(server)
    server.refuses_udp = True
    server.soa = OTHER
    parts = simulate()
    parts.converger.converge(desired, live_pool(server))
    parts.run_for(2)

    assert [report.newest for report in parts.reports.got] == [100]


@pytest.mark.parametrize("serial", [99, 7])
def test_an_older_serial_is_behind_whatever_its_soa(server, serial):
    answer = SoaAnswer(state=SoaState.SERIAL, serial=serial, digest="0" * 16)

    assert not is_ahead(catalog(server), answer)
    assert find_fault(catalog(server), answer).kind != AHEAD


def test_reconciliation_finds_another_catalog_of_the_same_serial_and_has_it_passed(
    simulate, server
):
    desired = catalog(server)
    server.soa = OTHER
    parts = simulate(stored_pool(server, type="catalog"))
    client = parts.central.client
    pools = PoolCache(client, backends.load)
    drift = DriftChecker(client, pools, parts.converger, parts.settings, parts.clock)
    drift.check([desired])
    parts.run_for(5)

    assert [(report.outcome, report.newest) for report in parts.reports.got] == [
        (Outcome.DRIFTED, None),
        (Outcome.SERVED, 100),
    ]
