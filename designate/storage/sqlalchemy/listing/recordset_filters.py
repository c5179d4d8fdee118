"""Searches of recordsets as conditions and statements that each database executes by an index.

Nothing is executed here. Patterns that no order helps to find are compared in an index that holds all that
the search needs, and where a planner would choose a slower plan the statement has a hint.

Longer than 300 lines, because RecordSetSearch is one class: filters, status and hints depend on each other.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from designate import errors
from designate.model.query import Query
from designate.model.zones import Status, Zone
from designate.storage.sqlalchemy.db.json_rows import JsonRows
from designate.storage.sqlalchemy.listing import pagination
from designate.storage.sqlalchemy.listing.pagination import EVERYTHING, Condition, Scope
from designate.storage.sqlalchemy.recordset_rows import (
    API_COLUMNS,
    IS_SOA,
    ZONE_COLUMNS,
    ZoneContext,
    joined,
)
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
# Filters with an index, in a zone and of a project.
INDEXED = frozenset(("type", "ttl", "description", "status"))
STATUSES = (Status.ACTIVE, Status.PENDING, Status.ERROR)
# Filters that read only the recordset's own row.
ROW_FILTERS = frozenset(("type", "ttl", "description"))
# Filters that usually leave few rows, evaluated by a search of their own.
SELECTIVE = frozenset(("name", "data"))

REVISION = sa.case((IS_SOA, zones.c.revision), else_=recordsets.c.changed_revision)
HAS_DATA = sa.or_(recordsets.c.record_count > 0, IS_SOA)
PENDING = sa.and_(HAS_DATA, zones.c.served_revision < REVISION)
# `deleted` of a soft-deleted zone is its id, and every id sorts after LIVE: a range of an index.
IN_LIVE_ZONE = recordsets.c.zone_id.not_in(sa.select(zones.c.id).where(zones.c.deleted > LIVE))
# Zones with pending recordsets, by the index of their status.
PENDING_ZONES = sa.select(zones.c.id).where(
    zones.c.deleted == LIVE,
    zones.c.status.in_((Status.PENDING, Status.ERROR)),
    zones.c.served_revision < zones.c.revision,
)
OF_ZONE = JsonRows(*API_COLUMNS)
OF_ZONES = JsonRows(*API_COLUMNS, *ZONE_COLUMNS)


@dataclass(frozen=True, slots=True)
class RecordSetSearch:
    """The search of one list.

    Attributes:
        query: Filters, order and marker.
        zone: The zone; None: across zones.
        visible: Which rows of `recordsets` the client may see.
        recordset_count: How many recordsets the zone has.
        scope: Whose recordsets, across zones.
    """

    query: Query
    zone: Zone | None
    visible: tuple[Condition, ...]
    recordset_count: int = 0
    scope: Scope = EVERYTHING

    @property
    def rows(self) -> JsonRows:
        """The columns of the rows."""
        return OF_ZONES if self.zone is None else OF_ZONE

    @property
    def zone_context(self) -> ZoneContext | None:
        """The context of the zone; None: each row has that of its own zone."""
        return None if self.zone is None else ZoneContext.from_zone(self.zone)

    def _row_conditions(self, *, selective: bool) -> list[Condition]:
        """Return the filters of the recordset's own row; selective: those in SELECTIVE too."""
        found: list[Condition] = []
        for name, text in self.query.filters.items():
            if name == "ttl":
                found.append(pagination.match_integer(recordsets.c.ttl, text))
            elif name in ("type", "description"):
                found.append(pagination.match(recordsets.c[name], text))
            elif name == "name" and selective:
                found.append(self._named(text))
            elif name == "data" and selective:
                found.append(recordsets.c.id.in_(self.ids_by_data()))
            elif name not in (*SELECTIVE, "status"):
                raise errors.BadRequest(f"Invalid filters {name}")
        return found

    def _named(self, text: str) -> Condition:
        # Only zones have an index of reversed names.
        if self.zone is None:
            return pagination.match(recordsets.c.name_key, text.lower())
        return pagination.match_name(recordsets, text)

    def ids_by_data(self) -> sa.Select[Any]:
        """Return a select of the recordset ids of all records that match the filter `data`."""
        return self._ids_of_matches(pagination.match_data(self.query.filters["data"], records))

    def all_ids_by_data(self) -> sa.CompoundSelect[Any]:
        """Return the same for a pattern that many records match."""
        found = pagination.match_data_in_parts(self.query.filters["data"], records)
        return sa.union_all(*map(self._ids_of_matches, found))

    def _ids_of_matches(self, matches: Condition) -> sa.Select[Any]:
        # MariaDB reads all of a zone's records where a range of them would do. It uses the range for two
        # zones, and no zone's id is empty.
        text = self.query.filters["data"]
        ids = sa.select(records.c.recordset_id).where(matches)
        has_range = pagination.has_wildcards(text) and text[0] not in pagination.WILDCARDS
        if self.zone is None:
            if not pagination.has_wildcards(text):
                return ids
            if not has_range:
                ids = ids.where(records.c.data_key >= "")
            return pagination.with_index_hint(ids, records, "data_key")
        if not has_range:
            return ids.where(records.c.zone_id == self.zone.id)
        ids = ids.where(records.c.zone_id.in_((self.zone.id, "")))
        return pagination.with_index_hint(ids, records, "zone_id", "data_key")

    @property
    def has_wildcards(self) -> bool:
        """Whether a name or data is searched by a pattern."""
        return any(pagination.has_wildcards(self.query.filters.get(name, "")) for name in SELECTIVE)

    def searches_first(self, count: bool) -> bool:
        """Return whether the matches are found before the page; count: whether they are counted."""
        selective = not SELECTIVE.isdisjoint(self.query.filters)
        return self.has_wildcards or bool(count and self.query.filters and not selective)

    def id_selects(self) -> Iterator[sa.Select[Any] | sa.CompoundSelect[Any]]:
        """Yield selects of recordset ids of a zone; the ids in all of them match the filters."""
        data = self.query.filters.get("data")
        if data is not None:
            yield self.all_ids_by_data() if pagination.has_wildcards(data) else self.ids_by_data()
        own = [*self._row_conditions(selective=False), *self.status_conditions()]
        if "name" in self.query.filters:
            own.append(self._named(self.query.filters["name"]))
        if own:
            yield sa.select(recordsets.c.id).where(*self.visible, *own)

    def all_ids(self) -> sa.Select[Any]:
        """Return a select of all ids of the zone, by the index of the order."""
        all_ids = sa.select(recordsets.c.id).where(*self.visible)
        return pagination.with_index_hint(all_ids, recordsets, *self._order())

    @property
    def by_data_alone(self) -> bool:
        """Whether `data` is the only filter, in a zone."""
        return self.zone is not None and set(self.query.filters) == {"data"}

    def status_conditions(self) -> tuple[Condition, ...]:
        """Return the conditions of the filter `status`; across zones they need the join with `zones`."""
        text = self.query.filters.get("status")
        if text is None:
            return ()
        # It is computed, and compared with a pattern here.
        pattern = text.replace("%", "*").replace("[", "[[]").replace("?", "[?]")
        found = [each for each in STATUSES if fnmatch.fnmatchcase(each, pattern)]
        if len(found) == 1:
            return self._of_status(found[0])
        each = (sa.and_(sa.true(), *self._of_status(status)) for status in found)
        return (sa.or_(sa.false(), *each),)

    def _of_status(self, status: Status) -> tuple[Condition, ...]:
        if self.zone is None:
            if status == Status.ACTIVE:
                return (sa.not_(PENDING),)
            error = zones.c.status == Status.ERROR
            behind = PENDING_ZONES.where(error if status == Status.ERROR else sa.not_(error))
            return (PENDING, recordsets.c.zone_id.in_(behind))
        pending = pending_in(self.zone)
        if status == Status.ACTIVE:
            return () if pending is None else (sa.not_(pending),)
        if pending is None or (status == Status.ERROR) != (self.zone.status == Status.ERROR):
            return (sa.false(),)
        return (pending,)

    def conditions(self) -> tuple[Condition, ...]:
        """Return the conditions of all filters, for counting and for walking an order's index."""
        visible = self.visible
        if self.zone is not None and "data" in self.query.filters:
            # The records' index has the zone already; a second condition would lead to a slower plan.
            visible = ()
        return (*visible, *self._row_conditions(selective=True), *self.status_conditions())

    def few_conditions(self, dialect: str) -> tuple[Condition, ...]:
        """Return the conditions when name or data are searched first, by an index that has all of it."""
        found = [*self._row_conditions(selective=False), *self.status_conditions()]
        if "name" in self.query.filters:
            named = self._named(self.query.filters["name"])
            found.append(
                recordsets.c.id.in_(
                    sa.select(recordsets.c.id).where(*self.visible, named).correlate(None)
                )
            )
        elif self.zone is None:
            found += [pagination.without_index(each, dialect) for each in self.visible]
        if "data" in self.query.filters:
            found.append(recordsets.c.id.in_(self.ids_by_data()))
        return tuple(found)

    def ids(self, dialect: str, ids_by_data: Sequence[str] | None) -> sa.Select[Any]:
        """Return a select of at most FEW + 1 matching ids.

        Args:
            dialect: SQLAlchemy's name of the kind of database.
            ids_by_data: The ids that match `data`, where it is a filter.
        """
        conditions = [
            *self._row_conditions(selective=ids_by_data is None),
            *self.status_conditions(),
        ]
        if ids_by_data is None:
            conditions += self.visible
        else:
            conditions += [pagination.without_index(each, dialect) for each in self.visible]
            conditions.append(recordsets.c.id.in_(ids_by_data))
            if "name" in self.query.filters:
                conditions.append(self._named(self.query.filters["name"]))
        if self.zone is None:
            conditions.append(IN_LIVE_ZONE)
        found = sa.select(recordsets.c.id).where(*conditions).limit(pagination.FEW + 1)
        if dialect != "mysql" or not self._walks_names or not self.visible:
            return found
        # InnoDB itself compares the names, in half the time, when the index does not have all columns.
        found = found.add_columns(recordsets.c.changed_revision)
        return pagination.with_index_hint(found, recordsets, self._owner_column, "name_key", "id")

    @property
    def _owner_column(self) -> str:
        return "project_id" if self.zone is None else "zone_id"

    @property
    def _walks_names(self) -> bool:
        """Whether all names are compared, with no other filter to find the recordsets.

        That is for a name with wildcards at both ends or, across zones, at its start.
        """
        name = self.query.filters.get("name", "")
        ends = name[:1] in pagination.WILDCARDS and (
            self.zone is None or name[-1:] in pagination.WILDCARDS
        )
        return bool(name) and ends and "data" not in self.query.filters

    def is_dense(self, total: int, limit: int) -> bool:
        """Return whether walking the order's index to a page of matches is cheaper than sorting them."""
        if total <= pagination.FEW or self.zone is None:
            return total > pagination.FEW
        return limit * self.recordset_count < total * total

    def select(
        self,
        dialect: str,
        *,
        few: bool = False,
        walk: bool = False,
        ids: Sequence[str] | None = None,
    ) -> sa.Select[Any]:
        """Return a select of the matching rows.

        Args:
            dialect: SQLAlchemy's name of the kind of database.
            few: Whether name and data leave few.
            walk: Whether to walk the index of the order, see is_dense.
            ids: The ids of all matches, where they are known.
        """
        if ids is not None:
            own: tuple[Condition, ...] = (recordsets.c.id.in_(ids),)
        else:
            own = self.few_conditions(dialect) if few else self.conditions()
        columns = self.rows.columns(dialect)
        if self.zone is not None:
            found = sa.select(*columns).where(*own)
            walk = walk and "data" not in self.query.filters
        else:
            # The zones are joined to the recordsets, not the other way round.
            found = joined(
                columns, pagination.without_index(zones.c.deleted == LIVE, dialect), *own
            )
            # MariaDB would begin with the zones where they are few, and sort all of their recordsets.
            if ids is None and (walk or ROW_FILTERS.issuperset(self.query.filters)):
                found = found.prefix_with("STRAIGHT_JOIN", dialect="mysql")
                # Or it would read them all into a buffer, which loses the order.
                found = found.with_hint(zones, "FORCE INDEX (PRIMARY)", "mysql")
            walk = False
        if walk or not self.query.filters:
            return pagination.with_index_hint(found, recordsets, *self._order())
        return found

    def _order(self) -> tuple[str, ...]:
        """Return the columns of an index that has the order; none: there is no such index."""
        column = SORT_COLUMNS.get(self.query.sort_key)
        if column is None or not self.visible:
            return ()
        return (
            (self._owner_column, "id")
            if column is recordsets.c.id
            else (self._owner_column, column.name, "id")
        )


def pending_in(zone: Zone) -> Condition | None:
    """Return the condition for recordsets of the zone that are not served yet; None: all are."""
    if zone.revision <= zone.served_revision:
        return None
    changed = recordsets.c.changed_revision > zone.served_revision
    return sa.or_(sa.and_(changed, recordsets.c.record_count > 0), IS_SOA)
