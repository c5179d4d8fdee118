"""What a database has in the place of this release's schema is named with what to do."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from designate import errors
from designate.storage.sqlalchemy import migration, schema_state
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.schema_state import SchemaKind

VERSIONS = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
SYNC = "run designate-manage database sync"
# Of OpenStack Designate 23 and of its first releases.
DESIGNATES = (
    "CREATE TABLE zones (id CHAR(32) PRIMARY KEY, tenant_id VARCHAR(36))",
    "CREATE TABLE domains (id CHAR(32) PRIMARY KEY, tenant_id VARCHAR(36))",
)


def stamped(revision: str) -> tuple[str, ...]:
    return VERSIONS, f"INSERT INTO alembic_version VALUES ('{revision}')"


def made(url: str, *statements: str) -> str:
    database = Database(url)
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    database.close()
    return url


@pytest.mark.parametrize(
    ("statements", "kind", "advice"),
    [
        ((), SchemaKind.EMPTY, f"the database is empty: {SYNC}"),
        (("CREATE TABLE other (id INTEGER)",), SchemaKind.EMPTY, f"the database is empty: {SYNC}"),
        (
            (VERSIONS, "CREATE TABLE zones (id INTEGER)"),
            SchemaKind.EMPTY,
            f"the database has a part of the schema: {SYNC}",
        ),
        (stamped("0000"), SchemaKind.OLDER, f"the schema is 0000, of an older release: {SYNC}"),
        (stamped("9999"), SchemaKind.NEWER, "the schema is 9999, of a newer release: install that"),
        (
            (*stamped("f49c4409c8ba"), DESIGNATES[0]),
            SchemaKind.DESIGNATE,
            "the database is OpenStack Designate's own (revision f49c4409c8ba): nothing is changed",
        ),
        (DESIGNATES[1:], SchemaKind.DESIGNATE, "OpenStack Designate's own (revision unknown)"),
        (
            ("CREATE TABLE zones (id INTEGER)",),
            SchemaKind.FOREIGN,
            "of another program (revision none, tables zones): nothing is changed there; set it to "
            f"an empty database and {SYNC}",
        ),
        (stamped("90c2f7a1d3e4"), SchemaKind.FOREIGN, "another program (revision 90c2f7a1d3e4"),
    ],
    ids=lambda value: value.value if isinstance(value, SchemaKind) else "",
)
def test_schema_that_is_not_this_releases_is_named_and_kept(databases, statements, kind, advice):
    url = made(databases.fresh(), *statements)

    found = schema_state.read(url)

    assert found.kind is kind
    assert found.advice.startswith("[storage:sqlalchemy] connection: ")
    assert advice in found.advice
    with pytest.raises(errors.ConfigurationError) as caught:
        schema_state.require_current(url)
    assert caught.value.message == found.advice
    if kind in (SchemaKind.NEWER, SchemaKind.DESIGNATE, SchemaKind.FOREIGN):
        for change in (migration.sync, lambda url: migration.upgrade(url, "head")):
            with pytest.raises(errors.ConfigurationError) as caught:
                change(url)
            assert caught.value.message == found.advice
        assert schema_state.read(url) == found


def test_schema_of_this_release_is_current(databases):
    url = databases.migrated()

    schema_state.require_current(url)

    assert migration.version(url) == (schema_state.newest(), migration.head())


@pytest.mark.parametrize("kind", ["mariadb", "postgresql"])
@pytest.mark.parametrize("part", ["password", "user", "database"])
def test_database_that_refuses_is_a_mistake_and_not_waited_for(kind, part, request):
    url = sa.make_url(request.getfixturevalue(kind).fresh())
    wrong = url.set(**{"username" if part == "user" else part: "wr0ng"})

    with pytest.raises(errors.ConfigurationError) as caught:
        schema_state.require_current(wrong.render_as_string(hide_password=False))

    assert "[storage:sqlalchemy] connection: " in caught.value.message
    assert "\n" not in caught.value.message
    assert ("wr0ng" in caught.value.message) is (part != "password")
    assert url.password not in caught.value.message
    with pytest.raises(errors.ConfigurationError):
        migration.sync(wrong.render_as_string(hide_password=False))


def test_database_that_is_down_is_waited_for(mariadb, monkeypatch, caplog):
    url = mariadb.migrated()
    waits = []
    down = url.replace(f":{mariadb.port}/", ":1/")

    class Clock:
        """A clock that passes only while somebody waits."""

        now = 0.0

        @classmethod
        def monotonic(cls):
            return cls.now

        @classmethod
        def sleep(cls, seconds):
            waits.append(seconds)
            cls.now += seconds

    monkeypatch.setattr(schema_state, "time", Clock)
    with pytest.raises(errors.ConfigurationError, match="The database is unavailable: "):
        schema_state.require_current(down, 3)

    assert len(waits) == 3
    assert caplog.text.count("waiting for the database") == 1


def test_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "designate.conf").write_text("[DEFAULT]\n" * 100)

    with pytest.raises(errors.ConfigurationError, match="connection: file is not a database"):
        schema_state.read(f"sqlite:///{tmp_path}/designate.conf")


def test_reading_makes_no_database(tmp_path):
    path = tmp_path / "none.sqlite"

    assert schema_state.read(f"sqlite:///{path}").kind is SchemaKind.EMPTY
    assert not path.exists()
