"""Classify the errors of databases by the drivers' codes.

MySQL's and MariaDB's numbers, PostgreSQL's SQLSTATEs (its manual, appendix A) and SQLite's result codes do
not depend on the language of the messages.
"""

from __future__ import annotations

import re
import sqlite3
from enum import Enum

import sqlalchemy as sa
from oslo_db import exception as db_errors


class DatabaseFault(Enum):
    """Kinds of database errors.

    CONFLICT: rolled back in favour of another transaction; it may be run again. LOST: the connection
    broke. REFUSED: the server knows no such user, password or database. UNAVAILABLE: it cannot be
    reached. READ_ONLY: it takes no writes. BUSY: out of time, memory or connections. FULL: no space on its
    disk. DUPLICATE: refused by a unique constraint. DATA: a value that no column can hold. OTHER: a wrong
    statement or schema.
    """

    CONFLICT = "conflict"
    LOST = "lost"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    READ_ONLY = "read-only"
    BUSY = "busy"
    FULL = "full"
    DUPLICATE = "duplicate"
    DATA = "data"
    OTHER = "other"


MYSQL = {
    DatabaseFault.CONFLICT: (
        1020,  # record has changed since it was read
        1205,  # lock wait timeout
        1213,  # deadlock; Galera's certification failure, also at COMMIT
    ),
    DatabaseFault.LOST: (
        1053, 1077, 1079,  # shutdown in progress
        1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161,  # network
        1927, 2006, 2013, 2055, 4031,  # killed, gone away, lost, idle for too long
    ),
    DatabaseFault.REFUSED: (
        1044, 1045, 1049, 1130, 1698,  # access denied, unknown database
    ),
    DatabaseFault.UNAVAILABLE: (
        1047,  # this Galera node is not ready
        2000, 2001, 2002, 2003, 2005,  # no connection
    ),
    DatabaseFault.READ_ONLY: (1290, 1792, 1836),  # a replica, or a primary that was
    DatabaseFault.FULL: (
        3, 20, 1026,  # a file cannot be written
        1021, 1114, 3675,  # disk, table or tablespace full
    ),
    DatabaseFault.BUSY: (
        1040, 1203, 1226,  # too many connections
        1317, 1969, 3024,  # interrupted, took too long
    ),
    DatabaseFault.DUPLICATE: (1062, 1586),
    DatabaseFault.DATA: (1264, 1265, 1292, 1366, 1406, 1411),
}  # fmt: skip
# Whole codes, or classes of two characters.
POSTGRESQL = {
    DatabaseFault.CONFLICT: ("40001", "40P01", "55P03"),
    DatabaseFault.LOST: ("08", "57P01", "57P02", "57P05", "25P03", "25P04"),
    DatabaseFault.REFUSED: ("28", "3D000"),
    DatabaseFault.UNAVAILABLE: ("57P03",),
    # A standby says 0A000 to a transaction that may write, and 25006 to a statement that writes.
    DatabaseFault.READ_ONLY: ("25006", "0A000"),
    DatabaseFault.FULL: ("53100",),
    DatabaseFault.BUSY: ("53", "57014"),
    DatabaseFault.DUPLICATE: ("23505",),
    DatabaseFault.DATA: ("22",),
}
# Result codes without their extensions.
SQLITE = {
    DatabaseFault.UNAVAILABLE: (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
    DatabaseFault.READ_ONLY: (sqlite3.SQLITE_READONLY,),
    DatabaseFault.FULL: (sqlite3.SQLITE_FULL,),
    DatabaseFault.BUSY: (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
}
_BY_RESULT = {code: fault for fault, codes in SQLITE.items() for code in codes}
_BY_NUMBER = {number: fault for fault, numbers in MYSQL.items() for number in numbers}
_BY_STATE = {state: fault for fault, states in POSTGRESQL.items() for state in states}
# libpq has no SQLSTATE for a connection that failed, only the server's text.
_REFUSED_BY_POSTGRESQL = re.compile(
    r"FATAL: +(password authentication failed|no pg_hba\.conf entry|(database|role) .* does not exist)"
)
# Errors that oslo.db has translated before.
_BY_CLASS: tuple[tuple[type[Exception], DatabaseFault], ...] = (
    (db_errors.DBDuplicateEntry, DatabaseFault.DUPLICATE),
    (db_errors.DBDeadlock, DatabaseFault.CONFLICT),
    (db_errors.DBNonExistentDatabase, DatabaseFault.REFUSED),
    (db_errors.DBConnectionError, DatabaseFault.LOST),
    (db_errors.DBDataError, DatabaseFault.DATA),
    (db_errors.DBInvalidUnicodeParameter, DatabaseFault.DATA),
    (sa.exc.TimeoutError, DatabaseFault.BUSY),
    (sa.exc.DisconnectionError, DatabaseFault.LOST),
    (sa.exc.DataError, DatabaseFault.DATA),
)


def classify(error: BaseException) -> DatabaseFault | None:
    """Return the kind of an error of SQLAlchemy or oslo.db; None: it is not a database error."""
    if not isinstance(error, db_errors.DBError | sa.exc.SQLAlchemyError):
        return None
    found = _by_code(error)
    if found is not None:
        return found
    if _REFUSED_BY_POSTGRESQL.search(str(error)):
        return DatabaseFault.REFUSED
    for cls, fault in _BY_CLASS:
        if isinstance(error, cls) or isinstance(getattr(error, "inner_exception", None), cls):
            return fault
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return DatabaseFault.LOST
    return DatabaseFault.OTHER


def _by_code(error: BaseException) -> DatabaseFault | None:
    """Classify by the code of the driver's error, which oslo.db and SQLAlchemy each wrap."""
    seen: set[int] = set()
    inner: BaseException | None = error
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        number = inner.args[0] if inner.args else None
        if isinstance(number, int):
            # MySQL's errors have SQLSTATEs too, of which most are HY000.
            return _BY_NUMBER.get(number)
        state = getattr(inner, "sqlstate", None)
        if isinstance(state, str):
            return _BY_STATE.get(state) or _BY_STATE.get(state[:2])
        result = getattr(inner, "sqlite_errorcode", None)
        if isinstance(result, int):
            return _BY_RESULT.get(result & 0xFF)
        inner = getattr(inner, "inner_exception", None) or getattr(inner, "orig", None)
    return None
