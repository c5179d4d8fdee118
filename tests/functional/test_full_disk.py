"""A database that takes no writes: they get a 503, reads go on, and nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from designate import errors
from designate.storage.sqlalchemy import migration
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.db.transaction import Transaction
from tests.support.clients.repeatable import assert_repeatable
from tests.support.deadlines import scaled, until
from tests.support.machine.small_disk import SmallDisk
from tests.support.servers.databases import MariaDB, PostgreSQL
from tests.support.servers.nameservers import free_port
from tests.support.servers.standalone import Service, ask

MAX_POSTS = 2000
# MariaDB 10.11 ends itself when it has to undo the insertion of a value that has pages of its own.
RECORDS = [f'"{number:03d}{"x" * 247}"' for number in range(10)]


@dataclass
class Served:
    """The service on a database whose disk can be filled."""

    url: str
    disk: SmallDisk
    process_id: int

    def fill(self) -> None:
        self.disk.fill(self.process_id)

    def free(self) -> None:
        self.disk.free(self.process_id)

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{self.url}/v2{path}", json=body, timeout=scaled(60))

    def post(self, zone: dict[str, Any], name: str) -> requests.Response:
        body = {"name": f"{name}.{zone['name']}", "type": "TXT", "records": RECORDS}
        return self.call("POST", f"/zones/{zone['id']}/recordsets", body)


class SmallMariaDB(MariaDB):
    @property
    def disk(self) -> SmallDisk:
        return SmallDisk(self._data, 192)

    def _command(self) -> list[str]:
        return self.disk.command(*super()._command())


class SmallPostgreSQL(PostgreSQL):
    @property
    def disk(self) -> SmallDisk:
        return SmallDisk(self._data, 128)

    def _install(self) -> None:
        super()._install()
        # Where there is no room for its log PostgreSQL ends, which is another case.
        log = self._data / "pg_wal"
        log.rename(self.folder / "wal")
        log.symlink_to(self.folder / "wal")

    def _command(self) -> list[str]:
        return self.disk.command(*super()._command())


class Standby(PostgreSQL):
    """Read-only as a standby of a cluster is."""

    def read_only(self, on: bool) -> None:
        assert on
        self.stop()
        (self._data / "standby.signal").touch()
        self.start()


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    if request.param == "sqlite":
        yield from standalone_program(tmp_path)
        return
    server = SmallMariaDB() if request.param == "mariadb" else SmallPostgreSQL()
    with server:
        options = {"storage:sqlalchemy": {"connection": server.migrated()}}
        with Service(tmp_path, DEFAULT={"quota_recordset_records": -1}, **options) as service:
            assert server._process is not None
            yield Served(service.url, server.disk, server._process.pid)


def standalone_program(folder: Path) -> Iterator[Served]:
    state = folder / "state"
    state.mkdir()
    disk = SmallDisk(state, 8)
    options = folder / "designate.conf"
    options.write_text("[DEFAULT]\nquota_recordset_records = -1\nquota_zone_records = -1\n")
    port = free_port()
    command = [sys.executable, "-m", "designate.cmd.standalone", "--config-file", str(options)]
    command += ["--state-dir", str(state), "--api", f"127.0.0.1:{port}", "--dns", "127.0.0.1:0"]
    url = f"http://127.0.0.1:{port}"
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(disk.command(*command), stdout=output, stderr=output)

    def is_up() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return requests.get(url, timeout=scaled(10)).status_code == 200
        except requests.ConnectionError:
            return False

    try:
        until(is_up, 60, "the service's first response")
        yield Served(url, disk, process.pid)
        assert "Traceback" not in log.read_text()
    finally:
        process.terminate()
        process.wait(timeout=scaled(30))


def test_writes_on_a_full_disk_are_503_until_it_has_room(served: Served) -> None:
    zone = served.call("POST", "/zones", {"name": "full.example.", "email": "a@example.org"}).json()
    assert served.post(zone, "before").status_code == 202
    stored = {"before"}
    served.fill()
    for number in range(MAX_POSTS):
        response = served.post(zone, f"r{number}")
        if response.status_code != 202:
            break
        stored.add(f"r{number}")

    assert "The disk of the database is full" in assert_repeatable(response)
    assert recordsets(served, zone) == stored  # reads go on

    served.free()
    until(lambda: served.post(zone, "after").status_code == 202, 30, "room for a write")
    assert recordsets(served, zone) == stored | {"after"}


@pytest.mark.parametrize("kind", [MariaDB, PostgreSQL, Standby])
def test_writes_on_a_read_only_server_are_503(
    kind: type[MariaDB | PostgreSQL], tmp_path: Path
) -> None:
    with kind() as server:
        options = {"storage:sqlalchemy": {"connection": server.migrated()}}
        with Service(tmp_path, **options) as service:
            zone = service.zone("replica.example.")
            server.read_only(True)
            url = f"{service.url}/v2/zones/{zone['id']}"

            def refused() -> bool:
                return requests.patch(url, json={"ttl": 600}, timeout=scaled(60)).status_code != 202

            until(refused, 10, "a refusal")
            response = requests.delete(url, timeout=scaled(60))
            assert "takes no changes" in assert_repeatable(response)
            assert service.call("GET", f"/zones/{zone['id']}")[0] == 200
            assert ask(service.dns, "replica.example.", "SOA").answer
            if kind is not Standby:
                server.read_only(False)
                until(lambda: not refused(), 10, "a write")


def test_a_server_that_became_a_replica_is_left() -> None:
    """The next write connects anew, perhaps to another server behind the same address."""

    def connection_id(tx: Transaction) -> int:
        return int(tx.execute(sa.text("SELECT connection_id()")).scalar_one())

    def change(tx: Transaction) -> None:
        tx.execute(sa.text("CREATE TABLE t (a INTEGER)"))

    with SmallMariaDB() as server, contextlib.closing(Database(server.fresh())) as database:
        empty = server.fresh()
        first = database.write(connection_id)
        assert database.write(connection_id) == first
        server.read_only(True)
        with pytest.raises(errors.Unavailable):
            database.write(change)

        assert database.write(connection_id) != first
        with pytest.raises(errors.Unavailable, match="takes no changes"):
            migration.sync(empty)


def recordsets(served: Served, zone: dict[str, Any]) -> set[str]:
    """Return the first labels of the zone's TXT recordsets, all of whose data must be there."""
    path = f"/zones/{zone['id']}/recordsets?type=TXT&limit=1000"
    response = served.call("GET", path)
    assert response.status_code == 200, response.text
    found = response.json()["recordsets"]
    assert all(sorted(item["records"]) == RECORDS for item in found)
    return {item["name"].partition(".")[0] for item in found}
