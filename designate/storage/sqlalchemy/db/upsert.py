"""Insert a row or, where it exists, add to one of its columns, in each database's dialect."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite


@cache
def insert_or_add(dialect: str, table: sa.Table, name: str) -> sa.Insert:
    """Return an insert that adds the column's value to an existing row of the same primary key."""
    column = table.c[name]
    if dialect == "mysql":
        upsert = mysql.insert(table)
        return upsert.on_duplicate_key_update({name: column + upsert.inserted[name]})
    key = list(table.primary_key)
    if dialect == "postgresql":
        insert = postgresql.insert(table)
        return insert.on_conflict_do_update(
            index_elements=key, set_={name: column + insert.excluded[name]}
        )
    lite = sqlite.insert(table)
    return lite.on_conflict_do_update(index_elements=key, set_={name: column + lite.excluded[name]})
