"""What a list of recordsets asks for, as conditions and statements that each database serves by an index.

Nothing is executed here. Texts that no order helps to find are looked for in an index that holds all that
the search needs, and where a planner would take a longer way the statement says which index is walked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from designate import errors
from designate.model.query import Query
from designate.model.zones import Status, Zone
from designate.storage.sqlalchemy.db.json_rows import JsonRows
from designate.storage.sqlalchemy.listing import pagination as queries
from designate.storage.sqlalchemy.listing.pagination import EVERYTHING, Condition, Scope
from designate.storage.sqlalchemy.recordsets import IS_SOA, SHOWN, ZONE_COLUMNS, Around, joined
from designate.storage.sqlalchemy.tables import LIVE, records, recordsets, zones

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
OF_ZONE = JsonRows(*SHOWN)
OF_ZONES = JsonRows(*SHOWN, *ZONE_COLUMNS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One list. zone: None across zones. visible: what the caller may see of `recordsets`. held: how
    many recordsets the zone has. scope: whose across zones."""

    query: Query
    zone: Zone | None
    visible: tuple[Condition, ...]
    held: int = 0
    scope: Scope = EVERYTHING

    @property
    def packed(self) -> JsonRows:
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
        own = [*self._own(apart=False), *self.by_status()]
        if "name" in self.query.filters:
            own.append(self._named(self.query.filters["name"]))
        if own:
            yield sa.select(recordsets.c.id).where(*self.visible, *own)

    def every(self) -> sa.Select[Any]:
        """The ids of all of the zone, to be put in the order whose index it reads."""
        every = sa.select(recordsets.c.id).where(*self.visible)
        return queries.by_index(every, recordsets, *self._order())

    @property
    def by_data_alone(self) -> bool:
        return self.zone is not None and set(self.query.filters) == {"data"}

    def by_status(self) -> tuple[Condition, ...]:
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
        """All filters, for counting and for walking an order's index."""
        visible = self.visible
        if self.zone is not None and "data" in self.query.filters:
            # The records' index holds the zone already; naming it twice would lead to the longer way.
            visible = ()
        return (*visible, *self._own(apart=True), *self.by_status())

    def few(self, dialect: str) -> tuple[Condition, ...]:
        """As conditions, where name or data are looked up first, by an index with all it takes."""
        found = [*self._own(apart=False), *self.by_status()]
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

    def ids(self, dialect: str, holders: Sequence[str] | None) -> sa.Select[Any]:
        """What name and data leave, FEW and one more at most. holders: what data alone leaves, where
        it is a filter."""
        conditions = [*self._own(apart=holders is None), *self.by_status()]
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
                # Or read them all into a buffer, which loses the order.
                found = found.with_hint(zones, "FORCE INDEX (PRIMARY)", "mysql")
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


def waits_in(zone: Zone) -> Condition | None:
    """Which of the zone's recordsets are not served yet; None: none, as the zone's row tells."""
    if zone.revision <= zone.served_revision:
        return None
    changed = recordsets.c.changed_revision > zone.served_revision
    return sa.or_(sa.and_(changed, recordsets.c.record_count > 0), IS_SOA)
