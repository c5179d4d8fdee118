"""openstack-ansible's files and commands: units before the schema, HTTPS, the journal, a zone on BIND."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deadlines import scaled, until
from tests.support.deployments import checks
from tests.support.deployments.openstack_ansible import (
    BIN,
    DAEMONS,
    GRACE_S,
    UNREAD,
    OpenStackAnsible,
)
from tests.support.deployments.parts import make_parts, vhost
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.databases import MariaDB
from tests.support.servers.keystone import Keystone
from tests.support.servers.nameservers import Memcached, free_port

EMPTY = "the database is empty: run designate-manage database sync"
POOLS_FILE = "/etc/designate/pools.yaml"


class Journal:
    """systemd's journal: `with Journal(folder) as journal` receives in the folder's socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._entries: list[str] = []
        self._open = True

    def __enter__(self) -> Journal:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder, os.O_PATH)
        try:  # the path of a socket may have 107 characters
            self._socket.bind(f"/proc/self/fd/{descriptor}/socket")
        finally:
            os.close(descriptor)
        self._socket.settimeout(0.2)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._thread.join(timeout=scaled(10))
        self._socket.close()

    def _receive(self) -> None:
        while self._open:
            try:
                self._entries.append(self._socket.recv(65536).decode())
            except TimeoutError:
                continue

    @property
    def text(self) -> str:
        return "".join(self._entries)


@pytest.fixture(scope="module")
def ansible(
    tmp_path_factory: pytest.TempPathFactory,
    keystone: Keystone,
    mariadb: MariaDB,
    broker: RabbitMQ,
) -> Iterator[OpenStackAnsible]:
    """Return the deployment; no ZooKeeper serves at its addresses."""
    folder = tmp_path_factory.mktemp("ansible")
    parts = make_parts(folder, keystone, mariadb, vhost(broker, "designate"))
    nobody = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    with Memcached() as memcached:
        deployment = OpenStackAnsible(parts, memcached.port, nobody)
        with deployment.bind:
            try:
                yield deployment
            finally:
                deployment.host.close()


@pytest.fixture(scope="module")
def journal(ansible: OpenStackAnsible) -> Iterator[Journal]:
    with Journal(ansible.host.path("/run/systemd/journal")) as journal:
        yield journal


@pytest.fixture(scope="module")
def cloud(ansible: OpenStackAnsible, journal: Journal) -> OpenStackAnsible:
    """Return the deployment after the units were started and then the database was migrated."""
    assert journal.text == ""
    ansible.start()
    until(lambda: EMPTY in journal.text, 30, "the line of a unit that finds no schema")
    for _ in range(2):
        status, output, _errors = ansible.manage("database", "sync")
        assert (status, output) == (0, "")
    ansible.client.ready(ansible.host)
    ansible.write_pools()
    return ansible


@pytest.fixture(scope="module")
def pools(cloud: OpenStackAnsible) -> str:
    status, output, errors = cloud.manage("pool", "update", "--file", POOLS_FILE)
    assert status == 0, errors
    return output


def test_units_without_a_schema_say_so_and_serve_once_there_is_one(
    cloud: OpenStackAnsible,
) -> None:
    def all_live() -> bool:
        cloud.host.check()
        return {*DAEMONS} <= cloud.client.services()

    until(all_live, 30, "every unit's heartbeat")
    assert cloud.client.status("/healthcheck") == 200


@pytest.mark.usefixtures("pools")
def test_the_default_pool_has_the_deployments_id_and_is_updated_once(
    cloud: OpenStackAnsible,
) -> None:
    found = cloud.client.call("GET", "/pools")[1]["pools"]

    assert [(pool["id"], pool["name"]) for pool in found] == [(cloud.pool_id, "default")]
    status, output, errors = cloud.manage("pool", "update", "--file", POOLS_FILE)
    assert (status, "Nothing to change." in output) == (0, True), errors


@pytest.mark.usefixtures("pools")
def test_a_zone_is_served_by_bind(cloud: OpenStackAnsible) -> None:
    zone = cloud.client.serve_zone("ansible.example.", cloud.bind.port)

    assert zone["pool_id"] == cloud.pool_id
    assert zone["links"]["self"].startswith(cloud.client.url)


def test_logs_go_to_the_journal_only(cloud: OpenStackAnsible, journal: Journal) -> None:
    """What ends a start is also a line for the one who started the program."""
    until(lambda: "zookeeper" in journal.text.lower(), 30, "a line about ZooKeeper in the journal")

    for name in DAEMONS:
        lines = cloud.host.log(name).read_text().splitlines()
        assert [line for line in lines if not line.endswith(EMPTY)] == [], name
    assert checks.unread_options(journal.text) == UNREAD


def test_a_daemon_without_the_bindings_of_the_journal_says_so(cloud: OpenStackAnsible) -> None:
    done = cloud.host.run(f"{BIN}/designate-producer", PYTHONPATH="")

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "use_journal" in done.stderr


def test_an_operator_checks_and_cleans_up(cloud: OpenStackAnsible) -> None:
    checks.assert_administered(cloud.host, f"{BIN}/")


def test_sigterm_ends_every_unit(cloud: OpenStackAnsible) -> None:
    for name in reversed(DAEMONS):
        cloud.host.terminate(name)
    for name in reversed(DAEMONS):
        assert cloud.host.stop(name, GRACE_S) == 0, name
