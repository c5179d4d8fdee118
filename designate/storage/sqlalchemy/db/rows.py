"""Generic reads, lists and writes for tables whose rows are instances of one dataclass.

Each member of the dataclass is a column of its name. Names that are compared ignoring case have a second
column `<name>_key` beside them.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from oslo_db import exception as db_errors

from designate import errors
from designate.model import codec
from designate.model.query import Page, Query
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.listing import pagination as queries
from designate.storage.sqlalchemy.listing.pagination import Condition

T = TypeVar("T")
DATES = ("created_at", "id", "updated_at")


class Rows(Generic[T]):
    """The rows of one table."""

    def __init__(
        self,
        cls: type[T],
        table: sa.Table,
        kind: str,
        *,
        sort_keys: Sequence[str] = DATES,
        filters: Sequence[str] = (),
        select: sa.Select[Any] | None = None,
    ) -> None:
        """Describe the rows.

        Args:
            cls: Their dataclass.
            table: Their table.
            kind: What errors call them, see errors.KINDS.
            sort_keys: What clients may sort lists by.
            filters: What clients may filter lists by.
            select: The select of a row, where other tables hold some of its members.
        """
        self.table = table
        self._kind = kind
        self._make = cls
        self._filters = filters
        self._sort_columns = {key: _key_column(table, key) for key in sort_keys}
        hints = typing.get_type_hints(cls)
        fields = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]  # T is one
        self._select = sa.select(table) if select is None else select
        self._members = [name for name in self._select.selected_columns.keys() if name in fields]  # noqa: SIM118
        self._columns = [name for name in fields if name in table.c]
        self._decoders: dict[str, Callable[[Any], Any]] = {
            name: codec.decoder(hints[name])
            for name in self._members
            if hints[name] not in (datetime, datetime | None)
        }
        self._by_id = self._select.where(table.c.id == sa.bindparam("id"))
        self._by_id_locked = self._by_id.with_for_update(of=table)

    def value(self, row: sa.Row[Any]) -> T:
        """Return the instance for a row of the select."""
        members = {}
        for name in self._members:
            item = getattr(row, name)
            decode = self._decoders.get(name)
            members[name] = item if decode is None or item is None else decode(item)
        return self._make(**members)

    def get(self, connection: sa.Connection, id: str, *conditions: Condition) -> T:
        """Return the row of this id; raise NotFound when there is none that meets the conditions."""
        row = connection.execute(self._by_id.where(*conditions), {"id": id}).first()
        if row is None:
            raise errors.NotFound(self._kind)
        return self.value(row)

    def lock(self, tx: Transaction, id: str, *conditions: Condition) -> T:
        """Return the row as get does, locked until the transaction ends."""
        statement = tx.lock(self._by_id, self._by_id_locked).where(*conditions)
        row = tx.execute(statement, {"id": id}).first()
        if row is None:
            raise errors.NotFound(self._kind)
        return self.value(row)

    def first(self, connection: sa.Connection, *conditions: Condition) -> T | None:
        """Return a row that meets the conditions; None: there is none."""
        row = connection.execute(self._select.where(*conditions).limit(1)).first()
        return None if row is None else self.value(row)

    def find(
        self,
        connection: sa.Connection,
        query: Query,
        *conditions: Condition,
        limit: int,
        count: bool = False,
    ) -> Page[T]:
        """Return one page in at most three statements; conditions: which rows the client may see."""
        base = self._select.where(*conditions, *self._filtered(query))
        statement = queries.page(
            connection,
            base,
            query,
            table=self.table,
            sort_columns=self._sort_columns,
            limit=limit,
            visible=conditions,
        )
        items = tuple(self.value(row) for row in connection.execute(statement))
        total: int | None = None
        if count:
            counting = base.with_only_columns(sa.func.count(), maintain_column_froms=True)
            total = int(connection.execute(counting).scalar_one())
        return Page(items=items, total_count=total)

    def _filtered(self, query: Query) -> list[Condition]:
        conditions: list[Condition] = []
        for name, text in query.filters.items():
            if name not in self._filters:
                raise errors.BadRequest(f"Invalid filters {name}")
            column = _key_column(self.table, name)
            value = text.lower() if column.name.endswith("_key") else text
            conditions.append(queries.match(column, value))
        return conditions

    def insert(self, tx: Transaction, value: T, **more: Any) -> None:
        """Insert a row; more: columns that are not members.

        Raises:
            Duplicate: A unique constraint refused it.
        """
        values = {name: _plain(getattr(value, name)) for name in self._columns}
        with self._duplicates():
            tx.execute(sa.insert(self.table), _with_keys(self.table, {**values, **more}))

    def update(self, tx: Transaction, id: str, **columns: Any) -> None:
        """Set columns of a row, and add one to its version if it has one.

        Raises:
            Duplicate: A unique constraint refused it.
        """
        values = {name: _plain(value) for name, value in columns.items()}
        changed: dict[str, Any] = _with_keys(self.table, values)
        if "version" in self.table.c:
            changed["version"] = self.table.c.version + 1
        with self._duplicates():
            tx.execute(sa.update(self.table).where(self.table.c.id == id).values(changed))

    def delete(self, tx: Transaction, id: str) -> None:
        """Delete the row."""
        tx.execute(sa.delete(self.table).where(self.table.c.id == id))

    def _duplicates(self) -> _Duplicates:
        return _Duplicates(self._kind)


class _Duplicates:
    """Raises the database's duplicate errors as Duplicate of the kind."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, db_errors.DBDuplicateEntry):
            raise errors.Duplicate(self._kind) from None


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value


def _key_column(table: sa.Table, name: str) -> sa.Column[Any]:
    column: sa.Column[Any] = table.c[f"{name}_key" if f"{name}_key" in table.c else name]
    return column


def _with_keys(table: sa.Table, values: Mapping[str, Any]) -> dict[str, Any]:
    keys = {
        f"{name}_key": value.lower()
        for name, value in values.items()
        if isinstance(value, str) and f"{name}_key" in table.c
    }
    return {**values, **keys}
