"""Run a batch of writes in one transaction, and translate the database's errors."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from oslo_db import exception as db_errors

from designate import errors
from designate.storage.sqlalchemy.db.errors import DatabaseFault, classify
from designate.storage.sqlalchemy.db.group_commit import DeferredWrites, PendingWrite
from designate.storage.sqlalchemy.db.transaction import Transaction

LOG = logging.getLogger(__name__)
RETRY_AFTER_S: Final = 2


TEXTS: Final = {
    DatabaseFault.UNAVAILABLE: "The database is unavailable",
    DatabaseFault.REFUSED: "The database is unavailable",
    DatabaseFault.LOST: "The database is unavailable",
    DatabaseFault.READ_ONLY: "The database takes no changes",
    DatabaseFault.FULL: "The disk of the database is full",
}
UNAVAILABLE: Final = (
    DatabaseFault.UNAVAILABLE,
    DatabaseFault.REFUSED,
    DatabaseFault.READ_ONLY,
    DatabaseFault.BUSY,
)


class RolledBack(Exception):
    """Raised when nothing was stored; fault: the reason.

    The transaction may be run again, but on a full disk it would end in the same way.
    """

    def __init__(self, fault: DatabaseFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@contextmanager
def connected(engine: sa.Engine, **options: Any) -> Iterator[sa.Connection]:
    """Connect with these execution options.

    Raises:
        Unavailable: There is no connection.
    """
    try:
        connection = engine.connect()
    except (sa.exc.SQLAlchemyError, db_errors.DBError) as error:
        LOG.warning("database: cannot connect: %s", _first_line(error))
        raise unavailable(DatabaseFault.UNAVAILABLE) from None
    with connection:
        yield connection.execution_options(**options) if options else connection


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise the database's errors as errors of the project, but DBDuplicateEntry as it is.

    Raises:
        RolledBack: The transaction may be run again, or the disk is full.
        Unavailable: The database is unavailable or overloaded.
        BadRequest: A value that no column can hold.
        DesignateError: The statement is wrong.
    """
    try:
        yield
    except (sa.exc.SQLAlchemyError, db_errors.DBError) as error:
        fault = classify(error)
        if fault is DatabaseFault.DUPLICATE:
            if isinstance(error, db_errors.DBDuplicateEntry):
                raise
            raise db_errors.DBDuplicateEntry(inner_exception=error) from None
        if fault in (DatabaseFault.CONFLICT, DatabaseFault.LOST):
            LOG.debug("database: transaction rolled back: %s", _first_line(error))
            raise RolledBack(fault) from error
        if fault is DatabaseFault.FULL:
            # SQLite ends the transaction, which the others of a batch share.
            LOG.warning("database: disk full: %s", _first_line(error))
            raise RolledBack(fault) from error
        if fault in UNAVAILABLE:
            LOG.warning("database unavailable: %s", _first_line(error))
            raise unavailable(fault) from None
        if fault is DatabaseFault.DATA:
            LOG.debug("database: value refused: %s", _first_line(error))
            raise errors.BadRequest("A value cannot be stored") from None
        LOG.exception("database: statement failed")
        raise errors.DesignateError from error


def unavailable(fault: DatabaseFault) -> errors.Unavailable:
    """Return the error for a database that is unavailable, full or, after other faults, busy."""
    return errors.Unavailable(TEXTS.get(fault, "The database is busy"), retry_after_s=RETRY_AFTER_S)


def run_batch(connection: sa.Connection, batch: Sequence[PendingWrite]) -> None:
    """Run all writes in one transaction; set the result or the error of each.

    Several run without savepoints at first: where all succeed, which is the rule, they cost little more
    than one. If one of them fails, all run again with savepoints.
    """
    if len(batch) == 1 or not _run_without_savepoints(connection, batch):
        _run_with_savepoints(connection, batch)


def _run_without_savepoints(connection: sa.Connection, batch: Sequence[PendingWrite]) -> bool:
    """Return whether all succeeded; otherwise nothing was stored."""
    deferred = DeferredWrites()
    transaction = connection.begin()
    try:
        results = []
        try:
            with translated_errors():
                for write in batch:
                    tx = Transaction(connection, deferred)
                    results.append((write.run(tx), tx.after_commit))
                deferred.flush()
        except RolledBack:
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
    for write, result in zip(batch, results, strict=True):
        write.result = result
    return True


def _run_with_savepoints(connection: sa.Connection, batch: Sequence[PendingWrite]) -> None:
    """Run each write in a savepoint; a single one needs none besides its transaction."""
    alone = len(batch) == 1
    transaction = connection.begin()
    try:
        for write in batch:
            _run_one(connection, write, alone=alone)
        if alone and batch[0].error is not None:
            transaction.rollback()
        else:
            _commit(transaction, batch)
    except BaseException:
        transaction.rollback()
        raise


def _run_one(connection: sa.Connection, write: PendingWrite, *, alone: bool) -> None:
    """Run one write; raise only errors that end the transaction for the others too."""
    tx = Transaction(connection)
    if not alone:
        connection.exec_driver_sql("SAVEPOINT work")
    try:
        with translated_errors():
            write.result = (write.run(tx), tx.after_commit)
    except RolledBack:
        raise
    except Exception as error:
        if connection.invalidated:
            raise
        write.error = error
        if not alone:
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT work")
    if not alone:
        connection.exec_driver_sql("RELEASE SAVEPOINT work")


def _commit(transaction: sa.RootTransaction, batch: Sequence[PendingWrite]) -> None:
    """Commit.

    Raises:
        RolledBack: One write is past its deadline; the others are then run again without it.
        Unavailable: The reply to COMMIT was lost, so that the changes may be stored.
    """
    now_s = time.monotonic()
    if any(write.error is None and write.commit_by_s < now_s for write in batch):
        raise RolledBack(DatabaseFault.CONFLICT)
    try:
        transaction.commit()
    except (sa.exc.SQLAlchemyError, db_errors.DBError) as error:
        undone = (DatabaseFault.CONFLICT, DatabaseFault.DUPLICATE, DatabaseFault.FULL)
        if classify(error) in undone or transaction.connection.dialect.name == "sqlite":
            raise
        LOG.warning("database: reply to COMMIT lost, changes may be stored: %s", _first_line(error))
        raise errors.Unavailable(
            "The connection to the database broke; the change may be stored",
            retry_after_s=RETRY_AFTER_S,
        ) from None


def _first_line(error: BaseException) -> str:
    """Return the error's text without the statement and its values, which are on the lines below."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
