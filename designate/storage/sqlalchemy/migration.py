"""Schema versions: find the alembic scripts and run them.

The scripts are in the checkout's top-level `alembic/`, which an installed package has as
`designate/storage/migrations`. alembic is imported at the first use, because most processes never migrate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from oslo_db import exception as db_errors

from designate import errors
from designate.storage.sqlalchemy import default_pool, schema_state
from designate.storage.sqlalchemy.db.errors import DatabaseFault, classify
from designate.storage.sqlalchemy.db.execution import TEXTS
from designate.storage.sqlalchemy.schema_state import SchemaKind

if TYPE_CHECKING:
    from alembic.config import Config

DEFAULT_POOL_ID = default_pool.SCHEMA_ID


def config(url: str) -> Config:
    """Return alembic's configuration for the database."""
    from alembic.config import Config

    alembic = Config()
    alembic.set_main_option("script_location", str(schema_state.scripts()))
    alembic.attributes["url"] = url
    return alembic


def sync(url: str, default_pool_id: str = DEFAULT_POOL_ID) -> None:
    """Upgrade the database to the newest schema and give its default pool the configured id."""
    upgrade(url, "head")
    default_pool.configure_id(url, default_pool_id)


def upgrade(url: str, revision: str) -> None:
    """Upgrade the database to a revision.

    May be interrupted at any point and called again; of several processes one does the work.

    Raises:
        ConfigurationError: The database is another program's or of a newer release, or refuses.
        Unavailable: The database is unavailable, or another migration does not end.
    """
    from alembic import command

    schema = schema_state.read(url)
    if schema.kind not in (SchemaKind.CURRENT, SchemaKind.EMPTY, SchemaKind.OLDER):
        raise errors.ConfigurationError(schema.advice)
    try:
        command.upgrade(config(url), revision)
    except (sa.exc.SQLAlchemyError, db_errors.DBError) as error:
        fault = classify(error)
        first_line = errors.first_line(error)
        if fault in TEXTS:
            raise errors.Unavailable(f"{TEXTS[fault]}: {first_line}") from None
        if fault is DatabaseFault.BUSY:
            raise errors.Unavailable(
                f"The database is busy, perhaps with another migration: {first_line}"
            ) from None
        raise


def head() -> str:
    """Return the newest revision of the scripts."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config("")).get_current_head() or ""


def history() -> list[str]:
    """Return a line per revision, the newest first: its predecessor, its name and its description."""
    from alembic.script import ScriptDirectory

    known = ScriptDirectory.from_config(config(""))
    return [
        f"{step.down_revision or '<base>'} -> {step.revision}"
        f"{' (head)' if step.is_head else ''}, {step.doc}"
        for step in known.walk_revisions()
    ]


def is_current(url: str) -> bool:
    """Return whether the database has this release's schema, without loading alembic."""
    return schema_state.read(url).kind is SchemaKind.CURRENT


def version(url: str) -> tuple[str, str]:
    """Return the database's revision, empty when it has none, and the newest one.

    Raises:
        ConfigurationError: The database is another program's.
    """
    schema = schema_state.read(url)
    if schema.kind in (SchemaKind.DESIGNATE, SchemaKind.FOREIGN):
        raise errors.ConfigurationError(schema.advice)
    return schema.revision, schema.newest
