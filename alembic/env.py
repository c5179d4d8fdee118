"""Run migrations on the database whose URL designate.storage.sqlalchemy.migration passes."""

import logging

from alembic import context
from designate.storage.sqlalchemy.migration_steps import (
    connected,
    context_options,
    wait_for_others,
)
from designate.storage.sqlalchemy.tables import metadata

LOG = logging.getLogger("designate.migrations")


def run() -> None:
    """Run the migrations, one process at a time."""
    applied: list[object] = []
    with connected(context.config.attributes["url"]) as connection:
        context.configure(
            target_metadata=metadata,
            compare_type=True,
            on_version_apply=lambda **step: applied.append(step),
            **context_options(connection),
        )
        with context.begin_transaction():
            waited = wait_for_others(connection)
            context.run_migrations()
    if waited and not applied:
        LOG.warning("the schema is up to date")


run()
