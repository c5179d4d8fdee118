"""Counts of recordsets.

Totals in the rows of zones are used where possible. Where two numbers add up to a known total, the smaller
one is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from designate.model.zones import Status
from designate.storage.sqlalchemy import shared_zone_counts
from designate.storage.sqlalchemy.listing import pagination
from designate.storage.sqlalchemy.listing.pagination import Condition
from designate.storage.sqlalchemy.listing.recordset_filters import (
    IN_LIVE_ZONE,
    PENDING,
    PENDING_ZONES,
    RecordSetSearch,
    pending_in,
)
from designate.storage.sqlalchemy.recordset_rows import joined
from designate.storage.sqlalchemy.tables import LIVE, recordsets, zones

COUNT: sa.Select[Any] = sa.select(sa.func.count()).select_from(recordsets)


def total(connection: sa.Connection, search: RecordSetSearch) -> int:
    """Return the number of matches, without a statement where the zone's row has it."""
    filters = search.query.filters
    if not filters:
        return _unfiltered(connection, search)
    if filters == {"status": Status.ACTIVE}:
        return _unfiltered(connection, search) - _pending(connection, search)
    value = _single_value(search)
    if value is not None:
        number = _count_by_index(connection, search, *value)
        if number is not None:
            return number
    if search.by_data_alone:
        several = search.ids_by_data().subquery()
        return _number(connection, sa.select(sa.func.count(several.c.recordset_id.distinct())))
    if search.zone is not None:
        return _number(connection, COUNT.where(*search.conditions()))
    return _number(connection, _count_across(search, connection.dialect.name))


def _unfiltered(connection: sa.Connection, search: RecordSetSearch) -> int:
    """Return the number of recordsets without filters."""
    if search.zone is not None:
        return search.recordset_count
    return _number(connection, shared_zone_counts.count_recordsets(search.scope))


def _pending(connection: sa.Connection, search: RecordSetSearch) -> int:
    """Return how many of them are not served yet."""
    if search.zone is None:
        visible = [
            pagination.without_index(each, connection.dialect.name) for each in search.visible
        ]
        behind = recordsets.c.zone_id.in_(PENDING_ZONES)
        return _number(connection, joined((sa.func.count(),), *visible, PENDING, behind))
    pending = pending_in(search.zone)
    return 0 if pending is None else _number(connection, COUNT.where(*search.visible, pending))


def _single_value(search: RecordSetSearch) -> tuple[sa.Column[Any], str | int] | None:
    """Return the only filter's column and value, where the filter is one value of an indexed column."""
    if len(search.query.filters) != 1:
        return None
    [(name, text)] = search.query.filters.items()
    if name not in ("type", "ttl") or pagination.has_wildcards(text):
        return None
    column = recordsets.c[name]
    value = text if name == "type" else pagination.integer(column, text)
    return None if value is None else (column, value)


def _count_by_index(
    connection: sa.Connection, search: RecordSetSearch, column: sa.Column[Any], value: str | int
) -> int | None:
    """Return how many recordsets have the value; None: neither they nor the others are few."""
    these = [sa.and_(*search.visible, column == value)]
    # Each is a range of the index; not every database finds the ranges of an OR.
    ranges = [column < value, column > value, *([column.is_(None)] if column.nullable else ())]
    others = [sa.and_(*search.visible, each) for each in ranges]
    few = pagination.FEW
    bounded_others = _bounded(others, few).subquery()
    [other_column] = bounded_others.c
    # Those that have the value are counted only where the others are not few.
    number_if_many = sa.case((other_column > few, _bounded(these, few).scalar_subquery()))
    other_count, number = connection.execute(sa.select(other_column, number_if_many)).one()
    if number is not None and number <= few:
        return int(number) - _in_deleted_zones(connection, search, these)
    all_count = _unfiltered(connection, search)
    if other_count > few and column is recordsets.c.type and search.zone is None:
        # Each zone has its SOA and NS.
        few = all_count // 4
        other_count = _number(connection, _bounded(others, few))
    return (
        None
        if other_count > few
        else all_count - int(other_count) + _in_deleted_zones(connection, search, others)
    )


def _in_deleted_zones(
    connection: sa.Connection, search: RecordSetSearch, conditions: Sequence[Condition]
) -> int:
    """Return how many of these belong to soft-deleted zones."""
    if search.zone is not None:
        return 0
    return _number(
        connection, sa.select(_sum_of(_count_in_deleted_zones(each) for each in conditions))
    )


def _count_across(search: RecordSetSearch, dialect: str) -> sa.Select[Any]:
    if "status" not in search.query.filters:
        return _count_in_live_zones(dialect, *search.conditions())
    exact = not pagination.has_wildcards(search.query.filters["status"])
    if not exact or set(search.query.filters) != {"status"}:
        return joined((sa.func.count(),), zones.c.deleted == LIVE, *search.conditions())
    visible = [pagination.without_index(each, dialect) for each in search.visible]
    return joined((sa.func.count(),), *visible, *search.status_conditions())


def _bounded(conditions: Sequence[Condition], limit: int) -> sa.Select[Any]:
    """Return a select of how many meet one of these exclusive conditions, exact up to the limit."""
    found = (sa.select(recordsets.c.id).where(each).limit(limit + 1) for each in conditions)
    return sa.select(
        _sum_of(sa.select(sa.func.count()).select_from(each.subquery()) for each in found)
    )


def _sum_of(numbers: Iterable[sa.Select[Any]]) -> sa.ColumnElement[int]:
    first, *more = (each.scalar_subquery() for each in numbers)
    return sum(more, first)


def _count_in_deleted_zones(*conditions: Condition) -> sa.Select[Any]:
    return joined((sa.func.count(),), zones.c.deleted > LIVE, *conditions)


def _count_in_live_zones(dialect: str, *conditions: Condition) -> sa.Select[Any]:
    if dialect != "mysql":
        return COUNT.where(IN_LIVE_ZONE, *conditions)
    # MariaDB would read each recordset's zone.
    count_all = COUNT.where(*conditions)
    return sa.select(
        count_all.scalar_subquery() - _count_in_deleted_zones(*conditions).scalar_subquery()
    )


def _number(connection: sa.Connection, statement: sa.Select[Any]) -> int:
    return int(connection.execute(statement).scalar_one())
