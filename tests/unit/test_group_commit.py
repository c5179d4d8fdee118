"""Group commit: writers that share a transaction succeed and fail independently."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time

import pytest
import sqlalchemy as sa
from oslo_db import exception as db_errors

from designate import errors
from designate.runtime import deadline
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.db.group_commit import MAX_BATCH, PendingWrite, WriterQueue
from designate.storage.sqlalchemy.db.transaction import Transaction
from tests.support.deadlines import scaled, until

NUMBERS = sa.table("numbers", sa.column("number", sa.Integer))


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/batch.sqlite", write_timeout_s=10)
    database.write(lambda tx: tx.execute(sa.text("CREATE TABLE numbers (number INTEGER UNIQUE)")))
    yield database
    database.close()


def stored(database):
    with database.read() as connection:
        rows = connection.execute(sa.select(NUMBERS.c.number).order_by(NUMBERS.c.number))
        return list(rows.scalars())


def insert(number):
    def write(tx: Transaction) -> int:
        tx.execute(sa.insert(NUMBERS), {"number": number})
        return number

    return write


class Gathered:
    """Writers in their own threads, blocked until all of them wait for one batch."""

    def __init__(self, database, works):
        self._database = database
        self._gate = threading.Event()
        self.outcomes = {}
        entered = threading.Event()

        def first(_tx):
            entered.set()
            assert self._gate.wait(scaled(10))

        self._threads = [threading.Thread(target=database.write, args=(first,))]
        self._threads[0].start()
        assert entered.wait(scaled(10))
        for key, work in works.items():
            thread = threading.Thread(target=self._run, args=(key, work))
            thread.start()
            self._threads.append(thread)
        until(lambda: database._queues.waiting("") == len(works), 10, "everybody to wait")

    def _run(self, key, work):
        try:
            self.outcomes[key] = self._database.write(work)
        except Exception as error:
            self.outcomes[key] = error

    def release(self):
        self._gate.set()
        for thread in self._threads:
            thread.join(scaled(10))
        return self.outcomes


def test_waiting_writers_share_one_commit_and_each_gets_its_own_result(database):
    commits = []
    gathered = Gathered(database, {n: insert(n) for n in range(10)})
    sa.event.listen(database.engine, "commit", commits.append)
    assert gathered.release() == {n: n for n in range(10)}
    assert stored(database) == list(range(10))
    assert len(commits) == 2  # that of the writer who held them up, and theirs


def test_a_work_that_fails_is_undone_alone(database):
    def half(tx):
        insert(100)(tx)
        raise errors.BadRequest("no")

    outcomes = Gathered(database, {1: insert(1), 2: half, 3: insert(1), 4: insert(4)}).release()
    twice = [outcomes[1], outcomes[3]]
    assert outcomes[4] == 4
    assert isinstance(outcomes[2], errors.BadRequest)
    assert 1 in twice
    assert any(isinstance(found, db_errors.DBDuplicateEntry) for found in twice)
    assert stored(database) == [1, 4]


def test_a_commit_that_fails_fails_all_and_stores_none(database):
    gathered = Gathered(database, {n: insert(n) for n in range(3)})
    commits = []

    @sa.event.listens_for(database.engine, "commit")
    def refuse(connection):
        commits.append(connection)
        if len(commits) == 2:
            raise errors.Unavailable("the disk is full")

    outcomes = gathered.release()
    assert [type(outcomes[n]) for n in range(3)] == [errors.Unavailable] * 3
    assert stored(database) == []
    assert database.write(insert(7)) == 7


def test_more_than_one_batch_takes_are_led_by_one_of_those_who_wait(database):
    count = MAX_BATCH + 5
    outcomes = Gathered(database, {n: insert(n) for n in range(count)}).release()
    assert outcomes == {n: n for n in range(count)}
    assert stored(database) == list(range(count))


def test_a_turn_that_does_not_come_before_the_deadline_stores_nothing():
    ran = []
    gate, entered = threading.Event(), threading.Event()

    def together(batch):
        for work in batch:
            work.result = work.run(None)

    def hold(_):
        entered.set()
        assert gate.wait(scaled(10))

    turns = WriterQueue(together)
    holder = threading.Thread(target=turns.write, args=(PendingWrite(hold, time.monotonic() + 10),))
    holder.start()
    assert entered.wait(scaled(10))
    with pytest.raises(errors.Unavailable):
        turns.write(PendingWrite(ran.append, time.monotonic() + 0.05))
    gate.set()
    holder.join(scaled(10))
    turns.write(PendingWrite(lambda _: ran.append("next"), time.monotonic() + 10))
    assert ran == ["next"]


def test_what_is_not_stored_in_time_is_not_stored(database):
    told = []
    gone = time.time() + 0.05

    def late(tx):
        insert(1)(tx)
        told.append(1)
        until(lambda: time.time() > gone, 10, "the caller to give up")

    with deadline.until(gone), pytest.raises(errors.Unavailable):
        database.write(late)

    assert told == [1]
    assert stored(database) == []
    with deadline.until(time.time() + 10):
        assert database.write(insert(2)) == 2


def test_one_that_comes_too_late_does_not_take_the_others_of_its_transaction_with_it(database):
    told = []

    class Impatient:
        """The database for callers of whom number 2 has a short deadline."""

        _queues = database._queues

        def write(self, work):
            wait_s = 0.5 if work is second else 10
            with deadline.until(time.time() + wait_s):
                return database.write(work)

    def second(tx):
        insert(2)(tx)
        told.append(2)
        until(lambda: time.time() > begun + 0.6, 10, "its caller to give up")

    begun = time.time()
    gathered = Gathered(Impatient(), {1: insert(1), 2: second, 3: insert(3)})
    outcomes = gathered.release()

    assert told == [2]
    assert (outcomes[1], outcomes[3]) == (1, 3)
    assert isinstance(outcomes[2], errors.Unavailable)
    assert stored(database) == [1, 3]


def test_what_nobody_waits_for_may_take_its_time(tmp_path):
    patient = Database(f"sqlite:///{tmp_path}/batch.sqlite", write_timeout_s=0.05)

    def long(tx):
        insert(1)(tx)
        until(lambda: time.monotonic() > begun + 0.1, 10, "more time than a turn is waited for")

    patient.write(lambda tx: tx.execute(sa.text("CREATE TABLE numbers (number INTEGER)")))
    begun = time.monotonic()
    patient.write(long)
    assert stored(patient) == [1]
    patient.close()


def test_sqlite_is_not_waited_for_longer_than_the_caller_waits(database):
    other = sqlite3.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        before_s = time.monotonic()
        with deadline.until(time.time() + 0.2), pytest.raises(errors.Unavailable):
            database.write(insert(1))

        assert time.monotonic() - before_s < scaled(5)  # of the ten that a write may take
    assert database.write(insert(2)) == 2


def test_calls_after_commit_see_the_change(database):
    seen = []

    def write(tx):
        insert(5)(tx)
        tx.after_commit.append(lambda: seen.append(stored(database)))

    database.write(write)
    assert seen == [[5]]
