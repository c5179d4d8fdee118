"""When the newest event of each resource of the cloud happened: events do not always come in order."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from designate.model.recordsets import Managed
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.tables import resource_events

# Events that come later than this after a newer one are taken for new.
EVENT_RETENTION = timedelta(days=2)
FORGOTTEN_AT_ONCE = 100


def record_event(tx: Transaction, zone_id: str, resource: Managed, at: datetime) -> bool:
    """Whether no newer event of the resource was noted for the zone by its plug-in; then this one is
    noted. The zone is locked by the caller."""
    key = {
        "zone_id": zone_id,
        "plugin_name": resource.plugin_name,
        "resource_type": resource.resource_type,
        "resource_id": resource.resource_id,
    }
    this = _where(key)
    last = tx.execute(sa.select(resource_events.c.happened_at).where(this)).scalar()
    if last is not None and last > at:
        return False
    if last is None:
        tx.execute(sa.insert(resource_events).values(**key, happened_at=at))
    else:
        tx.execute(sa.update(resource_events).where(this).values(happened_at=at))
    return True


def prune_events(tx: Transaction, zone_id: str, now: datetime) -> None:
    """Drop some of what was noted for the zone long ago. The zone is locked by the caller."""
    keys = [column for column in resource_events.primary_key if column.name != "zone_id"]
    old = (
        sa.select(*keys)
        .where(
            resource_events.c.zone_id == zone_id,
            resource_events.c.happened_at < now - EVENT_RETENTION,
        )
        .limit(FORGOTTEN_AT_ONCE)
    )
    for row in tx.execute(old).mappings().all():
        tx.execute(sa.delete(resource_events).where(_where({"zone_id": zone_id, **row})))


def _where(key: dict[str, str | None]) -> sa.ColumnElement[bool]:
    return sa.and_(*(resource_events.c[name] == value for name, value in key.items()))
