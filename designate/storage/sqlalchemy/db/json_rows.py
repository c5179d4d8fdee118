"""Rows read as one JSON text each where the driver takes every value apart in Python.

PyMySQL needs about a microsecond for each value of a row and two for each column of an answer: a page of
a hundred recordsets cost more there than in the database. The database writes a row as one JSON array
instead, which Python's JSON reader, made of C, takes apart in a third of the time. BLOBs stay beside it.
Many ids come as one text. Other drivers need no such help.
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
SLOW = ("mysql",)
Run = Callable[[sa.Executable, Any], sa.CursorResult[Any]]


def _document(value: Any) -> Any:
    """Some releases write a JSON column as a text, some as a part of the array."""
    return json.loads(value) if isinstance(value, str) else value


def _converter(column: sa.ColumnElement[Any]) -> Callable[[Any], Any] | None:
    """From what JSON has for it; None: nothing is to be done."""
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
    """Columns of a select. Thread-safe."""

    def __init__(self, *columns: sa.ColumnElement[Any]) -> None:
        self._columns = columns
        values = [column for column in columns if not _is_blob(column)]
        blobs = [(place, column) for place, column in enumerate(columns) if _is_blob(column)]
        self._packed = (
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
        """What the statement selects."""
        return self._packed if dialect in SLOW else self._columns

    def rows(self, found: sa.CursorResult[Any], dialect: str) -> list[Any]:
        """The rows of a statement that selects `columns`: values by their column's name or place."""
        if dialect not in SLOW:
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


def column(
    connection: sa.Connection, statement: sa.Select[Any] | sa.CompoundSelect[Any], most: int
) -> list[str]:
    """The values of the statement's only column, ids, in its order; `most` and one more at most."""
    bounded = statement.limit(most + 1)
    if connection.dialect.name not in SLOW:
        return list(connection.execute(bounded).scalars())
    # A derived table is written in the order of its select and read as it was written.
    values = bounded.subquery()
    [value] = values.c
    joined = sa.func.group_concat(value, type_=sa.Text)
    number, text = connection.execute(sa.select(sa.func.count(), joined).select_from(values)).one()
    found = text.split(",") if number else []
    # A proxy may have forgotten how long a text this connection wants.
    return found if len(found) == number else list(connection.execute(bounded).scalars())


class JsonRow:
    """A select made once, of one row at most. Thread-safe."""

    def __init__(self, select: sa.Select[Any]) -> None:
        self._select = select

    def where(self, *conditions: sa.ColumnElement[bool]) -> JsonRow:
        return JsonRow(self._select.where(*conditions))

    def with_for_update(self) -> JsonRow:
        return JsonRow(self._select.with_for_update())

    @cached_property
    def _packed(self) -> tuple[JsonRows, sa.Select[Any]]:
        packed = JsonRows(*self._select.selected_columns)
        columns = packed.columns(SLOW[0])
        return packed, self._select.with_only_columns(*columns, maintain_column_froms=True)

    def first(self, run: Run, dialect: str, values: dict[str, Any]) -> Any:
        """The row, its values by their column's name; None without one."""
        if dialect not in SLOW:
            return run(self._select, values).first()
        packed, statement = self._packed
        rows = packed.rows(run(statement, values), dialect)
        return rows[0] if rows else None


def _is_blob(column: sa.ColumnElement[Any]) -> bool:
    return isinstance(column.type, sa.LargeBinary)
