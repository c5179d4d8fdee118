"""charm-designate's files and commands: Ubuntu's services, memcached, and a zone on BIND."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deadlines import until
from tests.support.deployments import checks
from tests.support.deployments.charm import DAEMONS, GRACE_S, POOL_ID, POOL_UPDATE_S, UNREAD, Charm
from tests.support.deployments.parts import make_parts, vhost
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.databases import MariaDB
from tests.support.servers.keystone import Keystone
from tests.support.servers.nameservers import Memcached

UPDATE = ("designate-manage", "pool", "update")


@pytest.fixture(scope="module")
def memcached() -> Iterator[Memcached]:
    with Memcached() as server:
        yield server


@pytest.fixture(scope="module")
def charm(
    tmp_path_factory: pytest.TempPathFactory,
    keystone: Keystone,
    mariadb: MariaDB,
    broker: RabbitMQ,
    memcached: Memcached,
) -> Iterator[Charm]:
    folder = tmp_path_factory.mktemp("charm")
    parts = make_parts(folder, keystone, mariadb, vhost(broker, "openstack"))
    deployment = Charm(parts, memcached.port)
    for _ in range(2):
        migrated = deployment.unit.run("designate-manage", "database", "sync")
        assert (migrated.returncode, migrated.stdout) == (0, ""), migrated.stderr
    with deployment.bind:
        try:
            deployment.start()
            deployment.client.ready(deployment.unit)
            yield deployment
        finally:
            deployment.unit.close()


def test_a_pool_without_bind_is_stored_with_a_warning_for_each_missing_part(charm: Charm) -> None:
    charm.write_pools(bind=False)

    done = charm.unit.run(*UPDATE, timeout_s=POOL_UPDATE_S)

    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        "Pool default has no nameservers",
        "Pool default has no targets",
    ]


def test_a_zone_is_served_by_bind_and_the_pool_is_updated_once(charm: Charm) -> None:
    charm.write_pools(bind=True)
    for expected in (False, True):
        done = charm.unit.run(*UPDATE, timeout_s=POOL_UPDATE_S)
        assert done.returncode == 0, done.stderr
        assert ("Nothing to change." in done.stdout) is expected

    zone = charm.client.serve_zone("charm.example.", charm.bind.port)

    pool = charm.client.call("GET", f"/pools/{POOL_ID}")[1]
    assert [record["priority"] for record in pool["ns_records"]] == [10]
    assert zone["pool_id"] == POOL_ID
    assert (zone["ttl"], zone["email"]) == (3600, "a@example.org")


def test_every_health_check_passes(charm: Charm, memcached: Memcached) -> None:
    assert charm.client.status("/healthcheck") == 200
    until(lambda: {*DAEMONS} <= charm.client.services(), 30, "every service's heartbeat")
    charm.unit.check()
    assert memcached.stat("curr_items") > 0


def test_a_command_of_other_days_is_answered_in_one_line(charm: Charm) -> None:
    done = charm.unit.run("designate-manage", "pool-manager-cache", "sync")

    assert done.returncode == 2
    assert "pool-manager-cache" in done.stderr.splitlines()[-1]


def test_an_operator_checks_and_cleans_up(charm: Charm) -> None:
    checks.assert_administered(charm.unit)


def test_options_of_earlier_releases_are_named(charm: Charm) -> None:
    assert checks.unread_options(charm.unit.log("central").read_text()) == UNREAD


def test_sigterm_ends_every_service(charm: Charm) -> None:
    for name in reversed(DAEMONS):
        charm.unit.terminate(name)
    for name in reversed(DAEMONS):
        assert charm.unit.stop(name, GRACE_S) == 0, name
