"""openstack-helm's files and commands: pods, a script file under uWSGI, and a zone on PowerDNS."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from tests.support.deadlines import scaled, until
from tests.support.deployments import checks
from tests.support.deployments.helm import ARGUMENTS, BIN, DAEMONS, GRACE_S, SEARCH, UNREAD, Helm
from tests.support.deployments.parts import make_parts
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.databases import MariaDB
from tests.support.servers.keystone import Keystone
from tests.support.servers.nameservers import Memcached
from tests.support.servers.secondaries import Pdns


@pytest.fixture(scope="module")
def pdns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pdns]:
    with Pdns(tmp_path_factory.mktemp("pdns")) as server:
        yield server


@pytest.fixture(scope="module")
def helm(
    tmp_path_factory: pytest.TempPathFactory,
    keystone: Keystone,
    mariadb: MariaDB,
    broker: RabbitMQ,
    pdns: Pdns,
) -> Iterator[Helm]:
    """Return the deployment without its worker, which waits for its init container."""
    parts = make_parts(tmp_path_factory.mktemp("helm"), keystone, mariadb, broker.fresh())
    with Memcached() as memcached:
        deployment = Helm(parts, pdns, memcached.port)
        job = deployment.pod("db-sync")
        for _ in range(2):
            migrated = job.run("designate-manage", "database", "sync", **SEARCH)
            assert (migrated.returncode, migrated.stdout) == (0, ""), migrated.stderr
        try:
            deployment.start("central", "mdns", "producer", "api")
            deployment.client.ready(*deployment.pods.values())
            yield deployment
        finally:
            deployment.close()


@pytest.fixture(scope="module")
def cloud(helm: Helm) -> Helm:
    """Return the deployment with its worker, after the init container updated the pools twice."""
    container = helm.init_container()
    status, output = helm.update_pools(container)
    assert status == 0, output
    status, output = helm.update_pools(container)
    assert (status, "Nothing to change." in output) == (0, True), output
    helm.start("worker")
    return helm


def test_a_zone_is_served_by_powerdns(cloud: Helm, pdns: Pdns) -> None:
    cloud.client.serve_zone("helm.example.", pdns.port)


def test_every_probe_passes(cloud: Helm) -> None:
    assert 200 <= cloud.client.status("/") < 400
    assert checks.listens(cloud.mdns_port)
    until(lambda: {*DAEMONS} <= cloud.client.services(), 30, "every daemon's heartbeat")
    for machine in cloud.pods.values():
        machine.check()


def test_uwsgi_serves_its_statistics(cloud: Helm) -> None:
    stats = requests.get(f"http://127.0.0.1:{cloud.stats_port}", timeout=scaled(10))

    assert len(json.loads(stats.text)["workers"]) == 2


def test_logs_have_the_form_that_the_logging_file_gives(cloud: Helm) -> None:
    text = cloud.pods["producer"].log("producer").read_text()

    assert " INFO designate." in text
    assert checks.unread_options(text) == UNREAD


def test_the_job_that_cleans_services_up_and_an_operators_checks_succeed(cloud: Helm) -> None:
    checks.assert_administered(cloud.pods["central"], f"{BIN}/", " ".join(ARGUMENTS))


def test_sigterm_ends_every_pod_within_its_grace(cloud: Helm) -> None:
    for name in ("api", *reversed(DAEMONS)):
        cloud.pods[name].terminate(name)
    for name in ("api", *reversed(DAEMONS)):
        assert cloud.pods[name].stop(name, GRACE_S) == 0, name
