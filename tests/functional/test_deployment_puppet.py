"""puppet-designate's files and commands: every option, a copied script under Apache, a zone on PowerDNS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deadlines import until
from tests.support.deployments import checks
from tests.support.deployments.parts import make_parts
from tests.support.deployments.puppet import CONF_FILE, DAEMONS, GRACE_S, POOL_ID, UNREAD, Puppet
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.databases import MariaDB
from tests.support.servers.keystone import Keystone
from tests.support.servers.secondaries import Pdns

MANAGE = "designate-manage"


@pytest.fixture(scope="module")
def pdns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pdns]:
    with Pdns(tmp_path_factory.mktemp("pdns")) as server:
        yield server


@pytest.fixture(scope="module")
def puppet(
    tmp_path_factory: pytest.TempPathFactory,
    keystone: Keystone,
    mariadb: MariaDB,
    broker: RabbitMQ,
    pdns: Pdns,
) -> Iterator[Puppet]:
    parts = make_parts(tmp_path_factory.mktemp("puppet"), keystone, mariadb, broker.fresh())
    deployment = Puppet(parts, pdns)
    extra = ("--config-file", CONF_FILE)
    for words in ((), extra):
        migrated = deployment.host.run(MANAGE, *words, "database", "sync")
        assert (migrated.returncode, migrated.stdout) == (0, ""), migrated.stderr
    try:
        deployment.start()
        deployment.client.ready(deployment.host)
        yield deployment
    finally:
        deployment.host.close()


def test_a_zone_is_served_by_powerdns_once_the_file_is_complete(puppet: Puppet, pdns: Pdns) -> None:
    puppet.write_pools(complete=False)
    done = puppet.host.run(MANAGE, "pool", "update")
    assert done.returncode == 0, done.stderr
    puppet.write_pools(complete=True)
    for expected in (False, True):
        done = puppet.host.run(MANAGE, "pool", "update")
        assert done.returncode == 0, done.stderr
        assert ("Nothing to change." in done.stdout) is expected

    zone = puppet.client.serve_zone("puppet.example.", pdns.port)

    assert zone["pool_id"] == POOL_ID


def test_something_listens_for_the_api(puppet: Puppet) -> None:
    assert checks.listens(puppet.api_port)
    assert puppet.client.status("/healthcheck") == 200
    until(lambda: {*DAEMONS} <= puppet.client.services(), 30, "every daemon's heartbeat")
    puppet.host.check()


def test_daemons_log_to_files_of_their_names(puppet: Puppet) -> None:
    for name in DAEMONS:
        text = puppet.host.path(f"/var/log/designate/designate-{name}.log").read_text()
        assert checks.unread_options(text) == UNREAD


def test_files_pass_the_validators(puppet: Puppet) -> None:
    done = puppet.host.run(
        "oslopolicy-validator", "--config-file", CONF_FILE, "--namespace", "designate"
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_an_operator_checks_and_cleans_up(puppet: Puppet) -> None:
    checks.assert_administered(puppet.host)


def test_sigterm_ends_every_service(puppet: Puppet) -> None:
    for name in ("api", *reversed(DAEMONS)):
        puppet.host.terminate(name)
    for name in ("api", *reversed(DAEMONS)):
        assert puppet.host.stop(name, GRACE_S) == 0, name
