"""Rows that are made at their first use, each database in its own words."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite


@cache
def adding(dialect: str, table: sa.Table, name: str) -> sa.Insert:
    """Inserts a row, or adds the column's value to that of the row that has its primary key."""
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
