"""worker.service and worker.pools: changes arrive, pools are fetched, reports are sent."""

import contextlib
from dataclasses import replace

import pytest
from oslo_config import cfg

from designate import errors, shared_options
from designate.backend import base
from designate.context import admin_context
from designate.model.pools import Target
from designate.model.zones import Action, Outcome
from designate.worker import secondary, service
from designate.worker.pools import PoolCache
from tests.support.deadlines import until
from tests.support.factories.worker import ZONE, Central, change, nameserver, stored_pool


@pytest.fixture
def worker_of():
    with contextlib.ExitStack() as stack:

        def start(central, **options):
            conf = cfg.ConfigOpts()
            shared = shared_options.OPTIONS_BY_GROUP[service.GROUP]
            conf.register_opts([*service.OPTS, *secondary.OPTS, *shared], service.GROUP)
            for name, value in options.items():
                conf.set_override(name, value, service.GROUP)
            worker = service.Worker(conf, central.client)
            worker.start()
            stack.callback(worker.stop)
            return worker

        yield start


def test_a_change_is_announced_proven_and_reported(servers, worker_of):
    server = servers()
    server.on_notify = 100
    central = Central(stored_pool(server))
    worker = worker_of(central)
    desired = change(1)
    server.serials[ZONE] = 1
    worker.zone_changed(admin_context(), desired)

    assert central.reports.wait(desired).outcome is Outcome.SERVED
    assert len(server.notifies) == 1


def test_a_hint_shortens_the_wait(servers, worker_of):
    server = servers()
    central = Central(stored_pool(server))
    worker = worker_of(central, poll_delay=3600)
    server.serials[ZONE] = 100
    desired = change(1)
    worker.zone_changed(admin_context(), desired)
    until(lambda: server.notifies, 10, "the NOTIFY")
    worker.zone_served(admin_context(), desired.zone_id, desired.serial, server.host)

    assert central.reports.wait(desired).outcome is Outcome.SERVED


def test_over_tcp_when_it_is_configured(servers, worker_of):
    server = servers()
    server.serials[ZONE] = 100
    central = Central(stored_pool(server))
    desired = change(1)
    worker_of(central, all_tcp=True).zone_changed(admin_context(), desired)

    assert central.reports.wait(desired).outcome is Outcome.SERVED
    assert server.tcp_queries == len(server.queries)


def test_a_new_version_of_a_pool_is_fetched_and_used(servers, worker_of):
    old, new = servers(), servers()
    central = Central(stored_pool(old))
    worker = worker_of(central)
    old.serials[ZONE] = 100
    first = change(1)
    worker.zone_changed(admin_context(), first)
    central.reports.wait(first)
    central.pools.by_id["pool"] = stored_pool(new, version=2)
    new.serials[ZONE] = 200
    second = replace(change(2), pool_version=2)
    worker.zone_changed(admin_context(), second)

    assert central.reports.wait(second).outcome is Outcome.SERVED
    assert new.notifies
    assert central.pools.calls == 2


@pytest.mark.usefixtures("quick_timeouts")
def test_a_zone_under_way_moves_to_the_new_version_of_its_pool(servers, worker_of):
    dead, new = servers(), servers()
    dead.unresponsive = True
    central = Central(stored_pool(dead))
    worker = worker_of(central)
    worker.zone_changed(admin_context(), change(1))
    until(lambda: dead.queries, 10, "a poll")
    central.pools.by_id["pool"] = stored_pool(new, version=2)
    new.serials[ZONE] = 100
    updated = replace(change(1), pool_version=2)
    worker.zone_changed(admin_context(), updated)

    assert central.reports.wait(updated).outcome is Outcome.SERVED


def test_a_pool_that_does_not_exist_fails_the_change(worker_of):
    central, desired = Central(), change(1)
    worker_of(central).zone_changed(admin_context(), desired)

    report = central.reports.wait(desired)

    assert report.outcome is Outcome.FAILED
    assert "pool pool: Could not find Pool" in report.error


