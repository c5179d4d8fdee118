"""Pages of lists: filters, a total order and the marker.

Every list takes the same few statements, whatever its length (a test counts them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from designate import errors
from designate.model.query import Query
from designate.storage.sqlalchemy.tables import DATA_KEY_LENGTH

Condition = sa.ColumnElement[bool]
WILDCARDS = "*%"
ESCAPE = "\\"
# Databases that find a row value by an index of its columns.
ROW_VALUES = ("sqlite", "postgresql")
# Up to this number of rows, sorting them is cheaper than walking the index of the order.
FEW = 1000
# MariaDB walks an index in two thirds of the time when it compares bytes instead of characters.
BYTES = sa.String().with_variant(mysql.BINARY(), "mysql")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a read may see: those of one project and shared with it, or those of all projects."""

    project_id: str | None = None
    all_projects: bool = False


EVERYTHING = Scope(all_projects=True)


def of_project(column: sa.ColumnElement[Any], project_id: str | None) -> Condition:
    """Return the condition for rows of the project; None has no rows, not those without a project."""
    return sa.false() if project_id is None else column == project_id


def has_wildcards(value: str) -> bool:
    """Return whether a filter's value has wildcards."""
    return any(mark in value for mark in WILDCARDS)


def match(column: sa.ColumnElement[Any], value: str) -> Condition:
    """Return the condition that a column equals the value, or matches its wildcards.

    A null column matches nothing.
    """
    if not has_wildcards(value):
        return column == value
    pattern = ""
    for char in value:
        if char in WILDCARDS:
            pattern += "%"
        else:
            pattern += ESCAPE + char if char in ("_", ESCAPE) else char
    prefix = value[: min(value.index(mark) for mark in WILDCARDS if mark in value)]
    if not prefix:
        # All rows are compared.
        return column.like(sa.cast(sa.literal(pattern, sa.String), BYTES), escape=ESCAPE)
    condition = column.like(pattern, escape=ESCAPE)
    # Not every database uses an index for LIKE, but each does for the range of its prefix.
    return sa.and_(condition, *_prefix_range(column, prefix))


def _prefix_range(column: sa.ColumnElement[Any], prefix: str) -> tuple[Condition, ...]:
    if not prefix or ord(prefix[-1]) >= 0xD7FF:
        return ()
    return column >= prefix, column < prefix[:-1] + chr(ord(prefix[-1]) + 1)


def match_name(table: sa.Table, value: str) -> Condition:
    """Match names ignoring case; a pattern with a wildcard only at its start is matched reversed."""
    value = value.lower()
    if value[:1] in WILDCARDS and value[-1:] not in WILDCARDS:
        return match(table.c.reverse_key, value[::-1])
    return match(table.c.name_key, value)


def match_data(value: str, columns: sa.FromClause) -> Condition:
    """Match record data, of which the index holds only the first characters."""
    if not has_wildcards(value):
        return sa.and_(columns.c.data_key == value[:DATA_KEY_LENGTH], columns.c.data == value)
    # Data that the index holds completely are compared there, and only the others in their rows. These are
    # two conditions because MariaDB reads only the index for a condition that needs nothing else.
    in_full = _is_complete(columns)
    return sa.and_(
        sa.or_(sa.not_(in_full), match(columns.c.data_key, value)),
        sa.or_(in_full, match(columns.c.data, value)),
        *_data_range(columns, value),
    )


def match_data_in_parts(value: str, columns: sa.FromClause) -> tuple[Condition, Condition]:
    """Return match_data of a pattern as two exclusive conditions, of which the first reads the index."""
    in_full = _is_complete(columns)
    within = _data_range(columns, value)
    return (
        sa.and_(in_full, match(columns.c.data_key, value), *within),
        sa.and_(sa.not_(in_full), match(columns.c.data, value), *within),
    )


def _is_complete(columns: sa.FromClause) -> Condition:
    return sa.func.length(columns.c.data_key) < DATA_KEY_LENGTH


def _data_range(columns: sa.FromClause, value: str) -> tuple[Condition, ...]:
    prefix = value[: min(value.index(mark) for mark in WILDCARDS if mark in value)]
    return _prefix_range(columns.c.data_key, prefix[:DATA_KEY_LENGTH])


def integer(column: sa.ColumnElement[Any], value: str) -> int | None:
    """Return a filter's value for an integer column; None: no integer of the column can equal it."""
    try:
        number = int(value)
    except ValueError:
        return None
    bits = 63 if isinstance(column.type, sa.BigInteger) else 31
    return number if -(2**bits) <= number < 2**bits else None


def without_index(condition: Condition, dialect: str) -> Condition:
    """Return the condition in a form whose index SQLite does not use; it has no statistics."""
    if dialect != "sqlite" or not isinstance(condition, sa.BinaryExpression):
        return condition
    return sa.func.coalesce(condition.left, sa.null()) == condition.right


