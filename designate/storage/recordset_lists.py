"""Lists of recordsets: of a zone, and of what a project made in all zones.

The long way is walked as seldom as the database allows: what a zone's row tells is not counted, a
page that is not full counts itself, what a filter leaves is counted before it is sorted, and texts
that no order helps to find are looked for in an index that holds all that the search needs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from designate import errors
from designate.model.query import Page, Query
from designate.model.recordsets import RecordSet
from designate.model.zones import Status, Zone
from designate.storage import guests, packed
from designate.storage import query as queries
from designate.storage.answers import Answer, Answers, Ordered
from designate.storage.packed import Packed
from designate.storage.query import EVERYTHING, Condition, Scope
from designate.storage.recordsets import IS_SOA, SHOWN, ZONE_COLUMNS, Around, joined, values
from designate.storage.tables import LIVE, records, recordsets, zones

SORT_COLUMNS = {
    "created_at": recordsets.c.created_at,
    "id": recordsets.c.id,
    "updated_at": recordsets.c.updated_at,
    "zone_id": recordsets.c.zone_id,
    "tenant_id": recordsets.c.project_id,
    "name": recordsets.c.name_key,
    "type": recordsets.c.type,
    "ttl": recordsets.c.ttl,
}
# Filters that an index serves, in a zone and of a project.
SERVED = frozenset(("type", "ttl", "description", "status"))
# Filters that read the recordset's own row alone.
OWN = frozenset(("type", "ttl", "description"))
# Filters that leave few rows, looked up apart.
APART = frozenset(("name", "data"))

# Of so many recordsets a zone's order is put together in this process.
MOST_ORDERED: Final = 200_000
# A page that takes longer is the next time cut from ids that were put in order.
LONG_S: Final = 0.02

REVISION = sa.case((IS_SOA, zones.c.revision), else_=recordsets.c.changed_revision)
HAS_DATA = sa.or_(recordsets.c.record_count > 0, IS_SOA)
WAITS = sa.and_(HAS_DATA, zones.c.served_revision < REVISION)
# A tombstone's `deleted` is its id, and every id sorts behind LIVE: a range of an index.
IN_LIVE_ZONE = recordsets.c.zone_id.not_in(sa.select(zones.c.id).where(zones.c.deleted > LIVE))
# Their status finds them by an index.
WAITING_ZONES = sa.select(zones.c.id).where(
    zones.c.deleted == LIVE,
    zones.c.status.in_((Status.PENDING, Status.ERROR)),
    zones.c.served_revision < zones.c.revision,
)
OF_ZONE = Packed(*SHOWN)
OF_ZONES = Packed(*SHOWN, *ZONE_COLUMNS)
COUNT: sa.Select[Any] = sa.select(sa.func.count()).select_from(recordsets)


@dataclass(frozen=True, slots=True)
class _List:
    """One list. zone: None across zones. visible: what the caller may see of `recordsets`. held: how
    many recordsets the zone has. scope: whose across zones."""

    query: Query
    zone: Zone | None
    visible: tuple[Condition, ...]
    held: int = 0
    scope: Scope = EVERYTHING

    @property
    def packed(self) -> Packed:
        return OF_ZONES if self.zone is None else OF_ZONE

    @property
    def around(self) -> Around | None:
        return None if self.zone is None else Around.of_zone(self.zone)

    def _own(self, *, apart: bool) -> list[Condition]:
        """The filters of the recordset's own columns. apart: name and data among them."""
        found: list[Condition] = []
        for name, text in self.query.filters.items():
            if name == "ttl":
                found.append(queries.match_integer(recordsets.c.ttl, text))
            elif name in ("type", "description"):
                found.append(queries.match(recordsets.c[name], text))
            elif name == "name" and apart:
                found.append(self._named(text))
            elif name == "data" and apart:
                found.append(recordsets.c.id.in_(self.holders()))
            elif name not in (*APART, "status"):
                raise errors.BadRequest(f"Invalid filters {name}")
        return found

    def _named(self, text: str) -> Condition:
        # Only a zone has an index of names from their end.
        if self.zone is None:
            return queries.match(recordsets.c.name_key, text.lower())
        return queries.match_name(recordsets, text)

    def holders(self) -> sa.Select[Any]:
        """Of each record that the filter `data` finds: its recordset's id."""
        return self._holding(queries.match_data(self.query.filters["data"], records))

    def all_holders(self) -> sa.CompoundSelect[Any]:
        """The same, where many are found by a pattern."""
        found = queries.match_data_apart(self.query.filters["data"], records)
        return sa.union_all(*map(self._holding, found))

    def _holding(self, matches: Condition) -> sa.Select[Any]:
        """Left to itself MariaDB reads all of a zone's records where a range of them would do; it takes a
        range for two zones, and no zone's id is empty."""
        text = self.query.filters["data"]
        holders = sa.select(records.c.recordset_id).where(matches)
        has_range = queries.is_open(text) and text[0] not in queries.WILDCARDS
        if self.zone is None:
            if not queries.is_open(text):
                return holders
            if not has_range:
                holders = holders.where(records.c.data_key >= "")
            return queries.by_index(holders, records, "data_key")
        if not has_range:
            return holders.where(records.c.zone_id == self.zone.id)
        holders = holders.where(records.c.zone_id.in_((self.zone.id, "")))
        return queries.by_index(holders, records, "zone_id", "data_key")

    @property
    def is_open(self) -> bool:
        """Whether a name or data is looked for by a pattern."""
        return any(queries.is_open(self.query.filters.get(name, "")) for name in APART)

    def is_searched(self, count: bool) -> bool:
        """Whether what the filters leave is looked for before the page is; count: whether the number of it
        is wanted."""
        apart = not APART.isdisjoint(self.query.filters)
        return self.is_open or bool(count and self.query.filters and not apart)

    def parts(self) -> Iterator[sa.Select[Any] | sa.CompoundSelect[Any]]:
        """Ids of a zone's recordsets; those in all of these are what the filters leave."""
        data = self.query.filters.get("data")
        if data is not None:
            yield self.all_holders() if queries.is_open(data) else self.holders()
        own = [*self._own(apart=False), *self._status()]
        if "name" in self.query.filters:
            own.append(self._named(self.query.filters["name"]))
        if own:
            yield sa.select(recordsets.c.id).where(*self.visible, *own)

    def order(self) -> sa.Select[Any]:
        """The ids of all of the zone, to be put in order."""
        every = sa.select(recordsets.c.id).where(*self.visible)
        return queries.by_index(every, recordsets, *self._order())

    @property
    def by_data_alone(self) -> bool:
        return self.zone is not None and set(self.query.filters) == {"data"}

    def _status(self) -> tuple[Condition, ...]:
        """Across zones they need the join with `zones`; in a zone its row is known."""
        text = self.query.filters.get("status")
        if text is None:
            return ()
        if text not in (Status.ACTIVE, Status.PENDING, Status.ERROR):
            return (sa.false(),)
        if self.zone is None:
            if text == Status.ACTIVE:
                return (sa.not_(WAITS),)
            error = zones.c.status == Status.ERROR
            behind = WAITING_ZONES.where(error if text == Status.ERROR else sa.not_(error))
            return (WAITS, recordsets.c.zone_id.in_(behind))
        waits = waits_in(self.zone)
        if text == Status.ACTIVE:
            return () if waits is None else (sa.not_(waits),)
        if waits is None or (text == Status.ERROR) != (self.zone.status == Status.ERROR):
            return (sa.false(),)
        return (waits,)

    def conditions(self) -> tuple[Condition, ...]:
        """For counting, and for walking an order's index."""
        visible = self.visible
        if self.zone is not None and "data" in self.query.filters:
            # The records' index holds the zone already; naming it twice would lead to the longer way.
            visible = ()
        return (*visible, *self._own(apart=True), *self._status())

    def few(self, dialect: str) -> tuple[Condition, ...]:
        """As conditions, where name or data are looked up first, by an index with all it takes."""
        found = [*self._own(apart=False), *self._status()]
        if "name" in self.query.filters:
            named = self._named(self.query.filters["name"])
            found.append(
                recordsets.c.id.in_(
                    sa.select(recordsets.c.id).where(*self.visible, named).correlate(None)
                )
            )
        elif self.zone is None:
            found += [queries.unhelpful(each, dialect) for each in self.visible]
        if "data" in self.query.filters:
            found.append(recordsets.c.id.in_(self.holders()))
        return tuple(found)

    def total(self, connection: sa.Connection) -> int:
        """How many there are. Where the zone's row says it, no statement is needed."""
        filters = self.query.filters
        if not filters:
            return self._held(connection)
        if filters == {"status": Status.ACTIVE}:
            return self._held(connection) - self._waiting(connection)
        value = self._value()
        if value is not None:
            total = self._by_index(connection, *value)
            if total is not None:
                return total
        if self.by_data_alone:
            several = self.holders().subquery()
            return _number(connection, sa.select(sa.func.count(several.c.recordset_id.distinct())))
        if self.zone is not None:
            return _number(connection, COUNT.where(*self.conditions()))
        return _number(connection, self._count_across(connection.dialect.name))

    def _held(self, connection: sa.Connection) -> int:
        """How many there are without filters."""
        if self.zone is not None:
            return self.held
        return _number(connection, guests.recordsets_of(self.scope))

    def _waiting(self, connection: sa.Connection) -> int:
        """How many of those are not served yet."""
        if self.zone is None:
            visible = [queries.unhelpful(each, connection.dialect.name) for each in self.visible]
            behind = recordsets.c.zone_id.in_(WAITING_ZONES)
            return _number(connection, joined((sa.func.count(),), *visible, WAITS, behind))
        waits = waits_in(self.zone)
        return 0 if waits is None else _number(connection, COUNT.where(*self.visible, waits))

    def _value(self) -> tuple[sa.Column[Any], str | int] | None:
        """The only filter, where it asks for one value of a column that has an index."""
        if len(self.query.filters) != 1:
            return None
        [(name, text)] = self.query.filters.items()
        if name not in ("type", "ttl") or queries.is_open(text):
            return None
        column = recordsets.c[name]
        value = text if name == "type" else queries.integer(column, text)
        return None if value is None else (column, value)

    def _by_index(
        self, connection: sa.Connection, column: sa.Column[Any], value: str | int
    ) -> int | None:
        """How many have the value: they, or all others, are most often few. None: neither are."""
        these = [sa.and_(*self.visible, column == value)]
        # Each is a range of the index, which not every database finds in an OR.
        ranges = [column < value, column > value, *([column.is_(None)] if column.nullable else ())]
        others = [sa.and_(*self.visible, each) for each in ranges]
        few = queries.FEW
        number, left = connection.execute(
            sa.select(*(_bounded(each, few).scalar_subquery() for each in (these, others)))
        ).one()
        if number <= few:
            return int(number) - self._gone(connection, these)
        held = self._held(connection)
        if left > few and column is recordsets.c.type and self.zone is None:
            # Each zone has its SOA and NS.
            few = held // 4
            left = _number(connection, _bounded(others, few))
        return None if left > few else held - int(left) + self._gone(connection, others)

    def _gone(self, connection: sa.Connection, conditions: Sequence[Condition]) -> int:
        """How many of these are left of deleted zones."""
        if self.zone is not None:
            return 0
        return _number(connection, sa.select(_added(_gone(each) for each in conditions)))

    def _count_across(self, dialect: str) -> sa.Select[Any]:
        if "status" not in self.query.filters:
            return _count_in_live_zones(dialect, *self.conditions())
        if set(self.query.filters) != {"status"}:
            return joined((sa.func.count(),), zones.c.deleted == LIVE, *self.conditions())
        visible = [queries.unhelpful(each, dialect) for each in self.visible]
        return joined((sa.func.count(),), *visible, *self._status())

    def ids(self, dialect: str, holders: Sequence[str] | None) -> sa.Select[Any]:
        """What name and data leave, FEW and one more at most. holders: what data alone leaves, where
        it is a filter."""
        conditions = [*self._own(apart=holders is None), *self._status()]
        if holders is None:
            conditions += self.visible
        else:
            conditions += [queries.unhelpful(each, dialect) for each in self.visible]
            conditions.append(recordsets.c.id.in_(holders))
            if "name" in self.query.filters:
                conditions.append(self._named(self.query.filters["name"]))
        if self.zone is None:
            conditions.append(IN_LIVE_ZONE)
        found = sa.select(recordsets.c.id).where(*conditions).limit(queries.FEW + 1)
        if dialect != "mysql" or not self._walks_names or not self.visible:
            return found
        # InnoDB itself compares the names, in half the time, where the index does not hold all columns.
        found = found.add_columns(recordsets.c.changed_revision)
        return queries.by_index(found, recordsets, self._owner, "name_key", "id")

    @property
    def _owner(self) -> str:
        return "project_id" if self.zone is None else "zone_id"

    @property
    def _walks_names(self) -> bool:
        """Whether the name is open at both ends, or at its beginning across zones, and nothing else finds
        the recordsets."""
        name = self.query.filters.get("name", "")
        ends = name[:1] in queries.WILDCARDS and (
            self.zone is None or name[-1:] in queries.WILDCARDS
        )
        return bool(name) and ends and "data" not in self.query.filters

    def is_dense(self, total: int, limit: int) -> bool:
        """Whether so many are left of all that walking the index of the order to a page of them is
        shorter than sorting them."""
        if total <= queries.FEW or self.zone is None:
            return total > queries.FEW
        return limit * self.held < total * total

    def select(
        self,
        dialect: str,
        *,
        few: bool = False,
        walk: bool = False,
        ids: Sequence[str] | None = None,
    ) -> sa.Select[Any]:
        """few: whether name and data leave few. walk: see is_dense. ids: of all that is left, where they
        are known."""
        if ids is not None:
            own: tuple[Condition, ...] = (recordsets.c.id.in_(ids),)
        else:
            own = self.few(dialect) if few else self.conditions()
        columns = self.packed.columns(dialect)
        if self.zone is not None:
            found = sa.select(*columns).where(*own)
            walk = walk and "data" not in self.query.filters
        else:
            # The zones are looked up for the recordsets, not the other way round.
            found = joined(columns, queries.unhelpful(zones.c.deleted == LIVE, dialect), *own)
            # MariaDB would begin with the zones where they are few, and sort all that they hold.
            if ids is None and (walk or OWN.issuperset(self.query.filters)):
                found = found.prefix_with("STRAIGHT_JOIN", dialect="mysql")
            walk = False
        if walk or not self.query.filters:
            return queries.by_index(found, recordsets, *self._order())
        return found

    def _order(self) -> tuple[str, ...]:
        """The columns of an index that has the order; none without one."""
        column = SORT_COLUMNS.get(self.query.sort_key)
        if column is None or not self.visible:
            return ()
        return (
            (self._owner, "id") if column is recordsets.c.id else (self._owner, column.name, "id")
        )


