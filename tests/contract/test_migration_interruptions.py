"""Migrations may be interrupted anywhere and started several times at once, on every database."""

import logging
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from designate import errors
from designate.storage.sqlalchemy import migration, migration_steps
from designate.storage.sqlalchemy.db.engine import Database
from tests.support.deadlines import scaled
from tests.support.schema_dump import dump

STORED = Path(__file__).with_name("schema")
CHANGES = ("CREATE", "INSERT", "ALTER", "DROP", "UPDATE", "DELETE")


@pytest.fixture
def url(databases):
    return databases.fresh()


class Interruption(BaseException):
    """Ends a migration after a statement, as a signal would."""


class Interruptions:
    """Interrupts the migrations after the first statement that has not been interrupted yet.

    every: only after each so many statements, where the database takes all of them back.
    """

    def __init__(self, every):
        self._every = every
        self._seen = set()
        self.count = 0

    def __call__(self, _connection, _cursor, statement, *_):
        if not statement.lstrip().upper().startswith(CHANGES) or statement in self._seen:
            return
        self._seen.add(statement)
        if len(self._seen) % self._every == 0:
            self.count += 1
            raise Interruption(statement)


def test_an_interrupted_sync_is_completed_by_the_next(url, databases):
    interruptions = Interruptions(1 if databases.kind == "mariadb" else 25)
    sa.event.listen(sa.Engine, "after_cursor_execute", interruptions)
    try:
        while True:
            try:
                migration.sync(url)
            except Interruption:
                continue
            break
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", interruptions)

    database = Database(url)
    with database.read() as connection:
        found = dump(connection)
    database.close()
    assert interruptions.count >= (60 if databases.kind == "mariadb" else 3)
    assert found.splitlines() == (STORED / f"{databases.kind}.txt").read_text().splitlines()
    assert migration.is_current(url)


def test_tables_of_others_are_not_taken_for_an_interrupted_migration(url, databases):
    engine = Database(url).engine
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE zones (id INTEGER)")
    engine.dispose()

    with pytest.raises(Exception, match="zones"):
        migration.sync(url)

    assert databases.kind


@pytest.fixture
def running(url):
    """Hold the lock of a running migration until the event is set."""
    held, ending = threading.Event(), threading.Event()

    def run():
        with migration_steps.connected(url) as connection, connection.begin():
            migration_steps.wait_for_others(connection)
            held.set()
            ending.wait(scaled(60))

    thread = threading.Thread(target=run)
    thread.start()
    assert held.wait(scaled(30))
    yield ending
    ending.set()
    thread.join(scaled(30))


def test_a_second_migration_waits_for_the_first(url, running, caplog):
    synced = threading.Event()

    def sync():
        migration.sync(url)
        synced.set()

    thread = threading.Thread(target=sync)
    with caplog.at_level(logging.WARNING):
        thread.start()
        assert not synced.wait(1), "it waits"
        running.set()
        assert synced.wait(scaled(30))
    thread.join(scaled(30))

    assert migration.is_current(url)


def test_a_migration_that_does_not_end_is_reported(url, running, monkeypatch):  # noqa: ARG001
    monkeypatch.setattr(migration_steps, "MAX_WAIT_S", 0.6)

    with pytest.raises(errors.Unavailable, match=r"[Aa]nother migration"):
        migration.sync(url)
