"""The database: transactions, retries, and the translation of its errors.

`read()` gives a connection in one read-only snapshot; `write(fn)` runs fn in one transaction, again
from the start after a deadlock, and then what fn put into `tx.after_commit`. Writers that would wait for
each other anyway queue in this process and share a transaction (see `storage.batch`): on SQLite all of
them, elsewhere those that hold the same row; there rows are locked by `tx.lock`. Thread-safe.

When the database is away, hangs or is too busy the caller gets Unavailable, within the bounds of
`storage.settings`. Nothing is stored then, with one exception. A COMMIT whose answer was lost may have
been carried out. It is not repeated, for a second run would count twice or refuse the client its own
zone as a duplicate; the error says that the change may be stored, and what it left undone the recovery
sweep does.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_errors

from designate import errors
from designate.runtime import deadline
from designate.storage.sqlalchemy.db import connections
from designate.storage.sqlalchemy.db.errors import DatabaseFault, classify
from designate.storage.sqlalchemy.db.group_commit import DeferredWrites, PendingWrite, WriterQueues
from designate.storage.sqlalchemy.db.json_rows import JsonRow
from designate.storage.sqlalchemy.db.options import DatabaseSettings

LOG = logging.getLogger(__name__)

RETRIES: Final = 5
RETRY_AFTER_S: Final = 2
# A connection that broke at once was a stale one; one that kept its caller waiting may do so again.
LOST_SOON_S: Final = 1.0
# How long a replica that did not answer is left alone.
REPLICA_AWAY_S: Final = 10.0
T = TypeVar("T")
Locked = TypeVar("Locked", sa.Select[Any], JsonRow)
AfterCommit = list[Callable[[], object]]


class Transaction:
    """A connection inside a write transaction.

    after_commit: calls to make, in order, once the transaction is durable. They must not raise and
    not block; they do not run when the transaction is rolled back.

    Works that share a transaction put off what they all write alike (put_off) and pass on what they
    read (note, noted). execute() and connection settle that first; aside() does not.
    """

    def __init__(self, connection: sa.Connection, shared: DeferredWrites | None = None) -> None:
        self._connection = connection
        self._deferred = shared
        self.after_commit: AfterCommit = []

    @property
    def connection(self) -> sa.Connection:
        self.flush()
        return self._connection

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        return self.connection.execute(statement, parameters)

    def execute_unflushed(
        self, statement: sa.Executable, parameters: Any = None
    ) -> sa.CursorResult[Any]:
        """Execute what neither sees nor meets anything that may have been put off."""
        return self._connection.execute(statement, parameters)

    def defer(self, key: Hashable, write: Callable[[list[T]], None], item: T) -> None:
        """Call write([item]) now or, where works share the transaction, later with the items of all."""
        if self._deferred is None:
            write([item])
        else:
            self._deferred.add(key, write, item)

    def flush(self) -> None:
        """Write what was put off."""
        if self._deferred is not None:
            self._deferred.flush()

    def cache(self, key: Hashable, value: object) -> None:
        """Keep a value for the works that follow, until something settles."""
        if self._deferred is not None:
            self._deferred.cache(key, value)

    def cached(self, key: Hashable) -> Any:
        """What was noted; None: nothing."""
        return None if self._deferred is None else self._deferred.cached(key)

    @property
    def dialect(self) -> str:
        return self._connection.dialect.name

    def lock(self, statement: Locked, locking: Locked | None = None) -> Locked:
        """The select with row locks where the database has them (SQLite holds the whole file).

        locking: the same select with its locks, where it was made beforehand.
        """
        if self.dialect == "sqlite":
            return statement
        return statement.with_for_update() if locking is None else locking


class _Again(Exception):
    """Nothing was stored, and the transaction may be run again. fault: why."""

    def __init__(self, fault: DatabaseFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class _Shared:
    """A connection for the reads that follow each other in one thread. connected: makes it."""

    def __init__(self, connected: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._connected = connected
        self._stack = contextlib.ExitStack()
        self._connection: sa.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        if self._connection is None:
            self._connection = self._stack.enter_context(self._connected())
        try:
            yield self._connection
        except (sa.exc.SQLAlchemyError, db_errors.DBError):
            # The next one does not follow it into a broken transaction.
            self.end()
            raise

    def end(self) -> None:
        """The next read sees a new moment."""
        self._connection = None
        self._stack.close()


class Database:
    """One database. Opened at the first use, so it may be made before a fork. options: of
    `storage.settings.Settings`."""

    def __init__(self, url: str, **options: Any) -> None:
        self._settings = DatabaseSettings(url=url, **options)
        self._engines: dict[str, sa.Engine] = {}
        self._opening = threading.Lock()
        self._replica_away_until_s = 0.0
        self._queues = WriterQueues(self._write_together)
        self._local = threading.local()

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, reply_timeout_s: float | None = None) -> Database:
        """reply_timeout_s: how long those who ask wait for an answer. Raises ConfigurationError where no
        connection is set."""
        return cls.from_settings(DatabaseSettings.from_conf(conf, reply_timeout_s))

    @classmethod
    def from_settings(cls, settings: DatabaseSettings) -> Database:
        made = cls(settings.url)
        made._settings = settings
        return made

    @property
    def url(self) -> str:
        """As configured; it may hold a password."""
        return self._settings.url

    @property
    def is_sqlite(self) -> bool:
        return connections.is_sqlite(self._settings.url)

    @property
    def engine(self) -> sa.Engine:
        """The one that writes."""
        return self._engine("writes")

    @property
    def reader(self) -> sa.Engine:
        """The one that reads; SQLite has one for both."""
        return self.engine if self.is_sqlite else self._engine("reads")

    def _engine(self, purpose: str) -> sa.Engine:
        engine = self._engines.get(purpose)
        if engine is None:
            with self._opening:
                engine = self._engines.get(purpose)
                if engine is None:
                    settings = self._settings
                    url = settings.replica_url if purpose == "replica" else settings.url
                    engine = connections.opened(settings, url or "", writes=purpose == "writes")
                    self._engines[purpose] = engine
        return engine

    def close(self) -> None:
        with self._opening:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()

    def fault(self) -> str | None:
        """What is wrong with the database, found by asking it."""
        with self.read() as connection:
            connection.exec_driver_sql("SELECT 1").close()
        return None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection whose reads all see one moment. Raises Unavailable when there is none."""
        shared: _Shared | None = getattr(self._local, "shared", None)
        with self._reading(
            _connected(self.reader) if shared is None else shared.reading()
        ) as found:
            yield found

    @contextmanager
    def shared_snapshot(self) -> Iterator[None]:
        """Until this ends, the reads of this thread see one moment, on one connection: that of the first
        of them, or of the first after a write. For calls that were all made before it."""
        self._local.shared = shared = _Shared(partial(_connected, self.reader))
        try:
            yield
        finally:
            self._local.shared = None
            shared.end()

    @staticmethod
    @contextmanager
    def _reading(connected: AbstractContextManager[sa.Connection]) -> Iterator[sa.Connection]:
        try:
            with _translated(), connected as connection:
                yield connection
        except _Again as error:
            raise _unavailable(error.fault) from None

    @contextmanager
    def read_replica(self, suffices: Callable[[sa.Connection], bool]) -> Iterator[sa.Connection]:
        """As read(), from the read-only replica where there is one, it answers, and it suffices: what
        it has may be old. suffices: called in the snapshot that the caller then gets."""
        with contextlib.ExitStack() as stack:
            connection = self._replica(stack, suffices)
            yield stack.enter_context(self.read()) if connection is None else connection

    def _replica(
        self, stack: contextlib.ExitStack, suffices: Callable[[sa.Connection], bool]
    ) -> sa.Connection | None:
        if self._settings.replica_url is None or time.monotonic() < self._replica_away_until_s:
            return None
        with contextlib.ExitStack() as own:
            try:
                connection = own.enter_context(self._reading(_connected(self._engine("replica"))))
                if suffices(connection):
                    stack.push(own.pop_all())
                    return connection
            except errors.Unavailable:
                LOG.warning("the replica is away; the database itself is read")
                self._replica_away_until_s = time.monotonic() + REPLICA_AWAY_S
        return None

    def write(self, fn: Callable[[Transaction], T], locked_id: str | None = None) -> T:
        """fn's result, after commit. fn may run more than once and must have no other effects.

        locked_id: the id of what fn locks before all else, a zone or a project; its writers share
        transactions.

        Raises what fn raises (rolled back), DBDuplicateEntry for what a unique constraint refused,
        Unavailable after `write_timeout`, when the caller waits no more (see
        `designate.runtime.deadline`) or when the database is away.
        """
        result: T
        shared: _Shared | None = getattr(self._local, "shared", None)
        if shared is not None:
            shared.end()
        store_by_s = deadline.moment_s()
        turn_by_s = min(time.monotonic() + self._settings.write_timeout_s, store_by_s)
        for attempt in range(1, RETRIES + 1):
            began_s = time.monotonic()
            try:
                with _translated():
                    result, after_commit = self._write_once(
                        PendingWrite(fn, turn_by_s, store_by_s), locked_id
                    )
                break
            except _Again as error:
                now_s = time.monotonic()
                waited = error.fault is DatabaseFault.LOST and now_s - began_s > LOST_SOON_S
                if attempt == RETRIES or waited or now_s > turn_by_s:
                    raise _unavailable(error.fault) from None
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter
        for call in after_commit:
            call()
        return result

    def _write_once(self, work: PendingWrite, locked_id: str | None) -> tuple[Any, AfterCommit]:
        if self.is_sqlite:
            self._queues.write("", work)
        elif locked_id is not None:
            self._queues.write(locked_id, work)
        else:
            self._write_together([work])
            if work.error is not None:
                raise work.error
        written: tuple[Any, AfterCommit] = work.result
        return written

    def _write_together(self, batch: Sequence[PendingWrite]) -> None:
        """All works in one transaction. Several run without savepoints at first: where all succeed,
        which is the rule, they cost little more than one."""
        turn_by_s = max(work.turn_by_s for work in batch)
        with _connected(self.engine, **{connections.WRITE_BY: turn_by_s}) as connection:
            if len(batch) == 1 or not _all_succeed(connection, batch):
                _each(connection, batch)


