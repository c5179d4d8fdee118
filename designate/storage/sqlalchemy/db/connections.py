"""Engines for each kind of database, with a timeout for everything that can wait.

On MySQL and PostgreSQL reads and writes have a pool each, whose sessions are set up once, when they are
opened: reads see one snapshot (REPEATABLE READ), writes see what was committed before each statement (READ
COMMITTED), so that what is read under a lock is current. No statement is spent on it later.

A connection that the server closed while it was idle in the pool is detected by its socket, without a
round trip. Then all connections of its age are replaced.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from oslo_db.sqlalchemy import exc_filters
from sqlalchemy import pool as sa_pool

from designate import errors
from designate.runtime import private_files
from designate.storage.sqlalchemy.db import mysql_tls
from designate.storage.sqlalchemy.db.errors import DatabaseFault, classify
from designate.storage.sqlalchemy.db.options import DatabaseSettings, driver_url

SQLITE_READERS: Final = 64
# Execution option of a connection for writes: until when it may wait, of time.monotonic().
WRITE_BY: Final = "designate_write_by"
# How long after the write timeout a server ends an idle transaction and with it its locks.
IDLE_SLACK_S: Final = 10
# Bytes of all ids of a list as one text, see db.json_rows; a server sends no more than 16 MiB at once.
MAX_TEXT_BYTES: Final = 16 * 2**20
HUNG_UP = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
Address = tuple[str, int]


def is_sqlite(url: str) -> bool:
    """Return whether the URL names a SQLite file."""
    return url.startswith("sqlite")


def create_engine(settings: DatabaseSettings, url: str, *, writes: bool) -> sa.Engine:
    """Return an engine for reads or for writes; nothing is connected yet.

    Raises:
        ConfigurationError: The URL or its driver cannot be used.
    """
    engine = (
        _sqlite(settings, url) if is_sqlite(url) else _server(settings, driver_url(url), writes)
    )
    exc_filters.register_engine(engine)
    return engine


def _sqlite(settings: DatabaseSettings, url: str) -> sa.Engine:
    # oslo.db opens a new SQLite connection for every transaction and begins it deferred, which costs
    # more than the statements and lets two writers collide at commit; so the engine is created here
    # and only oslo.db's translation of errors is used.
    engine = sa.create_engine(
        url,
        poolclass=sa_pool.QueuePool,
        pool_size=8,
        max_overflow=SQLITE_READERS - 8,
        pool_timeout=settings.write_timeout_s,
        hide_parameters=True,
        connect_args={"timeout": settings.write_timeout_s, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "do_connect")
    def connecting(*_: object) -> None:
        _make_private(engine.url.database)

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            # A committed change must survive a power cut as well as a crash.
            f"synchronous={'FULL' if settings.durable else 'OFF'}",
            "foreign_keys=ON",
            "case_sensitive_like=ON",
            "cache_size=-32768",
            # A checkpoint blocks the writers; by default it would come every forty changes.
            "wal_autocheckpoint=10000",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        by_s = connection.get_execution_options().get(WRITE_BY)
        if by_s is None:
            connection.exec_driver_sql("BEGIN")
            return
        # Waiting for the file blocks all green threads, so it ends with the caller's deadline.
        _limit_wait(connection, by_s - time.monotonic())
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            _limit_wait(connection, settings.write_timeout_s)

    return engine


def _make_private(database: str | None) -> None:
    """Keep the file from other users; SQLite gives new files beside it the same mode."""
    if database and database != ":memory:":
        path = Path(database)
        private_files.make_file(path)
        for suffix in ("-wal", "-shm", "-journal"):
            private_files.restrict(path.with_name(path.name + suffix))


def _limit_wait(connection: sa.Connection, wait_s: float) -> None:
    """Limit how long SQLite waits for another process from now on."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout={max(0, int(wait_s * 1000))}").close()


def _server(settings: DatabaseSettings, url: sa.URL, writes: bool) -> sa.Engine:
    mysql = url.drivername.startswith("mysql")
    tls: dict[str, Any] = {}
    if mysql:
        url, tls = mysql_tls.split(url)
    try:
        engine = sa.create_engine(
            url,
            poolclass=sa_pool.QueuePool,
            pool_size=settings.pool_size,
            max_overflow=settings.pool_overflow,
            pool_timeout=settings.pool_timeout_s,
            pool_recycle=settings.recycle_s,
            # Last used first, so that connections that a busy minute opened become idle and are closed.
            pool_use_lifo=True,
            hide_parameters=True,
            echo=settings.debug >= 50,
            connect_args=_mysql_arguments(settings, url) | tls if mysql else {},
            **({} if mysql else {"use_native_hstore": False}),
        )
    except ImportError as error:
        raise errors.ConfigurationError(
            f"the driver of {url.drivername} is not installed: {error.name}"
        ) from None
    if writes:
        _leave_replicas(engine)
    if mysql:
        _on_connect(engine, lambda connection: _set_up_mysql(connection, settings, writes))
        _drop_closed(engine, lambda connection: connection._sock.fileno())
    else:
        _connect_with_deadline(engine, settings)
        _on_connect(engine, lambda connection: _set_up_postgresql(connection, settings, writes))
        _drop_closed(engine, lambda connection: connection.fileno())
    return engine


