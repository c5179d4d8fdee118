"""The id of the default pool, which the first migration makes with SCHEMA_ID."""

from __future__ import annotations

import logging
import uuid

import sqlalchemy as sa

from designate import errors
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import moved_zones, pools, tsigkeys, zones

LOG = logging.getLogger(__name__)

SCHEMA_ID = "794ccc2c-d751-44fe-b57f-8894c9f5c842"


def configure_id(url: str, pool_id: str) -> None:
    """Give the pool of the first migration another id, as [service:central] default_pool_id is.

    Deployment tools generate that id and expect the schema to have it. Once the pool is in use (it has
    targets, zones or TSIG keys) or another pool has the id, nothing is changed.

    Raises:
        ConfigurationError: The id is no UUID.
    """
    try:
        uuid.UUID(pool_id)
    except ValueError:
        raise errors.ConfigurationError(
            f"[service:central] default_pool_id is not a UUID: {pool_id}"
        ) from None
    if pool_id == SCHEMA_ID:
        return
    database = Database(url)
    try:
        if database.write(lambda tx: _configure(tx, pool_id)):
            LOG.info("pool default: id is %s, as [service:central] default_pool_id", pool_id)
    finally:
        database.close()


def _configure(tx: Transaction, pool_id: str) -> bool:
    connection = tx.connection
    current = connection.execute(
        sa.select(pools.c.id, pools.c.targets)
        .where(pools.c.id.in_((SCHEMA_ID, pool_id)))
        .with_for_update()
    ).all()
    if [row.id for row in current] != [SCHEMA_ID] or current[0].targets:
        return False
    for column in (zones.c.pool_id, moved_zones.c.pool_id, tsigkeys.c.resource_id):
        if connection.execute(sa.select(column).where(column == SCHEMA_ID).limit(1)).first():
            LOG.warning(
                "pool default keeps its id %s, although [service:central] default_pool_id is %s: "
                "the pool is in use",
                SCHEMA_ID,
                pool_id,
            )
            return False
    tx.execute(sa.update(pools).where(pools.c.id == SCHEMA_ID).values(id=pool_id))
    return True
