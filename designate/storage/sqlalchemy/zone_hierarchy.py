"""Zones above and below each other: their projects and their parents.

A zone's parent is the nearest zone above it in its pool. Every read here is a range or a few points of
an index, regardless of how many names are below a name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from designate.model.zones import Zone, ZoneId
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.tables import LIVE, zones
from designate.storage.sqlalchemy.zone_rows import API_COLUMNS, from_row

# Names or ids in one statement.
MAX_VALUES = 500
_NAMES: sa.BindParameter[list[str]] = sa.bindparam("names", expanding=True)
_FIRST: sa.BindParameter[str] = sa.bindparam("first")
_END: sa.BindParameter[str] = sa.bindparam("end")
_OWNER: sa.BindParameter[str] = sa.bindparam("project_id")
_BELOW = (
    zones.c.deleted == LIVE,
    zones.c.reverse_key > _FIRST,
    zones.c.reverse_key < _END,
)
_AT_OR_ABOVE: sa.Select[Any] = sa.select(*API_COLUMNS, sa.false().label("shared")).where(
    zones.c.deleted == LIVE, zones.c.name_key.in_(_NAMES)
)
_FOREIGN = (
    sa.select(zones.c.id)
    .where(*_BELOW, sa.or_(zones.c.project_id.is_(None), zones.c.project_id != _OWNER))
    .limit(1)
)
_CHILDREN = sa.select(zones.c.id, zones.c.parent_zone_id).where(
    *_BELOW, zones.c.pool_id == sa.bindparam("pool_id")
)


def find_at_or_above(connection: sa.Connection, name: str) -> list[Zone]:
    """Return live zones of any project and pool with this name or above it, nearest first."""
    labels = name.lower().rstrip(".").split(".")
    upwards = [".".join(labels[n:]) + "." for n in range(len(labels))]
    rows = connection.execute(_AT_OR_ABOVE, {"names": upwards})
    return sorted(map(from_row, rows), key=lambda zone: -len(zone.name))


def _below(name: str) -> dict[str, str]:
    """Return the parameters of _BELOW for the zones below a name, itself excluded."""
    first = name.lower()[::-1] + "."
    # The slash is the character after the dot and ends the range.
    return {"first": first, "end": first[:-1] + "/"}


def has_foreign_zone_below(connection: sa.Connection, name: str, project_id: str) -> bool:
    """Return whether another project owns a zone below the name, in any pool."""
    values = {**_below(name), "project_id": project_id}
    return connection.execute(_FOREIGN, values).first() is not None


def existing_zone_names(
    connection: sa.Connection, zone_name: str, names: Collection[str]
) -> set[str]:
    """Return which of these lower-case names below a zone's name are names of live zones."""
    any_below = sa.select(zones.c.id).where(*_BELOW).limit(1)
    if connection.execute(any_below, _below(zone_name)).first() is None:
        return set()
    found: set[str] = set()
    ordered = sorted(names)
    for start in range(0, len(ordered), MAX_VALUES):
        statement = sa.select(zones.c.name_key).where(
            zones.c.deleted == LIVE, zones.c.name_key.in_(ordered[start : start + MAX_VALUES])
        )
        found.update(connection.execute(statement).scalars())
    return found


def reparent_below(tx: Transaction, zone: Zone) -> None:
    """Make the zone the parent of the zones below it in its pool that have no nearer one."""
    rows = tx.execute(_CHILDREN, {**_below(zone.name), "pool_id": zone.pool_id}).all()
    below = {row.id for row in rows}
    _set_parent(tx, [row.id for row in rows if row.parent_zone_id not in below], zone.id)


def reparent_to_grandparent(tx: Transaction, zone: Zone) -> None:
    """Make the zone's own parent the parent of its children."""
    children = sa.select(zones.c.id).where(zones.c.parent_zone_id == zone.id)
    _set_parent(tx, tx.execute(children).scalars().all(), zone.parent_zone_id)


def _set_parent(tx: Transaction, ids: Sequence[str], parent_id: ZoneId | None) -> None:
    for start in range(0, len(ids), MAX_VALUES):
        tx.execute(
            sa.update(zones)
            .where(zones.c.id.in_(ids[start : start + MAX_VALUES]))
            .values(parent_zone_id=parent_id)
        )
