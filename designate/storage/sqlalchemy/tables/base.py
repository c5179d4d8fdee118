"""What all tables share: the metadata with its naming convention, and common columns."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.types import text

ID = text(36)
NAME = text(255)
# The value of zones.deleted for zones that are not soft-deleted.
LIVE = "0"
DATA_KEY_LENGTH = 128

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
