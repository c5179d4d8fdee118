"""Times of the newest events of cloud resources, because events do not always arrive in order."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from designate.model.recordsets import Managed
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import resource_events

# An event that arrives longer than this after a newer one is treated as new.
EVENT_RETENTION = timedelta(days=2)
PRUNE_BATCH = 100


def record_event(tx: Transaction, zone_id: str, resource: Managed, at: datetime) -> bool:
    """Store the time of an event unless a newer one of the resource is stored for the zone.

    The zone must be locked.

    Returns:
        Whether the event is the newest of its resource and plug-in in the zone.
    """
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
    """Delete some of the zone's event times that are past retention. The zone must be locked."""
    keys = [column for column in resource_events.primary_key if column.name != "zone_id"]
    old = (
        sa.select(*keys)
        .where(
            resource_events.c.zone_id == zone_id,
            resource_events.c.happened_at < now - EVENT_RETENTION,
        )
        .limit(PRUNE_BATCH)
    )
    for row in tx.execute(old).mappings().all():
        tx.execute(sa.delete(resource_events).where(_where({"zone_id": zone_id, **row})))


def _where(key: dict[str, str | None]) -> sa.ColumnElement[bool]:
    return sa.and_(*(resource_events.c[name] == value for name, value in key.items()))
