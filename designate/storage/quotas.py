"""Quota overrides of projects."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.tables import quotas

OVERRIDES = sa.select(quotas.c.resource, quotas.c.hard_limit).where(
    quotas.c.project_id == sa.bindparam("project_id")
)


def overrides(connection: sa.Connection, project_id: str) -> dict[str, int]:
    """Resource to hard limit, for what the project's quotas differ in."""
    rows = connection.execute(OVERRIDES, {"project_id": project_id})
    return {row.resource: row.hard_limit for row in rows}
