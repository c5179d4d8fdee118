"""The migrations make what storage.tables describes."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from designate.storage import migration
from designate.storage.engine import Database
from designate.storage.tables import metadata


def test_a_migrated_database_has_exactly_the_described_tables(tmp_path):
    url = f"sqlite:///{tmp_path}/x.sqlite"
    migration.sync(url)
    database = Database(url)

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    database.close()

    assert differences == []


def test_sync_is_repeatable_and_leaves_the_default_pool(tmp_path):
    url = f"sqlite:///{tmp_path}/x.sqlite"
    before = migration.version(url)
    migration.sync(url)
    migration.sync(url)
    current, newest = migration.version(url)
    database = Database(url)
    with database.read() as connection:
        names = connection.execute(sa.text("SELECT name FROM pools")).scalars().all()
    database.close()

    assert before == ("", newest)
    assert current == newest
    assert migration.is_current(url)
    assert names == ["default"]
