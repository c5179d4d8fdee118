"""worker: zones of others that a back end finds under a zone's name prove nothing."""

from dataclasses import replace

import pytest

from designate import errors
from designate.backend.fake import FakeBackend
from designate.model.pools import Target
from designate.model.zones import Action, Outcome
from tests.support.factories.worker import ZONE, change, live_pool
from tests.support.fakes.worker_backends import ForeignBackend, HostedAccount


def pool_of(servers, *backends):
    """Return a pool in which each back end is the target at the server of its place."""
    pool = live_pool(*servers, backends=backends)
    targets = tuple(
        replace(target, notify=(server.host, server.port))
        for target, server in zip(pool.targets, servers, strict=True)
    )
    return replace(pool, targets=targets)


def test_a_foreign_zone_fails_a_creation_at_once_whatever_the_server_answers(simulate, servers):
    server, backend, parts = servers(), ForeignBackend(), simulate()
    server.serials[ZONE] = 100
    desired = change(1, Action.CREATE, created=False)
    parts.converger.converge(desired, pool_of([server], backend))

    report = parts.reports.wait(desired, timeout_s=1)

    assert report.outcome is Outcome.FAILED
    assert "target 1: server: a zone of this name exists there that is not ours" in report.error
    parts.run_for(5)
    assert [r.outcome for r in parts.reports.got] == [Outcome.FAILED]


def test_a_zone_is_served_once_the_foreign_one_is_gone(simulate, servers):
    server, backend, parts = servers(), ForeignBackend(), simulate()
    desired = change(1, Action.CREATE, created=False)
    parts.converger.converge(desired, pool_of([server], backend))
    parts.reports.wait(desired, Outcome.FAILED)

    backend.foreign_zone = False
    server.serials[ZONE] = 100

    parts.reports.wait(desired, Outcome.SERVED)


def test_a_foreign_zone_on_a_target_that_is_not_needed_is_no_failure(simulate, servers):
    pair, parts = [servers(), servers()], simulate(threshold_percentage=50)
    pair[1].serials[ZONE] = 100
    desired = change(1, Action.CREATE, created=False)
    fake = FakeBackend(Target(type="fake"))
    parts.converger.converge(desired, pool_of(pair, ForeignBackend(), fake))

    assert parts.reports.wait(desired).outcome is Outcome.SERVED


def test_a_zone_that_was_replaced_by_a_foreign_one_fails_when_its_target_is_asked(
    simulate, servers
):
    server, backend, parts = servers(), ForeignBackend(), simulate()
    server.serials[ZONE] = 50
    desired = change(1)
    parts.converger.converge(desired, pool_of([server], backend))

    report = parts.reports.wait(desired, timeout_s=15)
    server.serials[ZONE] = 100
    parts.run_for(10)

    assert report.outcome is Outcome.FAILED
    assert backend.calls[0] == "update"
    assert Outcome.SERVED not in [r.outcome for r in parts.reports.got]


def test_a_zone_to_be_verified_is_not_believed_before_its_targets_have_answered(simulate, servers):
    server, backend, parts = servers(), ForeignBackend(), simulate()
    server.serials[ZONE] = 777
    desired = replace(change(5), verify=True)
    parts.converger.converge(desired, pool_of([server], backend), repair=True)

    failed = parts.reports.wait(desired, timeout_s=1)
    before = [report.outcome for report in parts.reports.got]
    backend.foreign_zone = False
    served = parts.reports.wait(desired, Outcome.SERVED)

    assert failed.outcome is Outcome.FAILED
    assert before == [Outcome.FAILED]
    assert served.newest == 777
    assert set(backend.calls) == {"update"}


def test_a_deletion_ends_where_only_a_foreign_zone_is_left(simulate, servers):
    server, backend, parts = servers(), ForeignBackend(), simulate()
    server.serials[ZONE] = 4000
    desired = change(2, Action.DELETE)
    parts.converger.converge(desired, pool_of([server], backend))

    assert parts.reports.wait(desired, timeout_s=2).outcome is Outcome.ABSENT
    assert backend.calls == ["delete"]


def test_a_deletion_waits_for_the_servers_of_other_targets(simulate, servers):
    pair, parts = [servers(), servers()], simulate()
    for server in pair:
        server.serials[ZONE] = 100
    desired = change(2, Action.DELETE)
    fake = FakeBackend(Target(type="fake"))
    parts.converger.converge(desired, pool_of(pair, ForeignBackend(), fake))
    parts.run_for(3)
    before = list(parts.reports.got)
    del pair[1].serials[ZONE]

    assert before == []
    assert parts.reports.wait(desired).outcome is Outcome.ABSENT


@pytest.mark.parametrize(("created", "serial"), [(False, 100), (False, 4000), (True, 4000)])
def test_a_deletion_ends_where_another_account_of_a_product_has_the_zone(
    simulate, servers, created, serial
):
    server, parts = servers(), simulate()
    server.serials[ZONE] = serial
    pool = replace(pool_of([server], HostedAccount(ZONE)), rewrites_answers=True)
    desired = change(2, Action.DELETE, created=created)
    parts.converger.converge(desired, pool)

    assert parts.reports.wait(desired, timeout_s=2).outcome is Outcome.ABSENT


@pytest.mark.parametrize(
    ("created", "pending", "error"),
    [
        (True, False, None),
        (False, True, None),
        (False, False, errors.BackendError("no reply")),
        (False, False, RuntimeError()),
    ],
)
def test_a_deletion_waits_for_the_nameservers_of_a_product_that_may_have_our_zone(
    simulate, servers, created, pending, error
):
    server, parts, backend = servers(), simulate(), HostedAccount(ZONE, pending=pending)
    backend.error = error
    server.serials[ZONE] = 100
    pool = replace(pool_of([server], backend), rewrites_answers=True)
    desired = change(2, Action.DELETE, created=created)
    parts.converger.converge(desired, pool)
    parts.run_for(5)
    before = list(parts.reports.got)
    del server.serials[ZONE]

    assert before == []
    assert parts.reports.wait(desired).outcome is Outcome.ABSENT
