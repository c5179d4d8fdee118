"""What migrations need on each kind of database: one at a time, and repeatable after an interruption.

PostgreSQL and SQLite run all migrations in one transaction. MySQL and MariaDB commit after every
statement that changes the schema, so that a migration that was killed leaves a part of its work. The
next one skips the statements that have been executed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from alembic.ddl.mysql import MySQLImpl
from oslo_db import exception as db_errors

from designate import errors
from designate.storage.sqlalchemy.db.connections import WRITE_BY
from designate.storage.sqlalchemy.db.engine import Database

LOG = logging.getLogger(__name__)

MAX_WAIT_S: Final = 120.0
POLL_S: Final = 0.5
VERSION_TABLE: Final = "alembic_version"
# The option of alembic's context with which this module's implementation is configured.
RESUMED: Final = "designate_resumed"
# MySQL's numbers for what a statement would create and is there, and for what it would remove and is not.
ALREADY_EXECUTED: Final = {
    1050,  # table exists
    1051,  # unknown table
    1060,  # duplicate column
    1061,  # duplicate key name
    1062,  # duplicate row
    1068,  # second primary key
    1091,  # nothing to drop
    1826,  # duplicate foreign key
}
# The key of PostgreSQL's lock, which is of one database; MySQL's is of the whole server.
_POSTGRESQL_LOCK = "SELECT pg_try_advisory_xact_lock(7234315272984617332)"
_MYSQL_LOCK = "SELECT GET_LOCK(LEFT(CONCAT('designate ', DATABASE()), 64), 0)"


class ResumableMySQL(MySQLImpl):
    """Alembic's implementation for MySQL and MariaDB, which skips what an earlier run executed."""

    __dialect__ = "mysql"

    def _exec(self, construct: Any, *args: Any, **options: Any) -> Any:
        try:
            return super()._exec(construct, *args, **options)
        except (sa.exc.DBAPIError, db_errors.DBError) as error:
            if not self.context_opts.get(RESUMED) or _number(error) not in ALREADY_EXECUTED:
                raise
            LOG.info("migration: skipped, executed by an earlier run: %s", errors.first_line(error))
            return None


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """Connect for migrations, whose statements may take long."""
    database = Database(url, statement_timeout_s=None)
    try:
        with database.engine.connect() as connection:
            # SQLite waits for another writer when the transaction begins.
            yield connection.execution_options(**{WRITE_BY: time.monotonic() + MAX_WAIT_S})
    finally:
        database.close()


def context_options(connection: sa.Connection) -> dict[str, Any]:
    """Return the options of alembic's context for the connection."""
    # alembic creates the table before the first migration. Without it, existing tables are not ours.
    resumed = sa.inspect(connection).has_table(VERSION_TABLE)
    connection.rollback()
    options: dict[str, Any] = {"connection": connection, RESUMED: resumed}
    if connection.dialect.name == "sqlite":
        # Alembic assumes the driver's own transactions, which cannot hold DDL; the engine begins its own.
        options |= {"render_as_batch": True, "transactional_ddl": True}
    return options


def wait_for_others(connection: sa.Connection) -> bool:
    """Lock out other migrations of the database until the connection's transaction or session ends.

    Returns:
        Whether another one was running.

    Raises:
        Unavailable: It did not end within MAX_WAIT_S.
    """
    lock = {"mysql": _MYSQL_LOCK, "postgresql": _POSTGRESQL_LOCK}.get(connection.dialect.name)
    waited = False
    until_s = time.monotonic() + MAX_WAIT_S
    while lock is not None and not connection.exec_driver_sql(lock).scalar():
        if time.monotonic() > until_s:
            raise errors.Unavailable(
                f"Another migration of this database has not ended within {MAX_WAIT_S:.0f} s"
            )
        if not waited:
            LOG.warning("another migration of this database is running, waiting for its end")
        waited = True
        time.sleep(POLL_S)
    return waited


def _number(error: BaseException) -> int | None:
    """Return the driver's error number, from inside the errors of oslo.db and SQLAlchemy."""
    inner: BaseException | None = error
    while inner is not None:
        if inner.args and isinstance(inner.args[0], int):
            return inner.args[0]
        inner = getattr(inner, "inner_exception", None) or getattr(inner, "orig", None)
    return None
