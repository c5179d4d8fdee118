"""Successive reads of a thread share a connection and a snapshot."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest
import sqlalchemy as sa

from designate import errors
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.tables import tlds
from tests.support.deadlines import scaled

COUNT = sa.select(sa.func.count()).select_from(tlds)


@pytest.fixture
def database(databases):
    url = databases.migrated()
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def taken(database):
    """Record the connections that are taken from the pool for reads."""
    found = []
    sa.event.listen(database.reader, "checkout", lambda *told: found.append(told))
    return found


def number(database):
    with database.read() as connection:
        return connection.execute(COUNT).scalar_one()


def add(database, name):
    row = {
        "id": name,
        "name": name,
        "name_key": name,
        "version": 1,
        "created_at": datetime(2026, 1, 1),
    }
    database.write(lambda tx: tx.execute(sa.insert(tlds).values(**row)))


def elsewhere(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(scaled(30))


def test_they_take_one_connection_and_see_one_moment(database, taken):
    with database.shared_snapshot():
        before = [number(database) for _ in range(3)]
        elsewhere(lambda: add(database, "new"))
        before.append(number(database))
        assert len(taken) <= 2  # SQLite writes by the same pool

    assert before == [0, 0, 0, 0]
    assert number(database) == 1


def test_what_the_thread_itself_wrote_is_seen(database):
    with database.shared_snapshot():
        assert number(database) == 0
        add(database, "mine")
        assert number(database) == 1


def test_other_threads_see_their_own_moment(database):
    seen = []
    with database.shared_snapshot():
        number(database)
        add(database, "new")
        elsewhere(lambda: seen.append(number(database)))

    assert seen == [1]


def test_a_statement_that_failed_spoils_nothing_behind_it(database):
    with database.shared_snapshot():
        for _ in range(2):
            with pytest.raises(errors.DesignateError), database.read() as connection:
                connection.execute(sa.text("SELECT nothing FROM nowhere"))
            assert number(database) == 0
            with pytest.raises(errors.NotFound), database.read():
                raise errors.NotFound("zone")
            assert number(database) == 0


# How a server says which process serves a connection, and ends it.
PROCESS = {"mysql": "SELECT connection_id()", "postgresql": "SELECT pg_backend_pid()"}
END = {"mysql": "KILL {}", "postgresql": "SELECT pg_terminate_backend({})"}


def test_a_connection_that_broke_is_replaced(database):
    dialect = database.engine.dialect.name
    if dialect == "sqlite":
        return  # It has no server that could end a connection.

    with database.shared_snapshot():
        with database.read() as connection:
            process = connection.execute(sa.text(PROCESS[dialect])).scalar_one()

        def end():
            with database.engine.begin() as other:
                other.execute(sa.text(END[dialect].format(process)))

        elsewhere(end)
        with pytest.raises(errors.Unavailable):
            number(database)
        assert number(database) == 0