def test_a_backend_that_is_not_installed_fails_the_change(servers, worker_of):
    central, desired = Central(stored_pool(servers(), type="agent")), change(1)
    worker_of(central).zone_changed(admin_context(), desired)

    report = central.reports.wait(desired)

    assert report.outcome is Outcome.FAILED
    assert "agent" in report.error


def test_while_central_is_away_changes_are_left_to_the_sweep(servers, worker_of):
    server = servers()
    server.serials[ZONE] = 100
    central = Central(stored_pool(server))
    central.pools.error = errors.Unavailable("central is down")
    worker, desired = worker_of(central), change(1)
    worker.zone_changed(admin_context(), desired)
    until(lambda: central.pools.calls, 10, "an attempt")
    central.pools.error = None
    worker.zone_changed(admin_context(), desired)

    assert central.reports.wait(desired).outcome is Outcome.SERVED


def test_stopping_ends_every_thread_though_work_is_left(servers, worker_of):
    server = servers()
    server.unresponsive = True
    central = Central(stored_pool(server))
    worker = worker_of(central, poll_timeout=1)
    for number in range(20):
        worker.zone_changed(admin_context(), change(1, name=f"z{number}.example."))
    until(lambda: server.queries, 10, "a poll")
    worker.stop()

    assert not [thread for thread in worker._threads if thread.is_alive()]
    assert central.reports.got == []


def test_a_pool_is_fetched_once_per_version():
    central = Central(stored_pool(version=3))
    cache = PoolCache(central.client, base.load)

    first = [cache.get("pool", 3), cache.get("pool", 3)]
    late = [cache.get("pool", 2), cache.get("pool", 2)]

    assert first[0] is first[1]
    assert late[0] is late[1]
    assert (first[0].version, central.pools.calls) == (3, 2)


def test_notify_goes_where_the_options_say_and_nowhere_for_the_builtin_server():
    pool = replace(
        stored_pool(),
        targets=(
            Target(type="fake", options={"host": "192.0.2.1", "port": "5300"}),
            Target(type="fake"),
            Target(type="builtin"),
        ),
    )
    live = PoolCache(Central(pool).client, base.load).get("pool", 1)

    assert [target.notify for target in live.targets] == [
        ("192.0.2.1", 5300),
        ("127.0.0.1", 53),
        None,
    ]


def stale_copy(**members):
    """Return the deletion of a zone from the pool, after its move to the pool `new`."""
    desired = change(1, Action.DELETE, zone_id="stale")
    return replace(desired, kept_in="new", kept_version=1, **members)


def moved_from(old, new):
    return Central(stored_pool(old), stored_pool(new, pool_id="new"))


def test_what_is_left_of_a_moved_zone_goes_from_the_old_pools_servers(servers, worker_of):
    old, new = servers(), servers()
    new.serials[ZONE] = 100
    central = moved_from(old, new)
    worker_of(central).zone_changed(admin_context(), stale_copy())

    assert central.reports.wait(stale_copy()).outcome is Outcome.ABSENT
    assert (len(old.queries) > 0, new.queries) == (True, [])


def test_servers_that_both_pools_have_keep_the_zone(servers, worker_of):
    server = servers()
    server.serials[ZONE] = 100
    central = moved_from(server, server)
    worker_of(central).zone_changed(admin_context(), stale_copy())

    assert central.reports.wait(stale_copy()).outcome is Outcome.ABSENT
    assert server.queries == []


def test_only_what_the_other_pool_has_not_is_left_of_a_pool(servers):
    both, own = servers(), servers()
    central = Central()
    places = [
        Target(type="fake", options={"host": "192.0.2.1", "port": "53", "view": view})
        for view in ("inside", "outside")
    ]
    old = replace(
        stored_pool(both),
        targets=tuple(places),
        nameservers=(nameserver(both), nameserver(own)),
    )
    new = replace(stored_pool(both), id="new", targets=(places[0],))
    central.pools.by_id.update({"pool": old, "new": new})
    cache = PoolCache(central.client, base.load)

    remaining = cache.get("pool", 1).without(cache.get("new", 1))

    assert [target.label for target in remaining.targets] == ["target 2 (fake)"]
    assert [ns.port for ns in remaining.nameservers] == [own.port]
    assert remaining == cache.get("pool", 1).without(cache.get("new", 1))
