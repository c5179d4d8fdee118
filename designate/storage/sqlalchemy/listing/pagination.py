"""One page of a collection: filters, a total order, the marker and the count.

Every list costs the same few statements, whatever its length (a test counts them).
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
# Databases that look up a row value in an index of its columns.
ROW_VALUES = ("sqlite", "postgresql")
# So few rows that sorting them is cheaper than walking the index of the order.
FEW = 1000
# Comparing bytes instead of letters, MariaDB walks an index in two thirds of the time.
BYTES = sa.String().with_variant(mysql.BINARY(), "mysql")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a read may see: one project's (and what is shared with it), or everybody's."""

    project_id: str | None = None
    all_projects: bool = False


EVERYTHING = Scope(all_projects=True)


def of_project(column: sa.ColumnElement[Any], project_id: str | None) -> Condition:
    """Rows of the project. A caller without a project has none, not those without a project."""
    return sa.false() if project_id is None else column == project_id


def is_open(value: str) -> bool:
    """Whether a filter's value holds wildcards."""
    return any(mark in value for mark in WILDCARDS)


def match(column: sa.ColumnElement[Any], value: str) -> Condition:
    """column equals value, or matches it where it holds wildcards; a null column matches none."""
    if not is_open(value):
        return column == value
    pattern = ""
    for char in value:
        if char in WILDCARDS:
            pattern += "%"
        else:
            pattern += ESCAPE + char if char in ("_", ESCAPE) else char
    prefix = value[: min(value.index(mark) for mark in WILDCARDS if mark in value)]
    if not prefix:
        # All are looked at.
        return column.like(sa.cast(sa.literal(pattern, sa.String), BYTES), escape=ESCAPE)
    condition = column.like(pattern, escape=ESCAPE)
    # LIKE alone cannot use an index on every database; the range of its prefix can.
    return sa.and_(condition, *_prefix_range(column, prefix))


def _prefix_range(column: sa.ColumnElement[Any], prefix: str) -> tuple[Condition, ...]:
    if not prefix or ord(prefix[-1]) >= 0xD7FF:
        return ()
    return column >= prefix, column < prefix[:-1] + chr(ord(prefix[-1]) + 1)


def match_name(table: sa.Table, value: str) -> Condition:
    """Names are compared ignoring case; what is open at its beginning alone is looked up from
    the name's end."""
    value = value.lower()
    if value[:1] in WILDCARDS and value[-1:] not in WILDCARDS:
        return match(table.c.reverse_key, value[::-1])
    return match(table.c.name_key, value)


def match_data(value: str, columns: sa.FromClause) -> Condition:
    """As match, for record data: the index holds only its first characters."""
    if not is_open(value):
        return sa.and_(columns.c.data_key == value[:DATA_KEY_LENGTH], columns.c.data == value)
    # What the index holds in full is looked at there, and only the rest in its row. Two conditions,
    # for MariaDB looks at an index alone where one reads nothing else.
    in_full = _in_full(columns)
    return sa.and_(
        sa.or_(sa.not_(in_full), match(columns.c.data_key, value)),
        sa.or_(in_full, match(columns.c.data, value)),
        *_data_range(columns, value),
    )


def match_data_apart(value: str, columns: sa.FromClause) -> tuple[Condition, Condition]:
    """An open match_data as two conditions, of which every row meets one at most: the first one reads
    the index alone."""
    in_full = _in_full(columns)
    within = _data_range(columns, value)
    return (
        sa.and_(in_full, match(columns.c.data_key, value), *within),
        sa.and_(sa.not_(in_full), match(columns.c.data, value), *within),
    )


def _in_full(columns: sa.FromClause) -> Condition:
    return sa.func.length(columns.c.data_key) < DATA_KEY_LENGTH


def _data_range(columns: sa.FromClause, value: str) -> tuple[Condition, ...]:
    prefix = value[: min(value.index(mark) for mark in WILDCARDS if mark in value)]
    return _prefix_range(columns.c.data_key, prefix[:DATA_KEY_LENGTH])


def integer(column: sa.ColumnElement[Any], value: str) -> int | None:
    """A filter value for an integer column; None when nothing in it can equal it."""
    try:
        number = int(value)
    except ValueError:
        return None
    bits = 63 if isinstance(column.type, sa.BigInteger) else 31
    return number if -(2**bits) <= number < 2**bits else None


def unhelpful(condition: Condition, dialect: str) -> Condition:
    """The same, as one by whose index SQLite, which keeps no statistics, would not begin."""
    if dialect != "sqlite" or not isinstance(condition, sa.BinaryExpression):
        return condition
    return sa.func.coalesce(condition.left, sa.null()) == condition.right


@cache
def _index_of(table: sa.Table, *columns: str) -> str | None:
    for index in table.indexes:
        if columns and tuple(index.columns.keys())[: len(columns)] == columns:
            return str(index.name)
    return None


def by_index(statement: sa.Select[Any], table: sa.Table, *columns: str) -> sa.Select[Any]:
    """The same, for MariaDB by the index that begins with these columns, where there is one. Left to
    itself it walks downwards from a list's end and not from the marker, and reads rows where it could
    look at an index."""
    index = _index_of(table, *columns)
    return statement.with_hint(table, f"FORCE INDEX ({index})", "mysql") if index else statement


def match_integer(column: sa.ColumnElement[Any], value: str) -> Condition:
    if is_open(value):
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
    """The statement with order, marker and limit; ties broken by id, null first.

    visible: which rows of the table the caller may know of; others are no markers, for a list must
    not tell that they exist. few: the filters leave few rows, so that walking the index of the
    order would be the long way.
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
            # What is left has no value. MariaDB would sort it.
            keys = (table.c.id,)
    order: list[sa.UnaryExpression[Any]] = []
    for key in keys:
        # SQLite keeps no statistics, MariaDB's misjudge small tables; both would walk the order's index.
        # An expression has none.
        apart = few and dialect != "postgresql"
        sorting = sa.func.coalesce(key, sa.null()) if apart else key
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
    """The marker's value of the column, and its id."""
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
    """The rows behind the marker's row. Written so that an index on (column, id) gives the range."""
    value, row_id = marked
    further_id: Condition = table.c.id < row_id if descending else table.c.id > row_id
    if column is table.c.id:
        return further_id
    if dialect in ROW_VALUES and not (descending and column.nullable):
        here = sa.tuple_(sa.literal(value, column.type), sa.literal(row_id, table.c.id.type))
        place = sa.tuple_(column, table.c.id)
        if value is not None:
            return place < here if descending else place > here
    if value is None:
        same_null = sa.and_(column.is_(None), further_id)
        return same_null if descending else sa.or_(column.is_not(None), same_null)
    if dialect == "mysql":
        # It makes ranges of whole alternatives; many rows may have the marker's value.
        further = column < value if descending else column > value
        beyond: Condition = sa.or_(further, sa.and_(column == value, further_id))
        return sa.or_(beyond, column.is_(None)) if descending and column.nullable else beyond
    if descending:
        behind: Condition = sa.and_(column <= value, sa.or_(column < value, further_id))
        return sa.or_(behind, column.is_(None)) if column.nullable else behind
    return sa.and_(column >= value, sa.or_(column > value, further_id))
