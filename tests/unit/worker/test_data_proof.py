"""A nameserver proves a change by the SOA's fields and by a sample of its data, not by a serial alone."""

from dataclasses import replace

import dns.tsig
import pytest

from designate.backend import base as backends
from designate.model.zones import Action, Outcome, Sample, ZoneType
from designate.wire.tsig_keys import make_key
from designate.worker.pools import PoolCache
from designate.worker.reconcile import DriftChecker
from tests.support.factories.worker import ZONE, change, live_pool, stored_pool

WWW = f"www.{ZONE}"
A = 1
SECRET = "YSBzZWNyZXQgb2Ygc29tZSBieXRlcw=="


@pytest.fixture
def server(servers):
    """A nameserver that serves the zone with WWW."""
    server = servers()
    server.serials[ZONE] = 100
    server.has(WWW, 60, "A", "192.0.2.1")
    return server


def ours(server, *texts, revision=1, **members):
    """Return a change whose SOA is the server's and whose sample is WWW with this data."""
    sample = Sample(name=WWW, rtype=A)
    if texts:
        served = server.rrsets.get((WWW, "A"))
        sample = replace(sample, digest=server.has(WWW, 60, "A", *texts))
        if served is None:
            del server.rrsets[WWW, "A"]
        else:
            server.rrsets[WWW, "A"] = served
    return replace(change(revision), soa=server.soa_digest(), sample=sample, **members)


def test_the_data_takes_one_query_more_for_a_change_and_a_server(simulate, servers, server):
    second = servers()
    second.serials[ZONE] = 99
    desired = ours(server, "192.0.2.1")
    parts = simulate()
    parts.converger.converge(desired, live_pool(server, second))
    parts.until(lambda: len(second.queries) >= 4, 10, "polls of the one that lags")
    lagging = (len(server.queries), len(second.data_queries))
    second.rrsets = server.rrsets
    second.serials[ZONE] = 100
    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.SERVED
    assert lagging == (2, 0), "none for each poll"
    assert (len(server.data_queries), len(second.data_queries)) == (1, 1)


def test_a_poll_after_a_hint_does_not_compare_again(simulate, servers, server):
    second = servers()
    parts, desired = simulate(), ours(server, "192.0.2.1")
    parts.converger.converge(desired, live_pool(server, second))
    parts.until(lambda: server.data_queries, 10, "the comparison")
    polls = len(server.queries)
    parts.converger.hint(desired.zone_id, server.host)
    parts.until(lambda: len(server.queries) > polls, 10, "a poll")

    assert len(server.data_queries) == 1


def test_other_data_with_the_right_serial_is_no_proof_and_is_named(simulate, server):
    desired = ours(server, "192.0.2.2")
    parts = simulate()
    parts.converger.converge(desired, live_pool(server))
    late = parts.reports.wait(desired)
    server.has(WWW, 60, "A", "192.0.2.2")
    served = parts.reports.wait(desired, Outcome.SERVED)

    assert late.outcome is Outcome.LATE
    assert late.error == (
        f"not served; nameserver {server.host}:{server.port}: serial 100, other data: {WWW} A differs"
    )
    assert [report.outcome for report in parts.reports.got] == [Outcome.LATE, served.outcome]
    assert len(parts.converger) == 0


def test_other_data_of_a_moment_is_not_reported(simulate, server):
    desired = ours(server, "192.0.2.2")
    parts = simulate()
    parts.converger.converge(desired, live_pool(server))
    parts.until(lambda: len(server.data_queries) >= 3, 10, "comparisons")
    before = list(parts.reports.got)
    server.has(WWW, 60, "A", "192.0.2.2")

    assert before == []
    assert parts.reports.wait(desired).outcome is Outcome.SERVED


def test_another_soa_with_the_right_serial_is_no_proof(simulate, server):
    desired = ours(server, "192.0.2.1")
    server.soa = "ns1.other.test. admin.example.org. {} 3600 600 86400 300"
    parts = simulate()
    parts.converger.converge(desired, live_pool(server))

    late = parts.reports.wait(desired)

    assert late.outcome is Outcome.LATE
    assert "serial 100, other data: its SOA is not the zone's" in late.error
    assert server.data_queries == []


def test_enough_servers_with_our_data_are_enough(simulate, servers, server):
    second = servers()
    second.serials[ZONE] = 100
    parts, desired = simulate(threshold_percentage=50), ours(server, "192.0.2.1")
    parts.converger.converge(desired, live_pool(second, server))

    assert parts.reports.wait(desired).outcome is Outcome.SERVED