def _bounded(conditions: Sequence[Condition], most: int) -> sa.Select[Any]:
    """How many meet one of these, which exclude each other; beyond `most` a number above it."""
    found = (sa.select(recordsets.c.id).where(each).limit(most + 1) for each in conditions)
    return sa.select(
        _added(sa.select(sa.func.count()).select_from(each.subquery()) for each in found)
    )


def _added(numbers: Iterable[sa.Select[Any]]) -> sa.ColumnElement[int]:
    first, *more = (each.scalar_subquery() for each in numbers)
    return sum(more, first)


def _gone(*conditions: Condition) -> sa.Select[Any]:
    return joined((sa.func.count(),), zones.c.deleted > LIVE, *conditions)


def _count_in_live_zones(dialect: str, *conditions: Condition) -> sa.Select[Any]:
    if dialect != "mysql":
        return COUNT.where(IN_LIVE_ZONE, *conditions)
    # MariaDB would look up each recordset's zone.
    every = COUNT.where(*conditions)
    return sa.select(every.scalar_subquery() - _gone(*conditions).scalar_subquery())


def waits_in(zone: Zone) -> Condition | None:
    """Which of the zone's recordsets are not served yet; None: none, as the zone's row tells."""
    if zone.revision <= zone.served_revision:
        return None
    changed = recordsets.c.changed_revision > zone.served_revision
    return sa.or_(sa.and_(changed, recordsets.c.record_count > 0), IS_SOA)


