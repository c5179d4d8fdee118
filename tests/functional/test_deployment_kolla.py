"""kolla-ansible's files and commands: every container, its checks, and a zone on BIND."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.deadlines import until
from tests.support.deployments import checks
from tests.support.deployments.kolla import BIN, CONF, DAEMONS, GRACE_S, UNREAD, Kolla
from tests.support.deployments.parts import make_parts, vhost
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.databases import MariaDB
from tests.support.servers.keystone import Keystone
from tests.support.servers.nameservers import Memcached
from tests.support.servers.redis import GROUP, Redis

MANAGE = f"{BIN}/designate-manage"
PASSWORD = "of-the-cache"
GENERATOR = "/designate/etc/designate/designate-config-generator.conf"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis(tmp_path_factory.mktemp("redis"), PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def kolla(
    tmp_path_factory: pytest.TempPathFactory,
    keystone: Keystone,
    mariadb: MariaDB,
    broker: RabbitMQ,
    redis: Redis,
) -> Iterator[Kolla]:
    parts = make_parts(tmp_path_factory.mktemp("kolla"), keystone, mariadb, vhost(broker, "/"))
    sentinel = f"127.0.0.1:{redis.sentinel_port}"
    coordination = (
        f"redis://default:{PASSWORD}@{sentinel}?sentinel={GROUP}&sentinel_fallback={sentinel}"
        "&db=0&socket_timeout=60&retry_on_timeout=yes"
    )
    with Memcached() as memcached:
        deployment = Kolla(parts, memcached.port, coordination)
        bootstrap = deployment.bootstrap(parts.folder / "bootstrap")
        for _ in range(2):
            migrated = bootstrap.run(MANAGE, "database", "sync")
            assert (migrated.returncode, migrated.stdout) == (0, ""), migrated.stderr
        with deployment.bind:
            try:
                deployment.start()
                deployment.client.ready(*deployment.containers.values())
                yield deployment
            finally:
                deployment.close()


@pytest.fixture(scope="module")
def pools(kolla: Kolla) -> str:
    """Return what the deployment prints when it writes the pools."""
    return update_pools(kolla)


def update_pools(kolla: Kolla) -> str:
    """Update the pools inside the worker's container, with a terminal."""
    command = f"{MANAGE} pool update"
    done = kolla.containers["worker"].run("script", "-qefc", command, "/dev/null")
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_pool_is_renamed_by_its_id_and_updated_once(kolla: Kolla, pools: str) -> None:
    assert "default-bind" in pools
    found = kolla.client.call("GET", "/pools")[1]["pools"]
    assert [(pool["id"], pool["name"]) for pool in found] == [(kolla.pool_id, "default-bind")]
    assert "Nothing to change." in update_pools(kolla)


@pytest.mark.usefixtures("pools")
def test_a_zone_is_served_by_bind(kolla: Kolla) -> None:
    zone = kolla.client.serve_zone("kolla.example.", kolla.bind.port)

    assert zone["pool_id"] == kolla.pool_id


def test_every_health_check_passes(kolla: Kolla, redis: Redis) -> None:
    assert kolla.client.status("/healthcheck") == 200
    for name in DAEMONS:
        machine, title = kolla.containers[name], f"designate-{name}"
        until(
            lambda machine=machine, title=title: checks.connected(
                machine, title, kolla.broker_port
            ),
            30,
            f"{title}'s connection to the broker",
        )
        machine.check()
    assert "_tooz_group:producer" in redis.keys


def test_the_validator_names_the_one_option_that_is_none(kolla: Kolla) -> None:
    names = ("mdns", "sink")  # what the others have, these have too
    with ThreadPoolExecutor(len(names)) as threads:
        found = threads.map(
            lambda name: checks.invalid_options(kolla.containers[name], GENERATOR, CONF, f"{BIN}/"),
            names,
        )

    assert list(found) == [{"oslo_messaging_rabbit/heartbeat_in_pthread"}] * len(names)


def test_an_operator_checks_and_cleans_up(kolla: Kolla) -> None:
    checks.assert_administered(kolla.containers["central"], f"{BIN}/")


def test_logs_are_where_the_tool_collects_them_and_name_unread_options(kolla: Kolla) -> None:
    for name, machine in kolla.containers.items():
        folder = machine.path("/var/log/kolla/designate")
        assert checks.unread_options((folder / f"designate-{name}.log").read_text()) == UNREAD


def test_sudo_may_run_a_program_that_refuses(kolla: Kolla) -> None:
    done = kolla.containers["worker"].run(
        f"{BIN}/designate-rootwrap", "/etc/designate/rootwrap.conf", "true"
    )

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_sigterm_ends_every_process(kolla: Kolla) -> None:
    for name in ("api", *reversed(DAEMONS)):
        kolla.containers[name].terminate(name)
    for name in ("api", *reversed(DAEMONS)):
        assert kolla.containers[name].stop(name, GRACE_S) == 0, name
