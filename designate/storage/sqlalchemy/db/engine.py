"""The database: reads, writes and their retries.

`read()` gives a connection in one read-only snapshot. `write(fn)` runs fn in one transaction, again from
the start after a deadlock, and then makes the calls that fn appended to `tx.after_commit`. Writers that
would wait for each other anyway queue in this process and share a transaction (see `db.group_commit`): on
SQLite all of them, elsewhere those that lock the same row first. Thread-safe.

When the database is unreachable, hangs or is overloaded the caller gets Unavailable within the timeouts
of `db.options`. Nothing is stored then, with one exception: a COMMIT whose reply was lost may have been
carried out. It is not repeated, since a second run would count twice or refuse the client its own zone as
a duplicate. The error says that the change may be stored, and periodic recovery completes it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_errors

from designate import errors
from designate.runtime import deadline
from designate.runtime.backoff import jittered
from designate.storage.sqlalchemy.db import connections
from designate.storage.sqlalchemy.db.errors import DatabaseFault
from designate.storage.sqlalchemy.db.execution import (
    RolledBack,
    connected,
    run_batch,
    translated_errors,
    unavailable,
)
from designate.storage.sqlalchemy.db.group_commit import PendingWrite, WriterQueues
from designate.storage.sqlalchemy.db.options import DatabaseSettings
from designate.storage.sqlalchemy.db.transaction import AfterCommit, Transaction

LOG = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 5
# A connection that broke within this time was stale; one that broke later may do so again.
STALE_CONNECTION_S: Final = 1.0
# How long a replica that failed is not tried.
REPLICA_RETRY_S: Final = 10.0
T = TypeVar("T")


class _Snapshot:
    """One connection for the successive reads of a thread, opened by the first of them."""

    def __init__(self, connect: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._connect = connect
        self._stack = contextlib.ExitStack()
        self._connection: sa.Connection | None = None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        if self._connection is None:
            self._connection = self._stack.enter_context(self._connect())
        try:
            yield self._connection
        except (sa.exc.SQLAlchemyError, db_errors.DBError):
            # The next read must not inherit a broken transaction.
            self.end()
            raise

    def end(self) -> None:
        """Let the next read begin a new snapshot."""
        self._connection = None
        self._stack.close()


class Database:
    """One database, opened at its first use, so that it may be created before a fork."""

    def __init__(self, url: str, **options: Any) -> None:
        """Prepare the database at the URL; options: members of `DatabaseSettings`."""
        self._settings = DatabaseSettings(url=url, **options)
        self._engines: dict[str, sa.Engine] = {}
        self._opening = threading.Lock()
        self._replica_retry_at_s = 0.0
        self._queues = WriterQueues(self._write_batch)
        self._local = threading.local()

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, reply_timeout_s: float | None = None) -> Database:
        """Return the configured database.

        Args:
            conf: The configuration.
            reply_timeout_s: How long clients wait for a reply, which bounds the time of writes.

        Raises:
            ConfigurationError: No connection is set, or it cannot be used.
        """
        return cls.from_settings(DatabaseSettings.from_conf(conf, reply_timeout_s))

    @classmethod
    def from_settings(cls, settings: DatabaseSettings) -> Database:
        """Return the database that the settings describe."""
        database = cls(settings.url)
        database._settings = settings
        return database

    @property
    def url(self) -> str:
        """The configured URL, which may hold a password."""
        return self._settings.url

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return connections.is_sqlite(self._settings.url)

    @property
    def engine(self) -> sa.Engine:
        """The engine for writes."""
        return self._engine("writes")

    @property
    def reader(self) -> sa.Engine:
        """The engine for reads; SQLite has one for both."""
        return self.engine if self.is_sqlite else self._engine("reads")

    def _engine(self, purpose: str) -> sa.Engine:
        engine = self._engines.get(purpose)
        if engine is None:
            with self._opening:
                engine = self._engines.get(purpose)
                if engine is None:
                    settings = self._settings
                    url = settings.replica_url if purpose == "replica" else settings.url
                    engine = connections.create_engine(
                        settings, url or "", writes=purpose == "writes"
                    )
                    self._engines[purpose] = engine
        return engine

    def close(self) -> None:
        """Close all connections; the database may be used again."""
        with self._opening:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()

    def fault(self) -> str | None:
        """Query the database; return None or raise Unavailable, as health checks expect."""
        with self.read() as connection:
            connection.exec_driver_sql("SELECT 1").close()
        return None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a connection whose reads all see one snapshot.

        Raises:
            Unavailable: The database is unavailable.
        """
        snapshot: _Snapshot | None = getattr(self._local, "snapshot", None)
        with self._reading(
            connected(self.reader) if snapshot is None else snapshot.read()
        ) as connection:
            yield connection

    @contextmanager
    def shared_snapshot(self) -> Iterator[None]:
        """Let the reads of this thread share one snapshot and connection inside the context.

        The snapshot begins with the first of them, and anew with the first one after a write. It is for
        calls that were all made before it.
        """
        self._local.snapshot = snapshot = _Snapshot(partial(connected, self.reader))
        try:
            yield
        finally:
            self._local.snapshot = None
            snapshot.end()

    @staticmethod
    @contextmanager
    def _reading(connect: AbstractContextManager[sa.Connection]) -> Iterator[sa.Connection]:
        try:
            with translated_errors(), connect as connection:
                yield connection
        except RolledBack as error:
            raise unavailable(error.fault) from None

    @contextmanager
    def read_replica(self, is_recent: Callable[[sa.Connection], bool]) -> Iterator[sa.Connection]:
        """Do as read(), on the read-only replica where it is usable.

        Args:
            is_recent: Called in the replica's snapshot, returns whether its data are recent enough.
        """
        with contextlib.ExitStack() as stack:
            connection = self._replica(stack, is_recent)
            yield stack.enter_context(self.read()) if connection is None else connection

    def _replica(
        self, stack: contextlib.ExitStack, is_recent: Callable[[sa.Connection], bool]
    ) -> sa.Connection | None:
        if self._settings.replica_url is None or time.monotonic() < self._replica_retry_at_s:
            return None
        with contextlib.ExitStack() as own:
            try:
                connection = own.enter_context(self._reading(connected(self._engine("replica"))))
                if is_recent(connection):
                    stack.push(own.pop_all())
                    return connection
            except errors.Unavailable:
                LOG.warning(
                    "database replica unavailable, reading the primary for %d s", REPLICA_RETRY_S
                )
                self._replica_retry_at_s = time.monotonic() + REPLICA_RETRY_S
        return None

    def write(self, fn: Callable[[Transaction], T], locked_id: str | None = None) -> T:
        """Run fn in a transaction and return its result after the commit.

        Args:
            fn: May run more than once and must have no effects outside of its transaction.
            locked_id: The id of the zone or project that fn locks before all else; its writers share
                transactions.

        Raises:
            DBDuplicateEntry: A unique constraint refused the change.
            Unavailable: `write_timeout` or the caller's deadline (see `designate.runtime.deadline`)
                has passed, or the database is unavailable.
            Exception: Whatever fn raises, after a rollback.
        """
        result: T
        snapshot: _Snapshot | None = getattr(self._local, "snapshot", None)
        if snapshot is not None:
            snapshot.end()
        commit_by_s = deadline.monotonic_deadline()
        start_by_s = min(time.monotonic() + self._settings.write_timeout_s, commit_by_s)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            began_s = time.monotonic()
            try:
                with translated_errors():
                    result, after_commit = self._write_once(
                        PendingWrite(fn, start_by_s, commit_by_s), locked_id
                    )
                break
            except RolledBack as error:
                now_s = time.monotonic()
                lost = error.fault is DatabaseFault.LOST and now_s - began_s > STALE_CONNECTION_S
                lasting = lost or error.fault is DatabaseFault.FULL
                if attempt == MAX_ATTEMPTS or lasting or now_s > start_by_s:
                    raise unavailable(error.fault) from None
                time.sleep(jittered(0.005 * 2**attempt, 1.0))
        for call in after_commit:
            call()
        return result

    def _write_once(self, pending: PendingWrite, locked_id: str | None) -> tuple[Any, AfterCommit]:
        if self.is_sqlite:
            self._queues.write("", pending)
        elif locked_id is not None:
            self._queues.write(locked_id, pending)
        else:
            self._write_batch([pending])
            if pending.error is not None:
                raise pending.error
        written: tuple[Any, AfterCommit] = pending.result
        return written

    def _write_batch(self, batch: Sequence[PendingWrite]) -> None:
        start_by_s = max(pending.start_by_s for pending in batch)
        with connected(self.engine, **{connections.WRITE_BY: start_by_s}) as connection:
            run_batch(connection, batch)
