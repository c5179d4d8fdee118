"""Run migrations on the database whose URL designate.storage.sqlalchemy.migration passes."""

from alembic import context
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.tables import metadata


def run() -> None:
    """Run the migrations."""
    # Changing a large table takes time, and only the operator waits for it.
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