def in_zone(
    connection: sa.Connection,
    query: Query,
    zone: Zone,
    held: int,
    answers: Answers,
    *,
    limit: int,
    count: bool,
) -> Page[RecordSet]:
    """One page of a live zone's recordsets. Their managed_by is not read.

    zone, held: the zone and how many recordsets it has, as this connection has just read it. answers:
    what was found before. count: whether total_count is wanted. At most six statements, whatever is found.
    """
    wanted = _List(query, zone, (recordsets.c.zone_id == zone.id,), held)
    searched = wanted.is_searched(count)
    # What is served is told by the zone's row, whatever its version.
    keeps = searched and "status" not in query.filters
    known = answers.get(zone, query) if keeps else None
    answer = known
    if answer is None:
        answer = _search(connection, wanted, count) if searched else None
    elif answer.slow and answer.ordered is None:
        answer = _in_order(connection, wanted) or answer
    page = None if answer is None else _cut(connection, wanted, answer, limit)
    if page is None:
        began = time.perf_counter()
        page = _page(connection, wanted, answer, limit, count)
        if answer is not None and time.perf_counter() - began > LONG_S:
            answer = replace(answer, slow=True)
    if keeps and answer is not None and answer is not known:
        answers.keep(zone, query, answer)
    return page


def across(
    connection: sa.Connection, query: Query, scope: Scope, *, limit: int, count: bool
) -> Page[RecordSet]:
    """One page of the recordsets that the scope's project made in live zones. See in_zone."""
    visible: tuple[Condition, ...] = ()
    if not scope.all_projects:
        visible = (queries.of_project(recordsets.c.project_id, scope.project_id),)
    wanted = _List(query, None, visible, scope=scope)
    answer = _search(connection, wanted, count) if wanted.is_searched(count) else None
    return _page(connection, wanted, answer, limit, count)


