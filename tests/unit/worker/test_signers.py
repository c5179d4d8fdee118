"""Nameservers that sign zones: their serials are their own, and data is the proof."""

from dataclasses import replace

import pytest

from designate.backend import base as backends
from designate.model.pools import Nameserver, Pool, Target
from designate.model.zones import Outcome, Sample
from designate.wire.client import SoaAnswer, SoaState
from designate.worker.pools import PoolCache
from designate.worker.proof import OTHER_DATA, JudgingRules, find_fault
from tests.support.factories.worker import ZONE, Central, change, live_pool, stored_pool

WWW = f"www.{ZONE}"
SIGNS = JudgingRules(signs=True)
RESIGNED = 4_000


@pytest.fixture
def signer(servers):
    """A nameserver with a serial of its own."""
    server = servers()
    server.serials[ZONE] = RESIGNED
    server.has(WWW, 60, "A", "192.0.2.1")
    return server


def pool_of(*servers, signing):
    pool = live_pool(*servers)
    labels = frozenset(f"{server.host}:{server.port}" for server in signing)
    return replace(pool, signers=labels)


def ours(signer, text="192.0.2.1", revision=1):
    now = signer.rrsets.get((WWW, "A"))
    digest = signer.has(WWW, 60, "A", text)
    signer.rrsets[WWW, "A"] = now
    sample = Sample(name=WWW, rtype=1, digest=digest)
    return change(revision, soa=signer.soa_digest(), sample=sample)


@pytest.mark.parametrize("serial", [RESIGNED, 100, 7, 2**32 - 1])
def test_data_is_the_proof_whatever_the_serial(simulate, signer, serial):
    signer.serials[ZONE] = serial
    parts, desired = simulate(), ours(signer)
    parts.converger.converge(desired, pool_of(signer, signing=(signer,)))

    report = parts.reports.wait(desired)

    assert (report.outcome, report.serial, report.newest) == (Outcome.SERVED, 100, None)
    assert (len(signer.queries), len(signer.data_queries)) == (2, 1)


def test_a_signer_with_older_data_is_polled_until_it_follows(simulate, signer):
    desired = ours(signer, "192.0.2.2")
    parts = simulate()
    parts.converger.converge(desired, pool_of(signer, signing=(signer,)))
    parts.until(lambda: len(signer.data_queries) >= 8, 20, "polls")
    before = list(parts.reports.got)
    signer.has(WWW, 60, "A", "192.0.2.2")
    signer.serials[ZONE] += 1

    assert before == []
    assert parts.reports.wait(desired).outcome is Outcome.SERVED


def test_of_older_changes_a_signer_proves_none(simulate, signer):
    first, second = ours(signer), ours(signer, "192.0.2.2", revision=2)
    parts, pool = simulate(), pool_of(signer, signing=(signer,))
    parts.converger.converge(first, pool)
    parts.converger.converge(second, pool)
    parts.until(lambda: len(signer.data_queries) >= 3, 20, "polls")

    assert parts.reports.got == []


def test_a_change_of_the_soa_alone_is_proven_by_its_fields(simulate, signer):
    desired = replace(ours(signer), sample=None)
    old, signer.soa = signer.soa, "ns1.other.test. admin.example.org. {} 3600 600 86400 300"
    parts = simulate()
    parts.converger.converge(desired, pool_of(signer, signing=(signer,)))
    parts.until(lambda: len(signer.queries) >= 3, 20, "polls")
    before = list(parts.reports.got)
    signer.soa = old

    assert before == []
    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    assert signer.data_queries == []


def test_giving_up_names_the_signer_and_what_differs(simulate, signer):
    desired = ours(signer, "192.0.2.2")
    parts = simulate(deadline_s=5.0)
    parts.converger.converge(desired, pool_of(signer, signing=(signer,)))

    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.LATE
    assert f"serial {RESIGNED} of its own, other data: {WWW} A differs" in report.error


@pytest.mark.parametrize(("serial", "newest"), [(RESIGNED, RESIGNED), (7, None)])
@pytest.mark.parametrize("deadline_s", [5.0, 60.0])
def test_a_signer_that_does_not_follow_is_reported_with_a_serial_to_pass(
    simulate, signer, serial, newest, deadline_s
):
    signer.serials[ZONE] = serial
    desired = ours(signer, "192.0.2.2")
    parts = simulate(deadline_s=deadline_s)
    parts.converger.converge(desired, pool_of(signer, signing=(signer,)))
    parts.run_for(3)
    early = list(parts.reports.got)
    parts.run_for(27)

    assert early == []
    assert [(report.outcome, report.newest) for report in parts.reports.got] == [
        (Outcome.LATE, newest)
    ]


def test_another_nameserver_of_the_pool_is_judged_by_its_serial(simulate, servers, signer):
    plain = servers()
    plain.rrsets = signer.rrsets
    plain.serials[ZONE] = RESIGNED
    parts, desired = simulate(), ours(signer)
    parts.converger.converge(desired, pool_of(signer, plain, signing=(signer,)))

    report = parts.reports.wait(desired)

    assert report.newest == RESIGNED
    assert report.error == (
        f"nameserver {plain.host}:{plain.port}: serial {RESIGNED} is ahead of the zone's 100"
    )


@pytest.mark.parametrize("serial", [RESIGNED, 7, 100])
def test_reconciliation_leaves_the_serials_of_a_signer_alone(signer, serial):
    answer = SoaAnswer(state=SoaState.SERIAL, serial=serial, digest=signer.soa_digest())
    other = replace(answer, digest="0" * 16)
    fault = find_fault(ours(signer), other, SIGNS)

    assert find_fault(ours(signer), answer, SIGNS) is None
    assert fault.kind == OTHER_DATA


def signers_of(*targets, nameservers):
    pool = replace(stored_pool(), targets=targets, nameservers=nameservers)
    assert isinstance(pool, Pool)
    return PoolCache(Central(pool).client, backends.load).get("pool", 1).signers


def test_a_signing_target_is_or_feeds_nameservers():
    one, two = Nameserver(host="192.0.2.1"), Nameserver(host="192.0.2.2", port=54)
    hidden = Target(type="fake", signs=True, options={"host": "192.0.2.9"})
    own = Target(type="fake", signs=True, options={"host": "192.0.2.2", "port": "54"})
    control = Target(type="fake", signs=True, options={"host": "192.0.2.2", "port": "8952"})
    plain = Target(type="fake", options={"host": "192.0.2.1"})

    assert signers_of(plain, nameservers=(one, two)) == frozenset()
    assert signers_of(plain, own, nameservers=(one, two)) == {two.label}
    assert signers_of(plain, control, nameservers=(one, two)) == {two.label}
    assert signers_of(hidden, nameservers=(one, two)) == {one.label, two.label}
    assert signers_of(plain, nameservers=(replace(one, signs=True), two)) == {one.label}
