"""Describe a database's schema as sorted lines of text, from the database's own catalog.

The lines hold types, nullability, defaults, collations, keys, checks, the order and the conditions of
indexes, and all rows. The order in which columns, keys and indexes were created is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import sqlalchemy as sa

VERSION_TABLE = "alembic_version"
# Columns whose values differ from one database to the next.
VOLATILE = {"created_at"}


def dump(connection: sa.Connection) -> str:
    """Return the schema and the rows of a newly migrated database."""
    describe = {"sqlite": _sqlite, "mysql": _mysql, "postgresql": _postgresql}
    lines = [*describe[connection.dialect.name](connection), *_rows(connection)]
    return "\n".join(sorted(lines)) + "\n"


def _rows(connection: sa.Connection) -> Iterator[str]:
    """Yield the rows of all tables, their values sorted by column."""
    tables = sa.MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if table.name == VERSION_TABLE:
            continue
        for row in connection.execute(sa.select(table)).mappings():
            values = {name: value for name, value in row.items() if name not in VOLATILE}
            yield f"{table.name}: row {dict(sorted(values.items()))}"


def _sqlite(connection: sa.Connection) -> Iterator[str]:
    found = connection.exec_driver_sql(
        "SELECT tbl_name, type, sql FROM sqlite_master WHERE sql IS NOT NULL"
    )
    for table, kind, sql in found:
        if table == VERSION_TABLE:
            continue
        if kind != "table":
            yield f"{table}: {_one_line(sql)}"
            continue
        _, _, body = sql.partition("(")
        inside, _, options = body.rpartition(")")
        yield f"{table}: CREATE TABLE {options}".rstrip()
        yield from (f"{table}: {_one_line(part)}" for part in _parts(inside))


def _mysql(connection: sa.Connection) -> Iterator[str]:
    for table in sa.inspect(connection).get_table_names():
        if table == VERSION_TABLE:
            continue
        sql = connection.exec_driver_sql(f"SHOW CREATE TABLE `{table}`").one()[1]
        head, *lines = sql.split("\n")
        yield from (f"{table}: {_one_line(line).rstrip(',')}" for line in (head, *lines))


def _postgresql(connection: sa.Connection) -> Iterator[str]:
    columns = """
        SELECT c.relname, concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
               'COLLATE ' || nullif(l.collname, 'default'), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
               'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity::text, ''))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relnamespace = 'public'::regnamespace
    """
    constraints = """
        SELECT c.relname, concat_ws(' ', 'CONSTRAINT', o.conname, pg_get_constraintdef(o.oid))
        FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
        WHERE o.connamespace = 'public'::regnamespace
    """
    indexes = """
        SELECT tablename, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)
    """
    others = """
        SELECT relname, 'relation of kind ' || relkind::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'r')
    """
    for query in (columns, constraints, indexes, others):
        for table, text in connection.exec_driver_sql(query):
            if table != VERSION_TABLE:
                yield f"{table}: {text}"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _parts(text: str) -> Iterable[str]:
    """Split at the commas outside of parentheses."""
    depth, parts, start = 0, [], 0
    for place, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]