def _search(connection: sa.Connection, wanted: _List, count: bool) -> Answer | None:
    """What the filters leave, as far as it is known before the page is. None: more than a few, and
    nobody asks how many."""
    if wanted.is_open:
        ids = _few_ids(connection, wanted)
        if ids is not None:
            return Answer(len(ids), tuple(ids))
        # No order of the zone's leads to its records.
        found = _in_order(connection, wanted) if "data" in wanted.query.filters else None
        if found is not None:
            return found
    return Answer(wanted.total(connection)) if count else None


def _page(
    connection: sa.Connection, wanted: _List, answer: Answer | None, limit: int, count: bool
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
        total = len(found) if whole else wanted.total(connection)
    return Page(items=found, total_count=total)


def _cut(
    connection: sa.Connection, wanted: _List, answer: Answer, limit: int
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
    connection: sa.Connection, wanted: _List, statement: sa.Select[Any]
) -> tuple[RecordSet, ...]:
    around = wanted.around
    rows = wanted.packed.rows(connection.execute(statement), connection.dialect.name)
    return values(rows, [around or Around.of_row(row) for row in rows])


def _in_order(connection: sa.Connection, wanted: _List) -> Answer | None:
    """All that the filters leave of a zone, in the query's order. None: they are too many."""
    if wanted.zone is None or wanted.held > MOST_ORDERED:
        return None
    parts = [set(packed.column(connection, each, MOST_ORDERED)) for each in wanted.parts()]
    statement = queries.page(
        connection,
        wanted.order(),
        replace(wanted.query, marker=None),
        table=recordsets,
        sort_columns=SORT_COLUMNS,
        limit=MOST_ORDERED,
    )
    every = packed.column(connection, statement, MOST_ORDERED)
    if len(every) > MOST_ORDERED or any(len(part) > MOST_ORDERED for part in parts):
        return None
    left = set.intersection(*parts)
    ordered = Ordered(each for each in every if each in left)
    return Answer(len(ordered), ordered=ordered)


def _few_ids(connection: sa.Connection, wanted: _List) -> list[str] | None:
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


def _number(connection: sa.Connection, statement: sa.Select[Any]) -> int:
    return int(connection.execute(statement).scalar_one())
