"""How many recordsets a list has.

What the rows of zones tell is not counted; of two numbers that add up to a known one the smaller is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from designate.model.zones import Status
from designate.storage.sqlalchemy import shared_zone_counts
from designate.storage.sqlalchemy.listing import pagination as queries
from designate.storage.sqlalchemy.listing.pagination import Condition
from designate.storage.sqlalchemy.listing.recordset_filters import (
    IN_LIVE_ZONE,
    WAITING_ZONES,
    WAITS,
    Wanted,
    waits_in,
)
from designate.storage.sqlalchemy.recordsets import joined
from designate.storage.sqlalchemy.tables import LIVE, recordsets, zones

COUNT: sa.Select[Any] = sa.select(sa.func.count()).select_from(recordsets)


def total(connection: sa.Connection, wanted: Wanted) -> int:
    """How many there are. Where the zone's row says it, no statement is needed."""
    filters = wanted.query.filters
    if not filters:
        return _held(connection, wanted)
    if filters == {"status": Status.ACTIVE}:
        return _held(connection, wanted) - _waiting(connection, wanted)
    value = _value(wanted)
    if value is not None:
        number = _by_index(connection, wanted, *value)
        if number is not None:
            return number
    if wanted.by_data_alone:
        several = wanted.holders().subquery()
        return _number(connection, sa.select(sa.func.count(several.c.recordset_id.distinct())))
    if wanted.zone is not None:
        return _number(connection, COUNT.where(*wanted.conditions()))
    return _number(connection, _count_across(wanted, connection.dialect.name))


def _held(connection: sa.Connection, wanted: Wanted) -> int:
    """How many there are without filters."""
    if wanted.zone is not None:
        return wanted.held
    return _number(connection, shared_zone_counts.count_recordsets(wanted.scope))


def _waiting(connection: sa.Connection, wanted: Wanted) -> int:
    """How many of those are not served yet."""
    if wanted.zone is None:
        visible = [queries.unhelpful(each, connection.dialect.name) for each in wanted.visible]
        behind = recordsets.c.zone_id.in_(WAITING_ZONES)
        return _number(connection, joined((sa.func.count(),), *visible, WAITS, behind))
    waits = waits_in(wanted.zone)
    return 0 if waits is None else _number(connection, COUNT.where(*wanted.visible, waits))


def _value(wanted: Wanted) -> tuple[sa.Column[Any], str | int] | None:
    """The only filter, where it asks for one value of a column that has an index."""
    if len(wanted.query.filters) != 1:
        return None
    [(name, text)] = wanted.query.filters.items()
    if name not in ("type", "ttl") or queries.is_open(text):
        return None
    column = recordsets.c[name]
    value = text if name == "type" else queries.integer(column, text)
    return None if value is None else (column, value)


def _by_index(
    connection: sa.Connection, wanted: Wanted, column: sa.Column[Any], value: str | int
) -> int | None:
    """How many have the value: they, or all others, are most often few. None: neither are."""
    these = [sa.and_(*wanted.visible, column == value)]
    # Each is a range of the index, which not every database finds in an OR.
    ranges = [column < value, column > value, *([column.is_(None)] if column.nullable else ())]
    others = [sa.and_(*wanted.visible, each) for each in ranges]
    few = queries.FEW
    others_first = _bounded(others, few).subquery()
    [left_of_all] = others_first.c
    # Those that have the value are looked at only where the others are more than a few.
    number_if_many = sa.case((left_of_all > few, _bounded(these, few).scalar_subquery()))
    left, number = connection.execute(sa.select(left_of_all, number_if_many)).one()
    if number is not None and number <= few:
        return int(number) - _gone(connection, wanted, these)
    held = _held(connection, wanted)
    if left > few and column is recordsets.c.type and wanted.zone is None:
        # Each zone has its SOA and NS.
        few = held // 4
        left = _number(connection, _bounded(others, few))
    return None if left > few else held - int(left) + _gone(connection, wanted, others)


def _gone(connection: sa.Connection, wanted: Wanted, conditions: Sequence[Condition]) -> int:
    """How many of these are left of deleted zones."""
    if wanted.zone is not None:
        return 0
    return _number(connection, sa.select(_added(_left_behind(each) for each in conditions)))


def _count_across(wanted: Wanted, dialect: str) -> sa.Select[Any]:
    if "status" not in wanted.query.filters:
        return _count_in_live_zones(dialect, *wanted.conditions())
    if set(wanted.query.filters) != {"status"}:
        return joined((sa.func.count(),), zones.c.deleted == LIVE, *wanted.conditions())
    visible = [queries.unhelpful(each, dialect) for each in wanted.visible]
    return joined((sa.func.count(),), *visible, *wanted.by_status())


def _bounded(conditions: Sequence[Condition], most: int) -> sa.Select[Any]:
    """How many meet one of these, which exclude each other; beyond `most` a number above it."""
    found = (sa.select(recordsets.c.id).where(each).limit(most + 1) for each in conditions)
    return sa.select(
        _added(sa.select(sa.func.count()).select_from(each.subquery()) for each in found)
    )


def _added(numbers: Iterable[sa.Select[Any]]) -> sa.ColumnElement[int]:
    first, *more = (each.scalar_subquery() for each in numbers)
    return sum(more, first)


def _left_behind(*conditions: Condition) -> sa.Select[Any]:
    return joined((sa.func.count(),), zones.c.deleted > LIVE, *conditions)


def _count_in_live_zones(dialect: str, *conditions: Condition) -> sa.Select[Any]:
    if dialect != "mysql":
        return COUNT.where(IN_LIVE_ZONE, *conditions)
    # MariaDB would look up each recordset's zone.
    every = COUNT.where(*conditions)
    return sa.select(every.scalar_subquery() - _left_behind(*conditions).scalar_subquery())


def _number(connection: sa.Connection, statement: sa.Select[Any]) -> int:
    return int(connection.execute(statement).scalar_one())
