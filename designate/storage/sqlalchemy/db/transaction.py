"""Write transactions: their statements, what a batch of them defers, and what follows the commit."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.group_commit import DeferredWrites
from designate.storage.sqlalchemy.db.json_rows import JsonRow

T = TypeVar("T")
Select = TypeVar("Select", sa.Select[Any], JsonRow)
AfterCommit = list[Callable[[], object]]


class Transaction:
    """A connection inside a write transaction.

    The writes of a batch share what they defer (`defer`) and what they have read (`cache`, `cached`).
    `execute` and `connection` flush it first, `execute_unflushed` does not.

    Attributes:
        after_commit: Calls to make in order once the transaction is durable, and never when it is
            rolled back. They must neither raise nor block.
    """

    def __init__(self, connection: sa.Connection, deferred: DeferredWrites | None = None) -> None:
        self._connection = connection
        self._deferred = deferred
        self.after_commit: AfterCommit = []

    @property
    def connection(self) -> sa.Connection:
        """The connection, after a flush."""
        self.flush()
        return self._connection

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """Execute a statement after a flush."""
        return self.connection.execute(statement, parameters)

    def execute_unflushed(
        self, statement: sa.Executable, parameters: Any = None
    ) -> sa.CursorResult[Any]:
        """Execute a statement that neither depends on deferred writes nor conflicts with them."""
        return self._connection.execute(statement, parameters)

    def defer(self, key: Hashable, write: Callable[[list[T]], None], item: T) -> None:
        """Call write([item]) now or, in a batch, at the next flush with the items of all its writes.

        Args:
            key: Items of the same key are written by one call.
            write: Writes a list of items.
            item: What this transaction has to write.
        """
        if self._deferred is None:
            write([item])
        else:
            self._deferred.add(key, write, item)

    def flush(self) -> None:
        """Execute the deferred writes."""
        if self._deferred is not None:
            self._deferred.flush()

    def cache(self, key: Hashable, value: object) -> None:
        """Keep a value for the writes that follow in the batch, until the next flush."""
        if self._deferred is not None:
            self._deferred.cache(key, value)

    def cached(self, key: Hashable) -> Any:
        """Return the cached value; None: there is none."""
        return None if self._deferred is None else self._deferred.cached(key)

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the kind of database."""
        return self._connection.dialect.name

    def lock(self, statement: Select, locking: Select | None = None) -> Select:
        """Return the select with row locks, except on SQLite, which locks the whole file.

        Args:
            statement: The select without locks.
            locking: The same select with its locks, where it was built beforehand.
        """
        if self.dialect == "sqlite":
            return statement
        return statement.with_for_update() if locking is None else locking