@cache
def _index_of(table: sa.Table, *columns: str) -> str | None:
    for index in table.indexes:
        if columns and tuple(index.columns.keys())[: len(columns)] == columns:
            return str(index.name)
    return None


def with_index_hint(statement: sa.Select[Any], table: sa.Table, *columns: str) -> sa.Select[Any]:
    """Return the statement with a hint for MariaDB to use the index that begins with these columns.

    Without it MariaDB walks a descending list from its end and not from the marker, and reads rows where
    an index would do.
    """
    index = _index_of(table, *columns)
    return statement.with_hint(table, f"FORCE INDEX ({index})", "mysql") if index else statement


def match_integer(column: sa.ColumnElement[Any], value: str) -> Condition:
    """Return the condition that an integer column equals the value, or matches its wildcards."""
    if has_wildcards(value):
        return match(sa.cast(column, sa.String(20)), value)
    number = integer(column, value)
    return sa.false() if number is None else column == number


def page(
    connection: sa.Connection,
    statement: sa.Select[Any],
    query: Query,
    *,
    table: sa.Table,
    sort_columns: Mapping[str, sa.Column[Any]],
    limit: int,
    visible: Sequence[Condition] = (),
    few: bool = False,
) -> sa.Select[Any]:
    """Return the statement with order, marker and limit; null comes first, ties are broken by id.

    Args:
        connection: Reads the marker's row.
        statement: The filtered select.
        query: Order and marker.
        table: The table of the list.
        sort_columns: The columns of the sort keys.
        limit: The largest number of rows.
        visible: Which rows the client may see; others are not valid as markers, which would reveal that
            they exist.
        few: The filters leave few rows, so that sorting them is cheaper than the order's index.
    """
    column = sort_columns.get(query.sort_key)
    if column is None:
        raise errors.BadRequest(f"sort key {query.sort_key} is not known", type="invalid_sort_key")
    dialect = connection.dialect.name
    descending = query.sort_dir == "desc"
    keys = (column,) if column is table.c.id else (column, table.c.id)
    if query.marker is not None:
        marked = _marked(connection, table, column, query.marker, visible)
        after = _after(marked, table, column, descending, dialect)
        statement = statement.where(after)
        if descending and marked[0] is None:
            # The remaining rows have no value. MariaDB would sort them.
            keys = (table.c.id,)
    order: list[sa.UnaryExpression[Any]] = []
    for key in keys:
        # SQLite has no statistics and MariaDB's misjudge small tables: both would walk the order's index.
        # There is none for an expression.
        avoid_index = few and dialect != "postgresql"
        sorting = sa.func.coalesce(key, sa.null()) if avoid_index else key
        ordered = sorting.desc() if descending else sorting.asc()
        if key.nullable and dialect == "postgresql":
            ordered = ordered.nulls_last() if descending else ordered.nulls_first()
        order.append(ordered)
    return statement.order_by(*order).limit(limit)


def _marked(
    connection: sa.Connection,
    table: sa.Table,
    column: sa.Column[Any],
    marker: str,
    visible: Sequence[Condition],
) -> tuple[Any, str]:
    """Return the marker's value of the column, and its id."""
    marked = sa.select(column, table.c.id).where(table.c.id == marker, *visible)
    row = connection.execute(marked).first()
    if row is None:
        raise errors.BadRequest(f"marker {marker} is not known", type="marker_not_found")
    return row[0], row[1]


def _after(
    marked: tuple[Any, str],
    table: sa.Table,
    column: sa.Column[Any],
    descending: bool,
    dialect: str,
) -> Condition:
    """Return the condition for rows after the marker, as a range of an index on (column, id)."""
    value, row_id = marked
    next_ids: Condition = table.c.id < row_id if descending else table.c.id > row_id
    if column is table.c.id:
        return next_ids
    if dialect in ROW_VALUES and not (descending and column.nullable):
        here = sa.tuple_(sa.literal(value, column.type), sa.literal(row_id, table.c.id.type))
        place = sa.tuple_(column, table.c.id)
        if value is not None:
            return place < here if descending else place > here
    if value is None:
        same_null = sa.and_(column.is_(None), next_ids)
        return same_null if descending else sa.or_(column.is_not(None), same_null)
    if dialect == "mysql":
        # MariaDB makes a range of each alternative; many rows may have the marker's value.
        next_values = column < value if descending else column > value
        beyond: Condition = sa.or_(next_values, sa.and_(column == value, next_ids))
        return sa.or_(beyond, column.is_(None)) if descending and column.nullable else beyond
    if descending:
        behind: Condition = sa.and_(column <= value, sa.or_(column < value, next_ids))
        return sa.or_(behind, column.is_(None)) if column.nullable else behind
    return sa.and_(column >= value, sa.or_(column > value, next_ids))