def _mysql_arguments(settings: DatabaseSettings, url: sa.URL) -> dict[str, Any]:
    """Return the arguments that the URL does not set itself."""
    from pymysql import converters
    from pymysql.constants import FIELD_TYPE

    own: dict[str, Any] = {
        "connect_timeout": settings.connect_timeout_s,
        # The driver's own conversion takes twenty times as long, a tenth of the time of a list.
        "conv": {**converters.conversions, FIELD_TYPE.DATETIME: datetime.fromisoformat},
    }
    if settings.statement_timeout_s is not None:
        own["read_timeout"] = own["write_timeout"] = settings.statement_timeout_s
    return {name: value for name, value in own.items() if name not in url.query}


def _set_up_mysql(connection: Any, settings: DatabaseSettings, writes: bool) -> None:
    level = "READ COMMITTED, READ WRITE" if writes else "REPEATABLE READ, READ ONLY"
    chosen = [f"group_concat_max_len = {MAX_TEXT_BYTES}"]
    if settings.sql_mode is not None:
        chosen.append(f"sql_mode = {connection.escape(settings.sql_mode)}")
    if settings.wsrep_sync_wait is not None:
        chosen.append(f"wsrep_sync_wait = {int(settings.wsrep_sync_wait)}")
    if settings.statement_timeout_s is not None:
        chosen.append(f"innodb_lock_wait_timeout = {max(1, int(settings.statement_timeout_s / 2))}")
        # Only MariaDB has it, from 10.3 on.
        idle_s = int(settings.write_timeout_s) + IDLE_SLACK_S
        chosen.append(f"autocommit = 0 /*M!100300 , idle_transaction_timeout = {idle_s} */")
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
        cursor.execute(f"SET {', '.join(chosen)}")


def _set_up_postgresql(connection: Any, settings: DatabaseSettings, writes: bool) -> None:
    import psycopg

    level = psycopg.IsolationLevel
    connection.autocommit = True
    if settings.statement_timeout_s is not None:
        statement_ms = int(settings.statement_timeout_s * 1000)
        idle_ms = int(settings.write_timeout_s + IDLE_SLACK_S) * 1000
        connection.execute(
            f"SET statement_timeout = {statement_ms}; SET lock_timeout = {statement_ms // 2};"
            f"SET idle_in_transaction_session_timeout = {idle_ms}"
        )
    connection.autocommit = False
    connection.isolation_level = level.READ_COMMITTED if writes else level.REPEATABLE_READ
    # Writers are as the server has it by default, which an operator may set to read-only.
    connection.read_only = None if writes else True


def _connect_with_deadline(engine: sa.Engine, settings: DatabaseSettings) -> None:
    from designate.storage.sqlalchemy.db.pg_timeouts import connect

    @sa.event.listens_for(engine, "do_connect")
    def connecting(_dialect: object, _record: object, args: list[Any], kw: dict[str, Any]) -> Any:
        kw.setdefault("connect_timeout", max(2, int(settings.connect_timeout_s)))
        return connect(settings.statement_timeout_s, *args, **kw)


def _leave_replicas(engine: sa.Engine) -> None:
    """Close all connections to a server that takes no writes: another one may be the primary now."""

    @sa.event.listens_for(engine, "handle_error")
    def failed(context: sa.engine.ExceptionContext) -> None:
        error = context.sqlalchemy_exception or context.original_exception
        if classify(error) is DatabaseFault.READ_ONLY:
            context.is_disconnect = True


def _on_connect(engine: sa.Engine, set_up: Callable[[Any], None]) -> None:
    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        set_up(connection)


def _drop_closed(engine: sa.Engine, number: Callable[[Any], int]) -> None:
    """Replace connections that the server has closed; number: returns the socket's number."""

    @sa.event.listens_for(engine, "checkout")
    def taken(connection: Any, _record: object, _proxy: object) -> None:
        try:
            gone = _hung_up(number(connection))
        except (OSError, ValueError, AttributeError, sa.exc.SQLAlchemyError):
            gone = True  # it was closed on this side
        if gone:
            raise sa.exc.InvalidatePoolError("the server has closed the connection")


def _hung_up(number: int) -> bool:
    if not hasattr(select, "poll"):
        # Green threads have no poll(). An idle connection becomes readable only when it is closed.
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, HUNG_UP)
    return bool(poll.poll(0))
