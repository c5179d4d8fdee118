"""Top-level domains: their rows, and which zone names they allow."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from designate.model.tlds import Tld
from designate.storage.sqlalchemy.db.rows import DATES, Rows
from designate.storage.sqlalchemy.tables import tlds

TLDS = Rows(Tld, tlds, "tld", sort_keys=(*DATES, "name"), filters=("name",))

_CHECK_NAME = sa.select(
    sa.exists().where(tlds.c.id.is_not(None)),
    sa.exists().where(tlds.c.name_key.in_(sa.bindparam("suffixes", expanding=True))),
    sa.exists().where(tlds.c.name_key == sa.bindparam("name")),
)


def check_name(connection: sa.Connection, name: str, suffixes: Sequence[str]) -> tuple[bool, bool]:
    """Return whether a zone may have a name, and whether the name is a TLD itself.

    Every name is allowed while there is no TLD at all.

    Args:
        connection: A connection that reads.
        name: The zone's lower-case name without its trailing dot.
        suffixes: The names above it.
    """
    values = {"suffixes": list(suffixes) or [""], "name": name}
    any_tld, below_tld, is_tld = connection.execute(_CHECK_NAME, values).one()
    return not any_tld or bool(below_tld) or bool(is_tld), bool(is_tld)
