"""Lists of recordsets: of a zone, and of what a project made in all zones.

The long way is walked as seldom as the database allows: what is known of the zone's last list is not looked
for again, a page that is not full counts itself, and what a filter leaves is counted before it is sorted.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from designate.model.query import Page, Query
from designate.model.recordsets import RecordSet
from designate.model.zones import Zone
from designate.storage.sqlalchemy.db import json_rows
from designate.storage.sqlalchemy.listing import pagination as queries
from designate.storage.sqlalchemy.listing import recordset_counts
from designate.storage.sqlalchemy.listing.pagination import Condition, Scope
from designate.storage.sqlalchemy.listing.recordset_filters import (
    APART,
    SERVED,
    SORT_COLUMNS,
    Wanted,
)
from designate.storage.sqlalchemy.listing.result_cache import CachedResult, Ordered, ResultCache
from designate.storage.sqlalchemy.recordsets import Around, values
from designate.storage.sqlalchemy.tables import recordsets


def list_in_zone(
    connection: sa.Connection,
    query: Query,
    zone: Zone,
    held: int,
    answers: ResultCache,
    *,
    limit: int,
    count: bool,
) -> Page[RecordSet]:
    """One page of a live zone's recordsets. Their managed_by is not read.

    zone, held: the zone and how many recordsets it has, as this connection has just read it. answers:
    what was found before. count: whether total_count is wanted. At most six statements, whatever is found.
    """
    wanted = Wanted(query, zone, (recordsets.c.zone_id == zone.id,), held)
    if not wanted.is_searched(count):
        return _page(connection, wanted, None, limit, count)
    known = answers.get(zone, query)
    answer = known
    if answer is None:
        answer = _search(connection, wanted, count, answers.most_ordered)
    elif answer.slow and answer.ordered is None and "data" not in query.filters:
        answer = _in_order(connection, wanted, answers.most_ordered) or answer
    page = None if answer is None else _cut(connection, wanted, answer, limit)
    if page is None:
        began = time.perf_counter()
        page = _page(connection, wanted, answer, limit, count)
        if answer is not None and time.perf_counter() - began > answers.long_s:
            answer = replace(answer, slow=True)
    if answer is not None and answer is not known:
        answers.keep(zone, query, answer)
    return page


def list_across_zones(
    connection: sa.Connection, query: Query, scope: Scope, *, limit: int, count: bool
) -> Page[RecordSet]:
    """One page of the recordsets that the scope's project made in live zones. See list_in_zone."""
    visible: tuple[Condition, ...] = ()
    if not scope.all_projects:
        visible = (queries.of_project(recordsets.c.project_id, scope.project_id),)
    wanted = Wanted(query, None, visible, scope=scope)
    answer = _search(connection, wanted, count, 0) if wanted.is_searched(count) else None
    return _page(connection, wanted, answer, limit, count)


def _search(
    connection: sa.Connection, wanted: Wanted, count: bool, most_ordered: int
) -> CachedResult | None:
    """What the filters leave, as far as it is known before the page is. None: more than a few, and
    nobody asks how many. most_ordered: see ResultCache."""
    if wanted.is_open:
        ids = _few_ids(connection, wanted)
        if ids is not None:
            return CachedResult(len(ids), tuple(ids))
        # No order of the zone's leads to its records.
        if "data" in wanted.query.filters:
            found = _in_order(connection, wanted, most_ordered)
            if found is not None:
                return found
    return CachedResult(recordset_counts.total(connection, wanted)) if count else None


def _page(
    connection: sa.Connection, wanted: Wanted, answer: CachedResult | None, limit: int, count: bool
) -> Page[RecordSet]:
    query = wanted.query
    apart = not APART.isdisjoint(query.filters)
    total = None if answer is None else answer.total
    walk = few = False
    if total is not None:
        walk = wanted.is_dense(total, limit)
        few = not walk and (apart or SERVED.issuperset(query.filters))
        apart = apart and total <= queries.FEW
        if not total and query.marker is None and query.sort_key in SORT_COLUMNS:
            return Page(items=(), total_count=0)
    statement = queries.page(
        connection,
        wanted.select(
            connection.dialect.name,
            few=apart,
            walk=walk,
            ids=None if answer is None else answer.ids,
        ),
        query,
        table=recordsets,
        sort_columns=SORT_COLUMNS,
        limit=limit,
        visible=wanted.visible,
        few=few or apart,
    )
    found = _items(connection, wanted, statement)
    if count and total is None:
        whole = query.marker is None and len(found) < limit
        total = len(found) if whole else recordset_counts.total(connection, wanted)
    return Page(items=found, total_count=total)


def _cut(
    connection: sa.Connection, wanted: Wanted, answer: CachedResult, limit: int
) -> Page[RecordSet] | None:
    """The page, of an answer in order; None: it is not, or the marker is none of the answer's."""
    if answer.ordered is None:
        return None
    ids = answer.ordered.after(wanted.query.marker, limit)
    if ids is None:
        return None
    found: dict[str, RecordSet] = {
        item.id: item
        for item in _items(connection, wanted, wanted.select(connection.dialect.name, ids=ids))
    }
    return Page(items=tuple(found[each] for each in ids if each in found), total_count=answer.total)


def _items(
    connection: sa.Connection, wanted: Wanted, statement: sa.Select[Any]
) -> tuple[RecordSet, ...]:
    around = wanted.around
    rows = wanted.packed.rows(connection.execute(statement), connection.dialect.name)
    return values(rows, [around or Around.of_row(row) for row in rows])


def _in_order(connection: sa.Connection, wanted: Wanted, most: int) -> CachedResult | None:
    """All that the filters leave of a zone, in the query's order. None: there are more than `most`, or
    some id was given by another program."""
    if wanted.zone is None or wanted.held > most:
        return None
    left: set[str] | None = None
    for part in wanted.parts():
        ids = json_rows.column(connection, part, most)
        if len(ids) > most:
            return None
        left = set(ids) if left is None else left.intersection(ids)
    order = queries.page(
        connection,
        wanted.every(),
        replace(wanted.query, marker=None),
        table=recordsets,
        sort_columns=SORT_COLUMNS,
        limit=wanted.held,
    )
    every = json_rows.column(connection, order, wanted.held)
    try:
        ordered = Ordered(every if left is None else [each for each in every if each in left])
    except ValueError:
        return None
    return CachedResult(len(ordered), ordered=ordered)


def _few_ids(connection: sa.Connection, wanted: Wanted) -> list[str] | None:
    """The ids of all that the filters leave, found and counted by one walk; None: more than a few, or
    it takes a join."""
    if wanted.zone is None and "status" in wanted.query.filters:
        return None
    holders: list[str] | None = None
    if "data" in wanted.query.filters:
        rows = connection.execute(wanted.holders().limit(queries.FEW + 1)).scalars().all()
        if len(rows) > queries.FEW:
            return None
        holders = list(dict.fromkeys(rows))
        if not holders or wanted.by_data_alone:
            return holders
    found = list(connection.execute(wanted.ids(connection.dialect.name, holders)).scalars())
    return found if len(found) <= queries.FEW else None
