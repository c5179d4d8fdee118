"""Results of searches in a zone are cached until the zone changes."""

from __future__ import annotations

import itertools
import uuid

import pytest
import sqlalchemy as sa

from designate import errors
from designate.context import Context
from designate.model.query import Query
from designate.model.recordsets import RecordSetDraft, RecordSetPatch
from designate.model.zones import Outcome, ZoneDraft
from designate.storage.sqlalchemy import zones
from designate.storage.sqlalchemy.db import json_rows
from designate.storage.sqlalchemy.listing import recordsets
from designate.storage.sqlalchemy.listing.pagination import Scope
from designate.storage.sqlalchemy.listing.result_cache import (
    MAX_CACHED_BYTES,
    MAX_FILTER_CHARS,
    CachedResult,
    OrderedIds,
    ResultCache,
)

NUMBERS = itertools.count(1)


class Here:
    """A zone, its lists in one process, and the statements that they execute."""

    def __init__(self, hidden) -> None:
        self.context = Context(project_id=uuid.uuid4().hex, roles=["member", "reader"], user_id="u")
        self.central = hidden.central
        self.database = hidden.database
        draft = ZoneDraft(name=f"answers{next(NUMBERS)}.example.", email="a@example.com")
        self.zone = self.central.zones.create(self.context, draft)
        # No page is slow, however busy the machine is.
        self.cache = ResultCache(slow_s=60)
        self.statements: list[str] = []

    def add(self, label, *records, rtype="A", **more):
        draft = RecordSetDraft(
            name=f"{label}.{self.zone.name}", type=rtype, records=records, **more
        )
        return self.central.recordsets.create(self.context, self.zone.id, draft)

    def list(
        self, limit=100, count=True, marker=None, sort_key="created_at", sort_dir="asc", **how
    ):
        """Return (labels, total_count) and set `statements` to those of this list."""
        query = Query(filters=how, marker=marker, sort_key=sort_key, sort_dir=sort_dir)
        scope = Scope(project_id=self.context.project_id)
        with self.database.read() as connection:
            zone, held = zones.get_with_recordset_count(connection, self.zone.id, scope)
            self.statements = []
            sa.event.listen(
                connection, "before_cursor_execute", lambda *told: self.statements.append(told[2])
            )
            page = recordsets.list_in_zone(
                connection, query, zone, held, self.cache, limit=limit, count=count
            )
        return [item.name.split(".")[0] for item in page.items], page.total_count

    def statuses(self):
        """Return the values of everything that the zone's list shows."""
        items = self.central.recordsets.find(self.context, self.zone.id, Query()).items
        return {item.status for item in items}


@pytest.fixture
def here(hidden):
    return Here(hidden)


@pytest.fixture
def long(request, here):
    """Set after how many seconds a page was slow, which differs from machine to machine."""
    here.cache = ResultCache(slow_s=request.param)


FILTERS = [
    {"name": "*n*"}, {"name": "*.example."}, {"data": "*192.0.2.*"}, {"data": "192*"}, {"ttl": "6*"},
    {"type": "A"}, {"description": "d*"}, {"name": "*n*", "data": "192*", "type": "A", "ttl": "60"},
]  # fmt: skip


@pytest.mark.parametrize("few", [1, 1000], indirect=True)
@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.usefixtures("few")
def test_the_same_list_again_looks_for_nothing(here, filters):
    for label in ("n1", "n2", "n3"):
        here.add(label, "192.0.2.1", "192.0.2.2", ttl=60, description="d")
    found, total = here.list(limit=2, **filters)

    again = here.list(limit=2, **filters)

    assert again == (found, total)
    assert len(here.statements) == 1
    assert "count(" not in here.statements[0]


@pytest.mark.parametrize("few", [1, 1000], indirect=True)
@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.usefixtures("few")
def test_every_change_of_the_zone_is_seen(here, filters):
    """No change waits for the cache."""
    empty = here.add("n0", ttl=70, description="d")
    made = here.add("n1", "192.0.2.1", ttl=60, description="d")
    change = here.central.recordsets
    steps = [
        lambda: here.add("n2", "192.0.2.2", ttl=60, description="d"),
        lambda: here.add("n3", ttl=60, description="d"),
        lambda: change.update(
            here.context, here.zone.id, made.id, RecordSetPatch(records=("198.51.100.1",), ttl=5)
        ),
        lambda: change.update(
            here.context, here.zone.id, made.id, RecordSetPatch(description=None)
        ),
        lambda: change.update(
            here.context, here.zone.id, empty.id, RecordSetPatch(description=None, ttl=5)
        ),
        lambda: change.delete(here.context, here.zone.id, empty.id),
        lambda: change.delete(here.context, here.zone.id, made.id),
    ]
    for step in steps:
        here.list(**filters)
        step()
        cached = here.list(**filters)
        here.cache = ResultCache(slow_s=60)
        assert cached == here.list(**filters)


@pytest.mark.parametrize("few", [1, 1000], indirect=True)
@pytest.mark.parametrize("long", [0, 60], indirect=True)
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(
    "key", ["created_at", "id", "name", "ttl", "type", "updated_at", "zone_id"]
)
@pytest.mark.parametrize("filters", [{"data": "*1*"}, {"name": "*n*"}, {"type": "*"}])
@pytest.mark.usefixtures("few", "long")
def test_pages_are_the_same_however_they_are_found(here, key, direction, filters):
    for number in range(5):
        rtype, text = ("TXT", f'"1{"x" * 200}"') if number % 2 else ("A", "192.0.2.1")
        # Two records of one recordset count once.
        more = () if number % 2 else ("192.0.2.11",)
        here.add(f"n{number}", text, *more, rtype=rtype, ttl=None if number % 3 else 60)
    order = {"sort_key": key, "sort_dir": direction}
    every, total = here.list(**order, **filters)
    with here.database.read() as connection:
        page = recordsets.list_across_zones(
            connection, Query(filters=filters, **order),
            Scope(project_id=here.context.project_id), limit=100, count=True,
        )  # fmt: skip
    ids = [item.id for item in page.items]

    assert [item.name.split(".")[0] for item in page.items] == every
    assert total == len(every) >= 5
    for _ in range(3):
        shown = []
        for start in (0, 2, 4, 6):
            marker = ids[start - 1] if start else None
            if start <= len(ids):
                found, counted = here.list(limit=2, marker=marker, **order, **filters)
                shown += found
                assert counted == total
        assert shown == every


