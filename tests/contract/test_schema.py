"""Migrated databases have the schema that the tables describe and that tests/contract/schema stores."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from designate.storage.sqlalchemy import migration, shared_zone_counts, zones
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.listing.pagination import EVERYTHING, Scope
from designate.storage.sqlalchemy.tables import (
    NULLS_FIRST,
    metadata,
    pools,
    recordsets,
    shared_recordset_counts,
)
from tests.perf import seed
from tests.support.schema_dump import dump

STORED = Path(__file__).with_name("schema")


@pytest.fixture
def url(databases):
    return databases.fresh()


@pytest.fixture
def migrated(url):
    migration.sync(url)
    database = Database(url)
    yield database
    database.close()


def test_a_migrated_database_has_exactly_the_described_tables(migrated):
    with migrated.read() as connection:
        apart = NULLS_FIRST if connection.dialect.name == "postgresql" else ()
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "index" or name not in apart,
            "include_object": lambda _, name, kind, *__: kind != "index" or name not in apart,
        }
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, metadata)

    assert differences == []
    if apart:
        _assert_nulls_first(migrated)


def test_a_migrated_database_has_the_stored_schema(migrated, databases):
    """The stored schemas may change only together with a migration that makes the change."""
    with migrated.read() as connection:
        found = dump(connection)

    assert found.splitlines() == (STORED / f"{databases.kind}.txt").read_text().splitlines()


def _assert_nulls_first(database):
    """Check PostgreSQL's indexes of nullable orders; the other databases hold null first anyway."""
    with database.read() as connection:
        rows = connection.execute(sa.text("SELECT indexname, indexdef FROM pg_indexes")).all()
    described = {
        str(i.name): list(i.columns.keys()) for t in metadata.tables.values() for i in t.indexes
    }
    found = {row.indexname: row.indexdef for row in rows if "NULLS FIRST" in row.indexdef}

    assert found.keys() == NULLS_FIRST
    assert len(found) == 5
    for name, definition in found.items():
        columns = definition.partition("(")[2].rstrip(")").replace(" NULLS FIRST", "").split(", ")
        assert columns == described[name]


def test_texts_are_compared_by_code_point(migrated):
    """Check every column: another collation would change which names are equal and adjacent."""
    dialect = migrated.reader.dialect.name
    if dialect == "sqlite":
        query = "SELECT name, type, sql FROM sqlite_master WHERE sql LIKE '%COLLATE%'"
    else:
        schema, collation = {
            "mysql": ("database()", "utf8mb4_bin"),
            "postgresql": ("'public'", "C"),
        }[dialect]
        query = (
            "SELECT table_name, column_name, collation_name FROM information_schema.columns "
            f"WHERE table_schema = {schema} AND table_name <> 'alembic_version' "
            "AND data_type IN ('varchar', 'longtext', 'text', 'character varying') "
            f"AND coalesce(collation_name, 'the usual') <> '{collation}'"
        )
    with migrated.read() as connection:
        others = connection.execute(sa.text(query)).all()

    assert others == []


def test_sync_is_repeatable_and_leaves_the_default_pool(url):
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


def test_recordsets_in_zones_of_others_are_counted_as_they_are_found(migrated, url):
    served_by = [{"hostname": "ns1.example.org.", "priority": 1}]
    migrated.write(lambda tx: tx.execute(sa.update(pools).values(ns_records=served_by)))
    zone_id = seed.zone(url, "guests.example.", 6, announce=False)
    alone_id = seed.zone(url, "alone.example.", 6, announce=False)
    for project_id, names in (("other", ("h1", "h2")), (None, ("h3",))):
        keys = [f"{name}.guests.example." for name in names]
        given = sa.update(recordsets).where(recordsets.c.name_key.in_(keys))
        migrated.write(
            lambda tx, given=given, to=project_id: tx.execute(given.values(project_id=to))
        )

    def recount(tx):
        for each in (zone_id, alone_id):
            zone = zones.lock(tx, each).zone
            # A zone without a count is not counted anew.
            shared_zone_counts.adjust(tx, zone, "gone", 1)
            shared_zone_counts.recount(tx, zone)

    migrated.write(recount)

    with migrated.read() as connection:
        found = connection.execute(sa.select(shared_recordset_counts)).all()
        numbers = [
            connection.execute(shared_zone_counts.count_recordsets(scope)).scalar_one()
            for scope in (
                Scope(project_id=seed.PROJECT), Scope(project_id="other"), Scope(), EVERYTHING
            )
        ]  # fmt: skip
    assert sorted(found) == [(zone_id, "", seed.PROJECT, 1), (zone_id, "other", seed.PROJECT, 2)]
    assert numbers == [13, 2, 0, 16]
