"""Whatever the umask, what this service keeps on disk is for its user alone, and for one program."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from designate.storage.sqlalchemy.db.engine import Database
from tests.support.deadlines import scaled, until
from tests.support.servers import schema
from tests.support.servers.start_failures import failure, one_line

PROGRAM = (sys.executable, "-m", "designate.cmd.standalone")
PORTS = ("--api", "127.0.0.1:0", "--dns", "127.0.0.1:0")
READ_ALL = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    print(*(mark for (mark,) in database.execute("SELECT mark FROM marks")))
database.close()
"""
FILES = ("designate.sqlite", "designate.sqlite-shm", "designate.sqlite-wal")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def running(folder: Path, umask: int) -> Iterator[None]:
    """Run the service with this umask until its database is written."""
    log = folder.parent / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*PROGRAM, "--state-dir", str(folder), *PORTS],
            stdout=output,
            stderr=output,
            umask=umask,
        )
    try:
        until(lambda: b"Designate is running" in log.read_bytes(), 60, "the service")
        yield
    finally:
        process.terminate()
        process.wait(timeout=scaled(30))


def test_a_further_connection_leaves_the_locks_of_others(tmp_path: Path) -> None:
    """Without them the program that ends first would remove the log that this one writes to."""
    url = f"sqlite:///{tmp_path}/designate.sqlite"
    database = Database(url)
    read = (sys.executable, "-c", READ_ALL, str(tmp_path / "designate.sqlite"))
    try:
        database.write(lambda tx: tx.execute(sa.text("CREATE TABLE marks (mark INTEGER)")))
        with database.read():
            another = Database(url)
            with another.read():
                subprocess.run(read, check=True, timeout=scaled(30))
            another.close()
        database.write(lambda tx: tx.execute(sa.text("INSERT INTO marks VALUES (1)")))
        ran = subprocess.run(read, check=True, capture_output=True, timeout=scaled(30))
    finally:
        database.close()

    assert ran.stdout.split() == [b"1"]


@pytest.mark.parametrize("umask", [0o000, 0o022])
@pytest.mark.parametrize("existing", [False, True])
def test_state_of_standalone_is_private(umask: int, existing: bool, tmp_path: Path) -> None:
    state = tmp_path / "state"
    if existing:
        state.mkdir()
        schema.migrate(f"sqlite:///{state}/designate.sqlite")
        with closing(sqlite3.connect(state / FILES[0])) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("BEGIN IMMEDIATE")
            os.link(state / FILES[1], tmp_path / "shm")
            os.link(state / FILES[2], tmp_path / "wal")
        (tmp_path / "shm").rename(state / FILES[1])
        (tmp_path / "wal").rename(state / FILES[2])
        for path in (state, *state.iterdir()):
            path.chmod(path.stat().st_mode | 0o077)

    with running(state, umask):
        found = {path.name: mode(path) for path in state.iterdir()}

    assert found == dict.fromkeys(FILES, 0o600)
    assert mode(state) == 0o700


def test_folder_with_files_of_others_keeps_its_mode(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o755)
    (state / "thesis.txt").write_text("")
    (state / "thesis.txt").chmod(0o644)

    with running(state, 0o022):
        found = {path.name: mode(path) for path in state.iterdir()}

    assert found == {**dict.fromkeys(FILES, 0o600), "thesis.txt": 0o644}
    assert mode(state) == 0o755
    assert f"state directory {state}: other users can enter it" in (tmp_path / "log").read_text()


def test_second_program_on_a_state_directory_is_told(tmp_path: Path) -> None:
    state = tmp_path / "state"
    url = f"sqlite:///{state}/designate.sqlite"
    with running(state, 0o022):
        second = one_line("designate-standalone", "--state-dir", str(state), *PORTS)
        daemon = failure("mdns", tmp_path, storage__sqlalchemy={"connection": url})

    assert second == (
        f"designate-standalone: another program uses the state directory {state}: stop it, or give "
        "this one its own with --state-dir"
    )
    assert daemon == (
        f"designate-mdns: [storage:sqlalchemy] connection: designate-standalone uses {state}: stop it, or "
        "give this program a database of its own"
    )
    with running(state, 0o022):
        pass  # the lock ended with its program


def test_lock_folder_of_the_queue_manager_is_private(tmp_path: Path) -> None:
    from oslo_config import cfg

    from designate import messaging

    conf = cfg.ConfigOpts()
    messaging.register(conf)
    conf([], project="designate", default_config_files=[], default_config_dirs=[])
    conf.set_override("use_queue_manager", True, "oslo_messaging_rabbit")
    conf.set_override("hostname", "here", "oslo_messaging_rabbit")
    conf.set_override("processname", "designate-api", "oslo_messaging_rabbit")
    conf.set_override("lock_path", str(tmp_path / "locks"), "oslo_concurrency")
    before = os.umask(0)
    try:
        messaging.prepare_lock_folder(conf)
    finally:
        os.umask(before)

    (lock,) = (tmp_path / "locks").iterdir()
    assert (mode(tmp_path / "locks"), mode(lock)) == (0o700, 0o600)
    assert lock.name == "oslo_read_shm_here_designate-api"
