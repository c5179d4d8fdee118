"""Column types that mean the same on every database, for tables and migrations.

Texts are compared and sorted by code point everywhere, as SQLite does by default: MySQL's usual collations
ignore case and accents, and PostgreSQL's sort by the rules of a language, so that neither the uniqueness
of names nor the range of a prefix would hold. These types must not change: migrations that have run used
them.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

MYSQL = ("mysql", "mariadb")
CHARSET = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}
# Table options for these texts.
TABLE: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def text(length: int) -> sa.String:
    """Return the type of texts of at most so many characters."""
    return (
        sa.String(length)
        .with_variant(mysql.VARCHAR(length, **CHARSET), *MYSQL)
        .with_variant(postgresql.VARCHAR(length, collation="C"), "postgresql")
    )


# Texts of any length.
TEXT = (
    sa.Text()
    .with_variant(mysql.LONGTEXT(**CHARSET), *MYSQL)
    .with_variant(postgresql.TEXT(collation="C"), "postgresql")
)
# Naive UTC, to the microsecond.
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), *MYSQL)
BLOB = sa.LargeBinary().with_variant(mysql.LONGBLOB(), *MYSQL)
