"""Runs migrations against the database whose URL designate.storage.sqlalchemy.migration passed in."""

from alembic import context
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.tables import metadata


def run() -> None:
    # A large table takes its time; nobody waits for the answer but the operator.
    database = Database(context.config.attributes["url"], statement_timeout_s=None)
    try:
        with database.engine.connect() as connection:
            context.configure(
                connection=connection,
                target_metadata=metadata,
                render_as_batch=connection.dialect.name == "sqlite",
                compare_type=True,
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        database.close()


run()
