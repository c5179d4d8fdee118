"""Read each row as one JSON text where the driver parses every value in Python.

PyMySQL needs about a microsecond for each value of a row and two for each column of a result: a page of
a hundred recordsets took longer there than in the database. The database writes a row as one JSON array
instead, which Python's JSON reader, written in C, parses in a third of the time. BLOBs stay beside it.
Lists of ids come as one text. Other drivers do not need it.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any, cast

import sqlalchemy as sa

# Dialects whose driver is written in Python.
PYTHON_DRIVERS = ("mysql",)
Run = Callable[[sa.Executable, Any], sa.CursorResult[Any]]


def _document(value: Any) -> Any:
    """Decode a JSON column, which some releases write as a text and some as a part of the array."""
    return json.loads(value) if isinstance(value, str) else value


def _converter(column: sa.ColumnElement[Any]) -> Callable[[Any], Any] | None:
    """Return the function from JSON's value to the column's; None: they are the same."""
    if isinstance(column.type, sa.DateTime):
        return datetime.fromisoformat
    if isinstance(column.type, sa.JSON):
        return _document
    if isinstance(column.type, sa.Boolean):
        # MariaDB writes EXISTS as "0" and "1".
        return lambda value: bool(int(value))
    if isinstance(column.type, sa.Integer) and not isinstance(column, sa.Column):
        return int
    return None


class JsonRows:
    """The columns of a select, and its rows. Thread-safe."""

    def __init__(self, *columns: sa.ColumnElement[Any]) -> None:
        self._columns = columns
        values = [column for column in columns if not _is_blob(column)]
        blobs = [(place, column) for place, column in enumerate(columns) if _is_blob(column)]
        self._json_columns = (
            sa.func.json_array(*values, type_=sa.Text),
            *(column for _, column in blobs),
        )
        self._blobs = [place for place, _ in blobs]
        self._converted = [
            (place, convert)
            for place, column in enumerate(values)
            if (convert := _converter(column)) is not None
        ]
        # Members are the columns' names, as in a row of the driver's own.
        names = [cast(str, column.key) for column in columns]
        self._row = cast(Any, namedtuple("Row", names))._make

    def columns(self, dialect: str) -> tuple[sa.ColumnElement[Any], ...]:
        """Return the columns that the statement must select."""
        return self._json_columns if dialect in PYTHON_DRIVERS else self._columns

    def rows(self, found: sa.CursorResult[Any], dialect: str) -> list[Any]:
        """Return the rows of a statement that selects `columns`; values by column name or index."""
        if dialect not in PYTHON_DRIVERS:
            return list(found.all())
        whole = found.all()
        rows: list[list[Any]] = json.loads(f"[{','.join([row[0] for row in whole])}]")
        for row in rows:
            for place, convert in self._converted:
                if row[place] is not None:
                    row[place] = convert(row[place])
        for number, place in enumerate(self._blobs, start=1):
            for row, parts in zip(rows, whole, strict=True):
                row.insert(place, parts[number])
        return [self._row(row) for row in rows]


def read_ids(
    connection: sa.Connection, statement: sa.Select[Any] | sa.CompoundSelect[Any], limit: int
) -> list[str]:
    """Return the values of the statement's only column, ids, in its order; at most limit + 1."""
    bounded = statement.limit(limit + 1)
    if connection.dialect.name not in PYTHON_DRIVERS:
        return list(connection.execute(bounded).scalars())
    # MariaDB writes a derived table in the order of its select and reads it in that order.
    values = bounded.subquery()
    [value] = values.c
    joined = sa.func.group_concat(value, type_=sa.Text)
    number, text = connection.execute(sa.select(sa.func.count(), joined).select_from(values)).one()
    found = text.split(",") if number else []
    # A proxy may have lost this session's group_concat_max_len.
    return found if len(found) == number else list(connection.execute(bounded).scalars())


class JsonRow:
    """A select of at most one row that is built once and executed often. Thread-safe."""

    def __init__(self, select: sa.Select[Any]) -> None:
        self._select = select

    def where(self, *conditions: sa.ColumnElement[bool]) -> JsonRow:
        """Return the select with further conditions."""
        return JsonRow(self._select.where(*conditions))

    def with_for_update(self) -> JsonRow:
        """Return the select with a row lock."""
        return JsonRow(self._select.with_for_update())

    @cached_property
    def _json(self) -> tuple[JsonRows, sa.Select[Any]]:
        rows = JsonRows(*self._select.selected_columns)
        columns = rows.columns(PYTHON_DRIVERS[0])
        return rows, self._select.with_only_columns(*columns, maintain_column_froms=True)

    def first(self, run: Run, dialect: str, values: dict[str, Any]) -> Any:
        """Return the row, its values by column name; None: there is none."""
        if dialect not in PYTHON_DRIVERS:
            return run(self._select, values).first()
        json_rows, statement = self._json
        rows = json_rows.rows(run(statement, values), dialect)
        return rows[0] if rows else None


def _is_blob(column: sa.ColumnElement[Any]) -> bool:
    return isinstance(column.type, sa.LargeBinary)
