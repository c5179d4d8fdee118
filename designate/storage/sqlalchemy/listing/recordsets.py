"""Lists of recordsets in a zone, and of a project's recordsets in all zones.

Expensive searches are avoided where possible: results for a zone are cached until it changes, a page that
is not full needs no count, and the matches of a filter are counted before they are sorted.
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
from designate.storage.sqlalchemy.listing import pagination, recordset_counts
from designate.storage.sqlalchemy.listing.pagination import Condition, Scope
from designate.storage.sqlalchemy.listing.recordset_filters import (
    INDEXED,
    SELECTIVE,
    SORT_COLUMNS,
    RecordSetSearch,
)
from designate.storage.sqlalchemy.listing.result_cache import CachedResult, OrderedIds, ResultCache
from designate.storage.sqlalchemy.recordset_rows import ZoneContext, from_rows
from designate.storage.sqlalchemy.tables import recordsets


def list_in_zone(
    connection: sa.Connection,
    query: Query,
    zone: Zone,
    recordset_count: int,
    cache: ResultCache,
    *,
    limit: int,
    count: bool,
) -> Page[RecordSet]:
    """Return one page of a live zone's recordsets without managed_by, in at most six statements.

    Args:
        connection: A connection that reads one snapshot.
        query: Filters, order and marker.
        zone: The zone as this connection has read it.
        recordset_count: How many recordsets it has, read with it.
        cache: Results of earlier searches.
        limit: The largest number of recordsets.
        count: Whether the page has total_count.
    """
    search = RecordSetSearch(query, zone, (recordsets.c.zone_id == zone.id,), recordset_count)
    if not search.searches_first(count):
        return _page(connection, search, None, limit, count)
    known = cache.get(zone, query)
    result = known
    if result is None:
        result = _search(connection, search, count, cache.max_ordered)
    elif result.slow and result.ordered is None and "data" not in query.filters:
        result = _in_order(connection, search, cache.max_ordered) or result
    page = None if result is None else _page_of_ids(connection, search, result, limit)
    if page is None:
        began = time.perf_counter()
        page = _page(connection, search, result, limit, count)
        if result is not None and time.perf_counter() - began > cache.slow_s:
            result = replace(result, slow=True)
    if result is not None and result is not known:
        cache.store(zone, query, result)
    return page


def list_across_zones(
    connection: sa.Connection, query: Query, scope: Scope, *, limit: int, count: bool
) -> Page[RecordSet]:
    """Return one page of the scope's recordsets in live zones; for the arguments see list_in_zone."""
    visible: tuple[Condition, ...] = ()
    if not scope.all_projects:
        visible = (pagination.of_project(recordsets.c.project_id, scope.project_id),)
    search = RecordSetSearch(query, None, visible, scope=scope)
    result = _search(connection, search, count, 0) if search.searches_first(count) else None
    return _page(connection, search, result, limit, count)


def _search(
    connection: sa.Connection, search: RecordSetSearch, count: bool, max_ordered: int
) -> CachedResult | None:
    """Return what is known of the matches before the page is read; None: many, which are not counted."""
    if search.has_wildcards:
        ids = _few_ids(connection, search)
        if ids is not None:
            return CachedResult(len(ids), tuple(ids))
        # No order of the zone leads to its records.
        if "data" in search.query.filters:
            found = _in_order(connection, search, max_ordered)
            if found is not None:
                return found
    return CachedResult(recordset_counts.total(connection, search)) if count else None


def _page(
    connection: sa.Connection,
    search: RecordSetSearch,
    result: CachedResult | None,
    limit: int,
    count: bool,
) -> Page[RecordSet]:
    query = search.query
    selective = not SELECTIVE.isdisjoint(query.filters)
    total = None if result is None else result.total
    walk = few = False
    if total is not None:
        walk = search.is_dense(total, limit)
        few = not walk and (selective or INDEXED.issuperset(query.filters))
        selective = selective and total <= pagination.FEW
        if not total and query.marker is None and query.sort_key in SORT_COLUMNS:
            return Page(items=(), total_count=0)
    statement = pagination.page(
        connection,
        search.select(
            connection.dialect.name,
            few=selective,
            walk=walk,
            ids=None if result is None else result.ids,
        ),
        query,
        table=recordsets,
        sort_columns=SORT_COLUMNS,
        limit=limit,
        visible=search.visible,
        few=few or selective,
    )
    found = _items(connection, search, statement)
    if count and total is None:
        whole = query.marker is None and len(found) < limit
        total = len(found) if whole else recordset_counts.total(connection, search)
    return Page(items=found, total_count=total)


def _page_of_ids(
    connection: sa.Connection, search: RecordSetSearch, result: CachedResult, limit: int
) -> Page[RecordSet] | None:
    """Return a page of ordered ids; None: there are none, or the marker is not one of them."""
    if result.ordered is None:
        return None
    ids = result.ordered.after(search.query.marker, limit)
    if ids is None:
        return None
    found: dict[str, RecordSet] = {
        item.id: item
        for item in _items(connection, search, search.select(connection.dialect.name, ids=ids))
    }
    return Page(items=tuple(found[each] for each in ids if each in found), total_count=result.total)


def _items(
    connection: sa.Connection, search: RecordSetSearch, statement: sa.Select[Any]
) -> tuple[RecordSet, ...]:
    zone_context = search.zone_context
    rows = search.rows.rows(connection.execute(statement), connection.dialect.name)
    return from_rows(rows, [zone_context or ZoneContext.from_row(row) for row in rows])


def _in_order(
    connection: sa.Connection, search: RecordSetSearch, max_ids: int
) -> CachedResult | None:
    """Return all matches in a zone in the query's order; None: over the limit, or an id is no UUID."""
    if search.zone is None or search.recordset_count > max_ids:
        return None
    matches: set[str] | None = None
    for part in search.id_selects():
        ids = json_rows.read_ids(connection, part, max_ids)
        if len(ids) > max_ids:
            return None
        matches = set(ids) if matches is None else matches.intersection(ids)
    order = pagination.page(
        connection,
        search.all_ids(),
        replace(search.query, marker=None),
        table=recordsets,
        sort_columns=SORT_COLUMNS,
        limit=search.recordset_count,
    )
    all_ids = json_rows.read_ids(connection, order, search.recordset_count)
    try:
        ordered = OrderedIds(
            all_ids if matches is None else [each for each in all_ids if each in matches]
        )
    except ValueError:
        return None
    return CachedResult(len(ordered), ordered=ordered)


def _few_ids(connection: sa.Connection, search: RecordSetSearch) -> list[str] | None:
    """Return the ids of all matches, read in one statement; None: more than FEW, or a join is needed."""
    if search.zone is None and "status" in search.query.filters:
        return None
    ids_by_data: list[str] | None = None
    if "data" in search.query.filters:
        rows = connection.execute(search.ids_by_data().limit(pagination.FEW + 1)).scalars().all()
        if len(rows) > pagination.FEW:
            return None
        ids_by_data = list(dict.fromkeys(rows))
        if not ids_by_data or search.by_data_alone:
            return ids_by_data
    found = list(connection.execute(search.ids(connection.dialect.name, ids_by_data)).scalars())
    return found if len(found) <= pagination.FEW else None
