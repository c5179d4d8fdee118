"""The database: connections, transactions, retries, and the translation of its errors.

`read()` gives a connection in one read-only snapshot; `write(fn)` runs fn in one transaction, again
from the start after a deadlock, and then what fn put into `tx.after_commit`. On SQLite writers queue in
this process and those that wait share a BEGIN IMMEDIATE (see `storage.batch`); elsewhere rows are locked by
`tx.lock`. Thread-safe.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_errors
from oslo_db import options as db_options
from oslo_db.sqlalchemy import engines, exc_filters
from sqlalchemy import pool as sa_pool

from designate import errors
from designate.storage.batch import Turns, Work

LOG = logging.getLogger(__name__)

GROUP = "storage:sqlalchemy"
OPTS = [
    *db_options.database_opts,
    cfg.IntOpt(
        "write_timeout",
        default=20,
        min=1,
        help="Seconds that one write may take in all: waiting for its turn, locks and retries. "
        "After that the client gets a 503 with Retry-After and nothing is stored.",
    ),
]

RETRIES: Final = 5
SQLITE_READERS: Final = 64
T = TypeVar("T")


class Transaction:
    """A connection inside a write transaction.

    after_commit: calls to make, in order, once the transaction is durable. They must not raise and
    not block; they do not run when the transaction is rolled back.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.after_commit: list[Callable[[], object]] = []

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        return self.connection.execute(statement, parameters)

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name

    def lock(
        self, statement: sa.Select[Any], locking: sa.Select[Any] | None = None
    ) -> sa.Select[Any]:
        """The select with row locks where the database has them (SQLite holds the whole file).

        locking: the same select with its locks, where it was made beforehand.
        """
        if self.dialect == "sqlite":
            return statement
        return statement.with_for_update() if locking is None else locking


class Database:
    """One engine. Opened at the first use, so it may be made before a fork."""

    def __init__(self, url: str, write_timeout_s: float = 20.0, **options: Any) -> None:
        self.url = url
        self._write_timeout_s = write_timeout_s
        self._options = options
        self._engine: sa.Engine | None = None
        self._opening = threading.Lock()
        self._turns = Turns(self._write_together)

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Database:
        group = conf[GROUP]
        if not group.connection:
            raise errors.ConfigurationError(f"[{GROUP}] connection is not set")
        return cls(
            group.connection,
            write_timeout_s=group.write_timeout,
            connection_recycle_time=group.connection_recycle_time,
            max_pool_size=group.max_pool_size,
            max_overflow=group.max_overflow,
            pool_timeout=group.pool_timeout,
            mysql_sql_mode=group.mysql_sql_mode,
            max_retries=group.max_retries,
            retry_interval=group.retry_interval,
        )

    @property
    def engine(self) -> sa.Engine:
        if self._engine is None:
            with self._opening:
                if self._engine is None:
                    self._engine = _open(self.url, self._write_timeout_s, self._options)
        return self._engine

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    def close(self) -> None:
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection whose reads all see one moment. Raises Unavailable when there is none."""
        with _translated():
            connection = self.engine.connect()
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection:
                yield connection

    def write(self, fn: Callable[[Transaction], T]) -> T:
        """fn's result, after commit. fn may run more than once and must have no other effects.

        Raises what fn raises (rolled back); Unavailable after `write_timeout` or when the database
        is away.
        """
        deadline_s = time.monotonic() + self._write_timeout_s
        for attempt in range(1, RETRIES + 1):
            try:
                with _translated():
                    result, after_commit = self._write_once(fn, deadline_s)
                break
            except db_errors.DBDeadlock:
                if attempt == RETRIES or time.monotonic() > deadline_s:
                    raise errors.Unavailable("the database is busy") from None
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter
        for call in after_commit:
            call()
        return result

    def _write_once(
        self, fn: Callable[[Transaction], T], deadline_s: float
    ) -> tuple[T, list[Callable[[], object]]]:
        if self.is_sqlite:
            written: tuple[T, list[Callable[[], object]]] = self._turns.write(Work(fn), deadline_s)
            return written
        with self.engine.connect() as connection, connection.begin():
            tx = Transaction(connection)
            return fn(tx), tx.after_commit

    def _write_together(self, batch: Sequence[Work]) -> None:
        """Each work in a savepoint, all in one transaction; for a single one a savepoint would only
        repeat what the transaction does."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(designate_write=True)
            with connection.begin() as transaction:
                for work in batch:
                    self._write_one(connection, work, alone=len(batch) == 1)
                if len(batch) == 1 and batch[0].error is not None:
                    transaction.rollback()

    @staticmethod
    def _write_one(connection: sa.Connection, work: Work, *, alone: bool) -> None:
        tx = Transaction(connection)
        if not alone:
            connection.exec_driver_sql("SAVEPOINT work")
        try:
            with _translated():
                work.result = (work.run(tx), tx.after_commit)
        except Exception as error:
            work.error = error
            if not alone:
                connection.exec_driver_sql("ROLLBACK TO work")
        if not alone:
            connection.exec_driver_sql("RELEASE work")


def _open(url: str, busy_timeout_s: float, options: dict[str, Any]) -> sa.Engine:
    if not url.startswith("sqlite"):
        opened: sa.Engine = engines.create_engine(url, **options)
        return opened
    # oslo.db opens a new SQLite connection for every transaction and begins it deferred, which
    # costs more than the statements and lets two writers meet at commit; so the engine is made
    # here and only oslo.db's translation of errors is used.
    engine = sa.create_engine(
        url,
        poolclass=sa_pool.QueuePool,
        pool_size=8,
        max_overflow=SQLITE_READERS - 8,
        pool_timeout=busy_timeout_s,
        connect_args={"timeout": busy_timeout_s, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            # A committed change must survive a power cut as well as a crash.
            "synchronous=FULL",
            "foreign_keys=ON",
            "case_sensitive_like=ON",
            "cache_size=-32768",
            # A checkpoint stops the writers; by the default it would come every forty changes.
            "wal_autocheckpoint=10000",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("designate_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    exc_filters.register_engine(engine)
    return engine


@contextmanager
def _translated() -> Iterator[None]:
    """Database errors as errors of the tree; deadlocks and duplicates are the caller's to see."""
    try:
        yield
    except (db_errors.DBDeadlock, db_errors.DBDuplicateEntry):
        raise
    except (db_errors.DBConnectionError, db_errors.DBNonExistentDatabase) as error:
        LOG.warning("the database is away: %s", type(error).__name__)
        raise errors.Unavailable("the database is away") from error
    except (db_errors.DBError, sa.exc.TimeoutError) as error:
        if "locked" in str(error) or isinstance(error, sa.exc.TimeoutError):
            raise errors.Unavailable("the database is busy") from error
        LOG.exception("the database refused a statement")
        raise errors.DesignateError from error
