"""worker: zones of others that a back end finds under a zone's name prove nothing."""

from dataclasses import replace

from designate.backend.fake import FakeBackend
from designate.model.pools import Target
from designate.model.zones import Action, Outcome
from tests.support.factories.worker import ZONE, change, live_pool
from tests.support.fakes.worker_backends import ForeignBackend


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
