"""Quota overrides of projects."""

from __future__ import annotations

import sqlalchemy as sa

from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import quotas

OVERRIDES = sa.select(quotas.c.resource, quotas.c.hard_limit).where(
    quotas.c.project_id == sa.bindparam("project_id")
)


def overrides(connection: sa.Connection, project_id: str) -> dict[str, int]:
    """Return the project's own hard limits by resource."""
    rows = connection.execute(OVERRIDES, {"project_id": project_id})
    return {row.resource: row.hard_limit for row in rows}


def set_limits(tx: Transaction, project_id: str, limits: dict[str, int]) -> None:
    """Store these limits of the project and leave its others as they are."""
    if not limits:
        return
    tx.execute(
        sa.delete(quotas).where(
            quotas.c.project_id == project_id, quotas.c.resource.in_(list(limits))
        )
    )
    rows = [
        {"project_id": project_id, "resource": name, "hard_limit": limit}
        for name, limit in limits.items()
    ]
    tx.execute(sa.insert(quotas), rows)


def reset(tx: Transaction, project_id: str) -> None:
    """Delete the project's own limits."""
    tx.execute(sa.delete(quotas).where(quotas.c.project_id == project_id))