def _all_succeed(connection: sa.Connection, batch: Sequence[PendingWrite]) -> bool:
    """False: one of them failed, and nothing was stored."""
    shared = DeferredWrites()
    transaction = connection.begin()
    try:
        results = []
        try:
            with _translated():
                for work in batch:
                    tx = Transaction(connection, shared)
                    results.append((work.run(tx), tx.after_commit))
                shared.flush()
        except _Again:
            raise
        except Exception:
            if connection.invalidated:
                raise
            transaction.rollback()
            return False
        _commit(transaction, batch)
    except BaseException:
        transaction.rollback()
        raise
    for work, result in zip(batch, results, strict=True):
        work.result = result
    return True


def _each(connection: sa.Connection, batch: Sequence[PendingWrite]) -> None:
    """Each work in a savepoint; for a single one a savepoint would only repeat what the transaction
    does."""
    alone = len(batch) == 1
    transaction = connection.begin()
    try:
        for work in batch:
            _run(connection, work, alone=alone)
        if alone and batch[0].error is not None:
            transaction.rollback()
        else:
            _commit(transaction, batch)
    except BaseException:
        transaction.rollback()
        raise


def _run(connection: sa.Connection, work: PendingWrite, *, alone: bool) -> None:
    """Raises only what ends the transaction for the others too."""
    tx = Transaction(connection)
    if not alone:
        connection.exec_driver_sql("SAVEPOINT work")
    try:
        with _translated():
            work.result = (work.run(tx), tx.after_commit)
    except _Again:
        raise
    except Exception as error:
        if connection.invalidated:
            raise
        work.error = error
        if not alone:
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT work")
    if not alone:
        connection.exec_driver_sql("RELEASE SAVEPOINT work")