@pytest.mark.parametrize("few", [1], indirect=True)
@pytest.mark.parametrize("long", [0], indirect=True)
@pytest.mark.parametrize("filters", [{"data": "192*"}, {"name": "n*"}])
@pytest.mark.usefixtures("few", "long")
def test_a_marker_that_the_filters_leave_out_begins_the_page_behind_it(here, filters):
    here.add("n1", "192.0.2.1")
    other = here.add("other", "198.51.100.1")
    here.add("n2", "192.0.2.1")
    here.add("n3", "192.0.2.1")

    for _ in range(3):
        assert here.list(**filters) == (["n1", "n2", "n3"], 3)
        assert here.list(marker=other.id, **filters) == (["n2", "n3"], 3)
        for marker in (str(uuid.uuid4()), other.id[:-1], other.id[1:], ""):
            with pytest.raises(errors.BadRequest):
                here.list(marker=marker, **filters)


@pytest.mark.parametrize("few", [1], indirect=True)
@pytest.mark.usefixtures("few")
def test_a_zone_too_large_to_be_put_in_order_is_listed_the_long_way(here):
    for number in range(4):
        here.add(f"n{number}", "192.0.2.1")
    here.cache = ResultCache(slow_s=0, max_ordered=5)

    for filters in ({"data": "192*"}, {"name": "n*"}):
        for _ in range(3):
            assert here.list(limit=2, **filters) == (["n0", "n1"], 4)


@pytest.mark.parametrize("few", [1], indirect=True)
@pytest.mark.usefixtures("few")
def test_recordsets_of_more_records_than_are_put_in_order_are_all_found(here):
    for number in range(4):
        here.add(f"n{number}", *(f"192.0.2.{host}" for host in range(5)))
    here.cache = ResultCache(slow_s=60, max_ordered=12)

    for _ in range(2):
        assert here.list(data="192*") == (["n0", "n1", "n2", "n3"], 4)


def test_only_ids_of_one_length_are_kept_in_order():
    with pytest.raises(ValueError):
        OrderedIds([str(uuid.uuid4()), uuid.uuid4().hex])


def test_what_is_served_meanwhile_is_seen(hidden, here):
    here.add("n1", "192.0.2.1")
    pending, active = {"status": "PENDING", "name": "*n1*"}, {"status": "ACTIVE", "name": "*n1*"}
    assert (here.list(**pending), here.list(**active)) == ((["n1"], 1), ([], 0))
    assert here.statuses() == {"PENDING"}

    hidden.report(here.zone.id, Outcome.SERVED)

    assert (here.list(**pending), here.list(**active)) == (([], 0), (["n1"], 1))
    assert here.statuses() == {"ACTIVE"}


def test_a_list_that_is_not_counted_shows_the_same(here):
    for number in range(3):
        here.add(f"n{number}", "192.0.2.1")

    for filters in ({"name": "n*"}, {"type": "A"}, {"data": "192*"}):
        for count in (False, True, False):
            assert here.list(limit=2, count=count, **filters)[0] == ["n0", "n1"]


@pytest.mark.parametrize("shortened", [False, True])
def test_a_column_is_read_whole_and_in_order(here, shortened):
    """A proxy may have lost the session's limit of a text's length."""
    ids = [here.add(f"n{number:02}", "192.0.2.1").id for number in range(40)]
    table = recordsets.recordsets
    statement = (
        sa.select(table.c.id)
        .where(table.c.zone_id == here.zone.id, table.c.type == "A")
        .order_by(table.c.name_key.desc())
    )
    with here.database.read() as connection:
        if shortened and connection.dialect.name == "mysql":
            connection.exec_driver_sql("SET SESSION group_concat_max_len = 100")
        found = json_rows.read_ids(connection, statement, 100)
        bounded = json_rows.read_ids(connection, statement, 9)
        none = json_rows.read_ids(connection, statement.where(sa.false()), 9)
        if connection.dialect.name == "mysql":
            connection.invalidate()

    assert found == ids[::-1]
    assert bounded == found[:10]
    assert none == []


def test_what_is_kept_is_bounded_and_the_oldest_is_forgotten(here):
    cache = ResultCache()
    ids = OrderedIds([str(uuid.uuid4())] * 50_000)

    for number in range(100):
        cache.store(here.zone, Query(filters={"name": f"{number}"}), CachedResult(1, ordered=ids))
    cached = [
        number
        for number in range(100)
        if cache.get(here.zone, Query(filters={"name": f"{number}"})) is not None
    ]
    cache.store(here.zone, Query(filters={"name": "x" * (MAX_FILTER_CHARS + 1)}), CachedResult(1))

    assert cached == list(range(100 - len(cached), 100))
    assert len(ids) * 36 * len(cached) <= MAX_CACHED_BYTES < len(ids) * 36 * (len(cached) + 2)
    assert cache.get(here.zone, Query(filters={"name": "x" * (MAX_FILTER_CHARS + 1)})) is None
