"""Database errors are classified by the drivers' codes, with each wrapper of SQLAlchemy and oslo.db."""

from __future__ import annotations

import sqlite3

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
    # As the server sends it, with the SQLSTATE of most of its errors.
    packet = b"\xff" + number.to_bytes(2, "little") + b"#HY000in whatever language"
    with pytest.raises(pymysql.err.MySQLError) as caught:
        pymysql.err.raise_mysql_exception(packet)
    for error in wrapped(caught.value):
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
        (states.ReadOnlySqlTransaction, DatabaseFault.READ_ONLY),
        (states.FeatureNotSupported, DatabaseFault.READ_ONLY),
        (states.InvalidPassword, DatabaseFault.REFUSED),
        (states.TooManyConnections, DatabaseFault.BUSY),
        (states.DiskFull, DatabaseFault.FULL),
        (states.OutOfMemory, DatabaseFault.BUSY),
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


def test_a_full_pool_is_busy():
    assert classify(sa.exc.TimeoutError("QueuePool limit")) is DatabaseFault.BUSY


@pytest.mark.parametrize(
    ("pragma", "statement", "fault"),
    [
        ("query_only = ON", "INSERT INTO t VALUES (1)", DatabaseFault.READ_ONLY),
        ("max_page_count = 2", "INSERT INTO t VALUES (zeroblob(9999))", DatabaseFault.FULL),
        ("query_only = OFF", "INSERT INTO nothing VALUES (1)", DatabaseFault.OTHER),
    ],
)
def test_results_of_sqlite_have_their_meaning(tmp_path, pragma, statement, fault):
    with sqlite3.connect(tmp_path / "file") as connection:
        connection.execute("CREATE TABLE t (value)")
        connection.execute(f"PRAGMA {pragma}")
        with pytest.raises(sqlite3.Error) as caught:
            connection.execute(statement)
    connection.close()

    for error in wrapped(caught.value):
        assert classify(error) is fault


def test_a_locked_file_of_sqlite_is_busy(tmp_path):
    url = tmp_path / "file"
    with sqlite3.connect(url) as holder, sqlite3.connect(url, timeout=0) as other:
        holder.execute("CREATE TABLE t (value)")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.Error) as caught:
            other.execute("BEGIN IMMEDIATE")
    for connection in (holder, other):
        connection.close()

    for error in wrapped(caught.value):
        assert classify(error) is DatabaseFault.BUSY
