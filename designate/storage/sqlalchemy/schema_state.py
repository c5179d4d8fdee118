"""The schema that a database has, and what to do where it is not this release's.

Read without alembic, which most processes never load. The scripts of the migrations are in the checkout's
top-level `alembic/`, which an installed package has as `designate/storage/migrations`.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from oslo_db import exception as db_errors

from designate import errors
from designate.storage.sqlalchemy.db import options
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.db.errors import DatabaseFault, classify
from designate.storage.sqlalchemy.tables import metadata

LOG = logging.getLogger(__name__)

HERE = Path(__file__).resolve().parents[1]
OPTION: Final = f"[{options.GROUP}] connection"
SYNC: Final = "run designate-manage database sync"
VERSION_TABLE: Final = "alembic_version"
# How long a daemon waits at its start for a database that cannot be reached.
MAX_WAIT_S: Final = 60.0
POLL_S: Final = 1.0
MAX_TABLES_NAMED: Final = 3
OWN_REVISION = re.compile(r"\d{4}")
_SQLITE: Final = "sqlite:///"
_LASTING: Final = (DatabaseFault.REFUSED, DatabaseFault.OTHER)


class SchemaKind(Enum):
    """Kinds of schemas.

    EMPTY: Not migrated, or not to the end of the first migration. DESIGNATE: OpenStack Designate's own.
    FOREIGN: With tables of another program that have the names of ours.
    """

    CURRENT = "current"
    EMPTY = "empty"
    OLDER = "older"
    NEWER = "newer"
    DESIGNATE = "designate"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a database has.

    Attributes:
        kind: of the schema.
        revision: the database's; empty when it has none.
        newest: this release's revision.
        tables: of another program, with the names of ours.
    """

    kind: SchemaKind
    revision: str
    newest: str
    tables: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What is wrong and what to do, in one line."""
        elsewhere = f"nothing is changed there; set it to an empty database and {SYNC}"
        named = ", ".join(self.tables[:MAX_TABLES_NAMED])
        texts = {
            SchemaKind.CURRENT: "the schema is up to date",
            SchemaKind.EMPTY: (
                f"the database {'has a part of the schema' if self.tables else 'is empty'}: {SYNC}"
            ),
            SchemaKind.OLDER: f"the schema is {self.revision}, of an older release: {SYNC}",
            SchemaKind.NEWER: (
                f"the schema is {self.revision}, of a newer release: install that release here "
                f"(this one has {self.newest}), or restore a backup of the database"
            ),
            SchemaKind.DESIGNATE: (
                "the database is OpenStack Designate's own "
                f"(revision {self.revision or 'unknown'}): {elsewhere}"
            ),
            SchemaKind.FOREIGN: (
                f"the database is of another program (revision {self.revision or 'none'}, "
                f"tables {named or 'unknown'}): {elsewhere}"
            ),
        }
        return f"{OPTION}: {texts[self.kind]}"


def scripts() -> Path:
    """Return the folder with env.py: the installed one if present, else the checkout's."""
    for folder in (HERE / "migrations", HERE.parent.parent / "alembic"):
        if (folder / "env.py").is_file():
            return folder
    raise errors.ConfigurationError("the schema's migrations are not installed")


def newest() -> str:
    """Return this release's revision."""
    names = [path.name for path in (scripts() / "versions").glob("[0-9]*.py")]
    return max(names).split("_")[0]


def read(url: str) -> Schema:
    """Return the database's schema.

    Raises:
        ConfigurationError: The database refuses the connection, or is none.
        Unavailable: The database cannot be reached.
    """
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).exists():
        return Schema(
            kind=SchemaKind.EMPTY, revision="", newest=newest()
        )  # connecting would create it
    database = Database(url)
    try:
        with database.reader.connect() as connection:
            return _read(connection)
    except (sa.exc.SQLAlchemyError, db_errors.DBError) as error:
        driver = getattr(error, "inner_exception", None) or error
        text = errors.first_line(getattr(driver, "orig", None) or error)
        if database.is_sqlite or classify(error) in _LASTING:
            raise errors.ConfigurationError(f"{OPTION}: {text}") from None
        raise errors.Unavailable(f"The database is unavailable: {text}") from None
    finally:
        database.close()


def require_current(url: str, max_wait_s: float = MAX_WAIT_S) -> None:
    """Check that the database has this release's schema; wait for one that cannot be reached.

    Raises:
        ConfigurationError: It has another one, refuses the connection, or could not be reached in time.
    """
    until_s = time.monotonic() + max_wait_s
    waiting = False
    while True:
        try:
            schema = read(url)
            break
        except errors.Unavailable as error:
            if time.monotonic() >= until_s:
                raise errors.ConfigurationError(f"{OPTION}: {error.message}") from None
            if not waiting:
                LOG.warning(
                    "waiting for the database, %.0f s at most: %s", max_wait_s, error.message
                )
            waiting = True
            time.sleep(POLL_S)
    if schema.kind is not SchemaKind.CURRENT:
        raise errors.ConfigurationError(schema.advice)


def _read(connection: sa.Connection) -> Schema:
    inspector = sa.inspect(connection)
    tables = set(inspector.get_table_names())
    revision, own = "", newest()
    if VERSION_TABLE in tables:
        row = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").first()
        revision = str(row[0]) if row else ""
    if OWN_REVISION.fullmatch(revision):
        kind = (
            SchemaKind.CURRENT
            if revision == own
            else SchemaKind.OLDER
            if revision < own
            else SchemaKind.NEWER
        )
        return Schema(kind=kind, revision=revision, newest=own)
    clashing = tuple(sorted(tables & set(metadata.tables)))
    if _is_designates(inspector, tables):
        kind = SchemaKind.DESIGNATE
    elif revision or (clashing and VERSION_TABLE not in tables):
        kind = SchemaKind.FOREIGN
    else:
        kind = SchemaKind.EMPTY
    return Schema(kind=kind, revision=revision, newest=own, tables=clashing)


def _is_designates(inspector: sa.Inspector, tables: set[str]) -> bool:
    """Return whether the tables are OpenStack Designate's, of any release."""
    for table in ("zones", "domains"):
        if table in tables:
            return "tenant_id" in {column["name"] for column in inspector.get_columns(table)}
    return False
