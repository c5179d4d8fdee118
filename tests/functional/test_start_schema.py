"""Programs check the database before they serve: another schema is one line that says what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.servers import schema
from tests.support.servers.databases import MariaDB
from tests.support.servers.start_failures import failure, one_line

SYNC = "run designate-manage database sync"


def stamp(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))


@pytest.mark.parametrize(("kind", "workers"), [("central", 1), ("central", 2), ("mdns", 1)])
def test_daemon_on_an_empty_database_ends(kind: str, workers: int, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/none.sqlite"

    line = failure(kind, tmp_path, workers=workers, storage__sqlalchemy={"connection": url})

    assert line.endswith(f": [storage:sqlalchemy] connection: the database is empty: {SYNC}")


@pytest.mark.parametrize(
    ("revision", "advice"), [("0000", SYNC), ("9999", "of a newer release: install that release")]
)
def test_daemon_on_the_schema_of_another_release_ends(
    revision: str, advice: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/db.sqlite"
    schema.migrate(url)
    stamp(tmp_path / "db.sqlite", revision)

    line = failure("mdns", tmp_path, storage__sqlalchemy={"connection": url})

    assert f"the schema is {revision}" in line
    assert advice in line


def test_wrong_password_of_the_database_is_named_without_it(
    mariadb: MariaDB, tmp_path: Path
) -> None:
    url = mariadb.fresh().replace("s3cret-of-tests", "wr0ng")

    line = failure("central", tmp_path, storage__sqlalchemy={"connection": url})

    assert "[storage:sqlalchemy] connection: " in line
    assert "Access denied for user 'designate'" in line
    assert "wr0ng" not in line


@pytest.mark.parametrize("command", ["pool update", "database sync", "database version"])
def test_commands_leave_the_database_of_openstack_designate_as_it_is(
    command: str, tmp_path: Path
) -> None:
    path = tmp_path / "db.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE zones (id CHAR(32), tenant_id VARCHAR(36))")
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        database.execute("INSERT INTO alembic_version VALUES ('f49c4409c8ba')")
    conf = tmp_path / "designate.conf"
    conf.write_text(f"[storage:sqlalchemy]\nconnection = sqlite:///{path}\n")
    (tmp_path / "pools.yaml").write_text("[]")
    words = command.split()
    if words[0] == "pool":
        words += ["--file", str(tmp_path / "pools.yaml")]

    line = one_line("designate-manage", "--config-file", str(conf), *words)

    assert "the database is OpenStack Designate's own (revision f49c4409c8ba)" in line
    assert "set it to an empty database" in line


def test_standalone_on_the_schema_of_a_newer_release_ends(tmp_path: Path) -> None:
    schema.migrate(f"sqlite:///{tmp_path}/designate.sqlite")
    stamp(tmp_path / "designate.sqlite", "9999")

    line = one_line("designate-standalone", "--state-dir", str(tmp_path), "--api", "127.0.0.1:0")

    assert "the schema is 9999, of a newer release" in line
