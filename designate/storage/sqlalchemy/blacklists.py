"""Blacklists: patterns of names that zones may not have."""

from __future__ import annotations

import sqlalchemy as sa

from designate.model.blacklists import Blacklist
from designate.storage.sqlalchemy.db.rows import DATES, Rows
from designate.storage.sqlalchemy.tables import blacklists

BLACKLISTS = Rows(
    Blacklist, blacklists, "blacklist", sort_keys=(*DATES, "pattern"), filters=("pattern",)
)

_PATTERNS = sa.select(blacklists.c.pattern)


def patterns(connection: sa.Connection) -> list[str]:
    """Return the patterns of all blacklists."""
    return list(connection.execute(_PATTERNS).scalars())