def _commit(transaction: sa.RootTransaction, batch: Sequence[PendingWrite]) -> None:
    """Raises _Again where one of them comes too late; the others are then run again without it."""
    now_s = time.monotonic()
    if any(work.error is None and work.store_by_s < now_s for work in batch):
        raise _Again(DatabaseFault.CONFLICT)
    try:
        transaction.commit()
    except (sa.exc.SQLAlchemyError, db_errors.DBError) as error:
        undone = (DatabaseFault.CONFLICT, DatabaseFault.DUPLICATE)
        if classify(error) in undone or transaction.connection.dialect.name == "sqlite":
            raise
        LOG.warning("the answer to a commit was lost: %s", _first_line(error))
        raise errors.Unavailable(
            "The database went away; the change may be stored", retry_after_s=RETRY_AFTER_S
        ) from None


@contextmanager
def _connected(engine: sa.Engine, **options: Any) -> Iterator[sa.Connection]:
    try:
        connection = engine.connect()
    except (sa.exc.SQLAlchemyError, db_errors.DBError) as error:
        LOG.warning("no connection to the database: %s", _first_line(error))
        raise _unavailable(DatabaseFault.AWAY) from None
    with connection:
        yield connection.execution_options(**options) if options else connection


@contextmanager
def _translated() -> Iterator[None]:
    """The database's errors as errors of the tree; duplicates are the caller's to see."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, db_errors.DBError) as error:
        fault = classify(error)
        if fault is DatabaseFault.DUPLICATE:
            if isinstance(error, db_errors.DBDuplicateEntry):
                raise
            raise db_errors.DBDuplicateEntry(inner_exception=error) from None
        if fault in (DatabaseFault.CONFLICT, DatabaseFault.LOST):
            LOG.debug("the database gave up a transaction: %s", _first_line(error))
            raise _Again(fault) from error
        if fault in (DatabaseFault.AWAY, DatabaseFault.BUSY):
            LOG.warning("the database does not serve: %s", _first_line(error))
            raise _unavailable(fault) from None
        if fault is DatabaseFault.DATA:
            LOG.debug("a value cannot be stored: %s", _first_line(error))
            raise errors.BadRequest("A value cannot be stored") from None
        LOG.exception("the database refused a statement")
        raise errors.DesignateError from error


def _unavailable(fault: DatabaseFault) -> errors.Unavailable:
    away = fault in (DatabaseFault.AWAY, DatabaseFault.LOST)
    return errors.Unavailable(
        "The database is away" if away else "The database is busy", retry_after_s=RETRY_AFTER_S
    )


def _first_line(error: BaseException) -> str:
    """Without the statement and its values, which are on the lines below."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
