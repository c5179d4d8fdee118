"""designate-operator's files and commands: read-only pods, keys over REST, and a zone on BIND by TSIG."""

from __future__ import annotations

import re
from collections.abc import Iterator

import dns.tsig
import pytest

from tests.support.deadlines import until
from tests.support.deployments import checks
from tests.support.deployments.machine import Machine
from tests.support.deployments.operator import (
    ALL_POOLS,
    DAEMONS,
    DRY_RUN_S,
    GRACE_S,
    MANAGE,
    POOLS_FILE,
    Operator,
)
from tests.support.deployments.parts import make_parts
from tests.support.servers.broker import RabbitMQ
from tests.support.servers.databases import MariaDB
from tests.support.servers.keystone import Keystone
from tests.support.servers.redis import Redis
from tests.support.servers.standalone import transferred

PASSWORD = "of-the-operator"
# What the operator reads of a dry run.
KNOWN_POOL = re.compile(r"id:'([0-9a-f-]{36})' name:'([^']+)'")


@pytest.fixture(scope="module")
def operator(
    tmp_path_factory: pytest.TempPathFactory,
    keystone: Keystone,
    mariadb: MariaDB,
    broker: RabbitMQ,
) -> Iterator[Operator]:
    parts = make_parts(tmp_path_factory.mktemp("operator"), keystone, mariadb, broker.fresh())
    with Redis(tmp_path_factory.mktemp("redis"), PASSWORD) as redis:
        deployment = Operator(parts, (redis.port, PASSWORD))
        job = deployment.pod("db-sync")
        for _ in range(2):
            migrated = job.run("designate-manage", "database", "sync")
            assert (migrated.returncode, migrated.stdout) == (0, ""), migrated.stderr
        with deployment.bind:
            try:
                deployment.start()
                deployment.client.ready(*deployment.pods.values())
                yield deployment
            finally:
                deployment.close()


@pytest.fixture(scope="module")
def job(operator: Operator) -> Machine:
    return operator.pod("job")


@pytest.fixture(scope="module")
def known(operator: Operator, job: Machine) -> dict[str, str]:
    """Return the id of each pool by its name, as the operator reads them of a dry run."""
    operator.write_pools(job, catalog=True)
    done = job.run(
        *MANAGE, "pool", "update", "--file", POOLS_FILE, "--dry-run", timeout_s=DRY_RUN_S
    )
    assert done.returncode == 0, done.stderr
    return {name: id for id, name in KNOWN_POOL.findall(done.stdout)}


@pytest.fixture(scope="module")
def pools(operator: Operator, job: Machine, known: dict[str, str]) -> str:
    """Return what the job prints that updates the pools with a key for transfers."""
    key = operator.tsigkey(known["default"])
    operator.write_pools(job, key["id"])
    return update(job)


def update(job: Machine) -> str:
    done = job.run(*MANAGE, "pool", "update", "--file", POOLS_FILE)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("pools")
def test_a_dry_run_names_every_pool_of_the_file_also_when_nothing_changes(
    job: Machine, known: dict[str, str]
) -> None:
    assert list(known) == ["default"]
    done = job.run(
        *MANAGE, "pool", "update", "--file", POOLS_FILE, "--dry-run", timeout_s=DRY_RUN_S
    )
    assert done.returncode == 0, done.stderr
    assert dict(map(reversed, KNOWN_POOL.findall(done.stdout))) == known
    assert "Nothing to change." in update(job)


@pytest.mark.usefixtures("pools")
def test_a_zone_is_served_by_bind_with_signed_transfers(operator: Operator) -> None:
    operator.client.serve_zone("operator.example.", operator.bind.port)

    log = (operator.bind.folder / "named.log").read_text()
    assert f"TSIG '{operator.tsig_name}'" in log, log[-3000:]


def test_a_key_for_all_pools_transfers_a_zone_of_any(operator: Operator) -> None:
    made = operator.tsigkey(ALL_POOLS, "all-pools")
    key = dns.tsig.Key("all-pools.", operator.tsig_secret, "hmac-sha256")

    found = transferred(("127.0.0.1", operator.mdns_port), "operator.example.", key)

    assert made["resource_id"] == ALL_POOLS
    assert found.get_rdataset("www", "A") is not None


def test_every_health_check_passes(operator: Operator) -> None:
    assert operator.client.status("/healthcheck") == 200
    for name in DAEMONS:
        machine = operator.pods[name]
        machine.check()
        assert checks.pgrep(f"designate.{name}") & {*machine.group(name)}, name
    until(lambda: {*DAEMONS} <= operator.client.services(), 30, "every daemon's heartbeat")


def test_nothing_is_written_outside_of_the_folder_for_locks(operator: Operator) -> None:
    for name, machine in operator.pods.items():
        state = [path.name for path in machine.path("/var/lib/designate").iterdir()]
        assert (name, state) == (name, [])
        assert not machine.path("/etc/designate/data").exists()


def test_an_administrator_checks_and_cleans_up(operator: Operator) -> None:
    checks.assert_administered(operator.pods["central"])


def test_nothing_is_written_that_no_program_reads(operator: Operator) -> None:
    for name, machine in operator.pods.items():
        assert checks.WARNING not in machine.log(name).read_text()


def test_sigterm_ends_every_pod_within_its_grace(operator: Operator) -> None:
    for name in ("api", *reversed(DAEMONS)):
        operator.pods[name].terminate(name)
    for name in ("api", *reversed(DAEMONS)):
        assert operator.pods[name].stop(name, GRACE_S) == 0, name