def test_an_older_change_is_proven_by_its_serial(simulate, server):
    first, second = ours(server, "192.0.2.9"), ours(server, "192.0.2.2", revision=2)
    parts, pool = simulate(), live_pool(server)
    parts.converger.converge(first, pool)
    parts.converger.converge(second, pool)
    progress = parts.reports.wait(first)
    server.has(WWW, 60, "A", "192.0.2.2")
    server.serials[ZONE] = 200
    end = parts.reports.wait(second)

    assert (progress.outcome, progress.serial) == (Outcome.SERVED, 100)
    assert (end.outcome, end.serial) == (Outcome.SERVED, 200)


def test_a_comparison_that_a_newer_change_overtook_proves_nothing_of_that(simulate, server):
    """The answer that is compared belongs to the change that was announced when it was asked for."""
    first, second = ours(server, "192.0.2.1"), ours(server, "192.0.2.2", revision=2)
    parts, pool = simulate(), live_pool(server)

    def announce(reply):
        del server.scripts[WWW, "A"]
        server.serials[ZONE] = 200
        parts.converger.converge(second, pool)
        server._fill(reply, WWW, tcp=False)

    server.scripts[WWW, "A"] = announce
    parts.converger.converge(first, pool)
    parts.until(lambda: len(server.data_queries) >= 3, 10, "comparisons")

    assert not [report for report in parts.reports.got if report.revision == 2]


def test_data_that_gets_no_reply_is_no_proof(simulate, server):
    desired = ours(server, "192.0.2.1")
    server.lose_data_queries = True
    parts = simulate(deadline_s=3.0)
    parts.converger.converge(desired, live_pool(server))
    parts.until(lambda: server.data_queries, 10, "the query")
    server.lose_data_queries = False

    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    assert len(server.data_queries) == 2


@pytest.mark.parametrize(
    "members", [{"type": ZoneType.CATALOG}, {"action": Action.DELETE}, {"sample": None}]
)
def test_catalogs_deletions_and_changes_without_data_ask_for_none(simulate, server, members):
    desired = replace(ours(server, "192.0.2.9"), **members)
    parts = simulate()
    parts.converger.converge(desired, live_pool(server))
    parts.run_for(1)

    assert server.queries
    assert server.data_queries == []


def test_servers_that_rewrite_answers_are_judged_by_serials(simulate, server):
    desired = replace(ours(server, "192.0.2.9"), soa="0" * 16)
    parts = simulate()
    parts.converger.converge(desired, replace(live_pool(server), rewrites_answers=True))

    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    assert server.data_queries == []


def test_the_data_is_asked_for_with_the_key_of_the_nameserver(simulate, server):
    key = dns.tsig.Key("pool-key.", SECRET, "hmac-sha256")
    desired = ours(server, "192.0.2.1")
    server.keyring = {key.name: key}
    pool = live_pool(server)
    keyed = tuple(replace(each, tsigkey_id="key") for each in pool.nameservers)
    signing = make_key("pool-key", "hmac-sha256", SECRET)
    parts = simulate()
    parts.converger.converge(desired, replace(pool, nameservers=keyed, keys={"key": signing}))

    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    assert [query.had_tsig for query in server.queries] == [True, True]


# -- reconciliation and status -------------------------------------------------------------------


@pytest.fixture
def checker(simulate, server):
    """Return a checker of a pool of the server whose back end does not rewrite, and its simulation."""
    parts = simulate(stored_pool(server, type="catalog"))
    client = parts.central.client
    pools = PoolCache(client, backends.load)
    return DriftChecker(client, pools, parts.converger, parts.settings, parts.clock), parts


def test_reconciliation_asks_for_the_soa_only_and_finds_another_one(checker, server):
    drift, parts = checker
    desired = ours(server, "192.0.2.1")
    drift.check([desired])
    parts.run_for(1)
    in_order = (len(server.queries), len(server.data_queries), list(parts.reports.got))
    server.soa = "ns1.other.test. admin.example.org. {} 3600 600 86400 300"
    drift.check([desired])
    drifted = parts.reports.wait(desired, Outcome.DRIFTED)

    assert in_order == (1, 0, [])
    assert "serial 100, other data: its SOA is not the zone's" in drifted.error
