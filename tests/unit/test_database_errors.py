"""Database errors are classified by the drivers' codes, with each wrapper of SQLAlchemy and oslo.db."""

from __future__ import annotations

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from oslo_db import exception as db_errors
from psycopg import errors as states

from designate.storage.sqlalchemy.db.errors import MYSQL, POSTGRESQL, DatabaseFault, classify


def wrapped(original):
    """Return the error as SQLAlchemy and as oslo.db raise it."""
    outer = sa.exc.DBAPIError.instance("SELECT 1", {}, original, Exception, hide_parameters=True)
    return [outer, db_errors.DBError(outer)]


@pytest.mark.parametrize(
    ("number", "fault"), [(number, fault) for fault, numbers in MYSQL.items() for number in numbers]
)
def test_every_number_of_mysql_has_its_meaning(number, fault):
    cls = pymysql.err.error_map.get(number, pymysql.err.OperationalError)
    for error in wrapped(cls(number, "in whatever language")):
        assert classify(error) is fault


@pytest.mark.parametrize(
    ("original", "fault"),
    [
        (states.DeadlockDetected, DatabaseFault.CONFLICT),
        (states.SerializationFailure, DatabaseFault.CONFLICT),
        (states.LockNotAvailable, DatabaseFault.CONFLICT),
        (states.AdminShutdown, DatabaseFault.LOST),
        (states.CrashShutdown, DatabaseFault.LOST),
        (states.ConnectionFailure, DatabaseFault.LOST),
        (states.IdleInTransactionSessionTimeout, DatabaseFault.LOST),
        (states.CannotConnectNow, DatabaseFault.UNAVAILABLE),
        (states.ReadOnlySqlTransaction, DatabaseFault.UNAVAILABLE),
        (states.InvalidPassword, DatabaseFault.UNAVAILABLE),
        (states.TooManyConnections, DatabaseFault.BUSY),
        (states.DiskFull, DatabaseFault.BUSY),
        (states.QueryCanceled, DatabaseFault.BUSY),
        (states.UniqueViolation, DatabaseFault.DUPLICATE),
        (states.NumericValueOutOfRange, DatabaseFault.DATA),
        (psycopg.DataError, DatabaseFault.DATA),
        (states.UndefinedTable, DatabaseFault.OTHER),
        (states.ForeignKeyViolation, DatabaseFault.OTHER),
    ],
)
def test_states_of_postgresql_have_their_meaning(original, fault):
    for error in wrapped(original("in whatever language")):
        assert classify(error) is fault


def test_every_state_is_one_of_postgresqls():
    known = {
        cls.sqlstate
        for cls in vars(states).values()
        if isinstance(getattr(cls, "sqlstate", None), str)
    }
    for listed in POSTGRESQL.values():
        for state in listed:
            assert any(one.startswith(state) for one in known), state


def test_no_code_stands_twice():
    for table in (MYSQL, POSTGRESQL):
        codes = [code for listed in table.values() for code in listed]
        assert len(codes) == len(set(codes))


def test_what_is_no_database_error_has_no_kind():
    assert classify(ValueError("no")) is None
    assert classify(KeyError(1213)) is None


def test_a_full_pool_and_a_locked_file_are_busy():
    assert classify(sa.exc.TimeoutError("QueuePool limit")) is DatabaseFault.BUSY
    locked = sa.exc.OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))
    assert classify(locked) is DatabaseFault.BUSY
