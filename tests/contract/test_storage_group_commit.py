"""Changes of one zone that wait for each other share a transaction, with the same results as one by one."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from designate import errors
from designate.context import Context
from designate.model.query import Query
from designate.model.recordsets import RecordSetDraft, RecordSetPatch
from designate.model.zones import Zone
from designate.storage.sqlalchemy.tables import records, zone_journal, zones
from tests.support.deadlines import scaled, until
from tests.support.factories.zone_data import Hidden
from tests.support.servers.standalone import transferred

NUMBERS = itertools.count(1)
Work = Callable[[], Any]


@pytest.fixture
def zone(hidden: Hidden) -> Zone:
    return hidden.zone(f"together{next(NUMBERS)}.example.")


def run_batch(hidden: Hidden, locked_id: str, writes: list[Work]) -> list[Any]:
    """Return the outcomes of writers that queued in this order for the row of this id, in threads."""
    queue = "" if hidden.database.is_sqlite else locked_id
    entered, gate = threading.Event(), threading.Event()

    def hold(_tx: object) -> None:
        entered.set()
        assert gate.wait(scaled(20))

    def outcome(work: Work) -> Any:
        try:
            return work()
        except errors.DesignateError as error:
            return error

    with futures.ThreadPoolExecutor(len(writes) + 1) as threads:
        first = threads.submit(hidden.database.write, hold, locked_id)
        assert entered.wait(scaled(10))
        found = []
        for number, work in enumerate(writes, 1):
            found.append(threads.submit(outcome, work))
            until(
                lambda number=number: hidden.database._queues.waiting(queue) == number,
                10,
                "the work to wait",
            )
        gate.set()
        first.result(20)
        return [future.result(20) for future in found]


@contextmanager
def recorded(hidden: Hidden, event: str) -> Iterator[list[tuple[Any, ...]]]:
    """Record the arguments of an event of SQLAlchemy on the engine for writes."""
    seen: list[tuple[Any, ...]] = []

    def record(*arguments: object) -> None:
        seen.append(arguments)

    sa.event.listen(hidden.database.engine, event, record)
    try:
        yield seen
    finally:
        sa.event.remove(hidden.database.engine, event, record)


@contextmanager
def statements(hidden: Hidden) -> Iterator[list[str]]:
    """Record the statements on the engine for writes, to be read at the end."""
    found: list[str] = []
    with recorded(hidden, "before_cursor_execute") as seen:
        yield found
    found += [arguments[2] for arguments in seen]


def create(hidden: Hidden, zone: Zone, name: str, rtype: str = "A", *texts: str) -> Work:
    return lambda: hidden.add(zone, name, rtype, *(texts or ("192.0.2.1",)))


def update(hidden: Hidden, zone: Zone, made: Any, *texts: str) -> Work:
    patch = RecordSetPatch(records=texts)
    return lambda: hidden.central.recordsets.update(hidden.context, zone.id, made.id, patch)


def delete(hidden: Hidden, zone: Zone, made: Any) -> Work:
    return lambda: hidden.central.recordsets.delete(hidden.context, zone.id, made.id)


def assert_sound(hidden: Hidden, zone: Zone, changes: int) -> None:
    """Assert that each change has its own revision and journal step, and that the counts match the rows.

    A copy by IXFR from the first serial on must be the whole zone.
    """
    with hidden.database.read() as connection:
        row = connection.execute(sa.select(zones).where(zones.c.id == zone.id)).one()
        steps = connection.execute(
            sa.select(zone_journal)
            .where(zone_journal.c.zone_id == zone.id, zone_journal.c.revision > zone.revision)
            .order_by(zone_journal.c.revision)
        ).all()
        kept = connection.execute(
            sa.select(sa.func.count()).where(records.c.zone_id == zone.id)
        ).scalar_one()
    page = hidden.central.recordsets.find(hidden.context, zone.id, Query(limit=1000))
    shown = [found for found in page.items if not found.managed]

    assert [step.revision - zone.revision for step in steps] == list(range(1, changes + 1))
    assert [step.from_serial for step in steps] == [zone.serial, *(s.to_serial for s in steps)][:-1]
    assert (row.revision, row.serial) == (steps[-1].revision, steps[-1].to_serial)
    assert row.version == zone.version + changes
    assert row.recordset_count == len(page.items) == page.total_count
    assert row.record_count == sum(len(found.records) for found in shown)
    managed = sum(len(found.records) for found in page.items if found.managed)
    assert kept == row.record_count + managed - 1, "the SOA's is in the zone's row"
    served = {
        (str(name.derelativize(copy.origin)), rdata.to_text())
        for copy in [transferred(hidden.address, zone.name)]
        for name, _, rdata in copy.iterate_rdatas("A")
    }
    assert served == {(f.name, text) for f in shown for text in f.records if f.type == "A"}


def test_what_waits_together_costs_little_more_than_one(hidden: Hidden, zone: Zone) -> None:
    old = [hidden.add(zone, f"old{number}", "A", "192.0.2.9") for number in range(3)]
    before = hidden.fresh(zone)

    with statements(hidden) as seen:
        outcomes = run_batch(
            hidden,
            zone.id,
            [
                *(create(hidden, zone, f"new{number}") for number in range(10)),
                update(hidden, zone, old[0], "192.0.2.10", "192.0.2.11"),
                update(hidden, zone, old[1], "192.0.2.12"),
                delete(hidden, zone, old[2]),
            ],
        )

    assert [found for found in outcomes if isinstance(found, Exception)] == []
    assert [found.name.partition(".")[0] for found in outcomes[:10]] == [
        f"new{number}" for number in range(10)
    ]
    # The zone, ten names, two recordsets to change with four statements each, one to delete with
    # two; then all recordsets, their records, the steps and the zone's row.
    own = [text for text in seen if not text.startswith(("BEGIN", "SAVEPOINT"))]
    assert len(own) == 1 + 10 + 2 * 4 + 2 + 4, seen
    assert not [text for text in seen if text.startswith("SAVEPOINT")], "nothing failed"
    assert_sound(hidden, before, 13)


def test_what_fails_fails_alone(hidden: Hidden, zone: Zone) -> None:
    old = hidden.add(zone, "old", "A", "192.0.2.9")
    before = hidden.fresh(zone)

    outcomes = run_batch(
        hidden,
        zone.id,
        [
            create(hidden, zone, "one"),
            create(hidden, zone, "one", "CNAME", "x.example.org."),
            create(hidden, zone, "ONE"),
            create(hidden, zone, "one", "TXT", '"beside"'),
            delete(hidden, zone, old),
            update(hidden, zone, old, "192.0.2.7"),
            create(hidden, zone, "old", "A", "192.0.2.77"),
        ],
    )

    kinds = [getattr(found, "type", "") for found in outcomes]
    assert kinds == [
        "A",
        "invalid_recordset_location",
        "duplicate_recordset",
        "TXT",
        "A",
        "recordset_not_found",
        "A",
    ]
    assert_sound(hidden, before, 4)


def test_a_name_twice_in_one_batch_is_seen(hidden: Hidden, zone: Zone) -> None:
    """Both may exist, so that nothing fails and nothing is run again."""
    before = hidden.fresh(zone)

    with statements(hidden) as seen:
        outcomes = run_batch(
            hidden,
            zone.id,
            [
                create(hidden, zone, "both"),
                create(hidden, zone, "both", "TXT", '"beside"'),
                create(hidden, zone, "other"),
            ],
        )

    assert [found.type for found in outcomes] == ["A", "TXT", "A"]
    assert not [text for text in seen if text.startswith("SAVEPOINT")]
    assert_sound(hidden, before, 3)


def test_a_cname_stays_alone_within_a_batch(hidden: Hidden, zone: Zone) -> None:
    """No constraint of the database would refuse it."""
    outcomes = run_batch(
        hidden,
        zone.id,
        [create(hidden, zone, "one"), create(hidden, zone, "ONE", "CNAME", "x.example.org.")],
    )

    assert [found.type for found in outcomes] == ["A", "invalid_recordset_location"]
    assert_sound(hidden, zone, 1)


def test_the_limit_holds_within_a_batch(hidden: Hidden, zone: Zone) -> None:
    project = hidden.fresh(zone).project_id
    admin = Context(project_id=project, roles=["admin"], all_projects=True)
    hidden.central.quotas.set(admin, project, {"zone_recordsets": 5})
    try:
        outcomes = run_batch(
            hidden, zone.id, [create(hidden, zone, f"n{number}") for number in range(8)]
        )
    finally:
        hidden.central.quotas.reset(admin, project)

    made = [found for found in outcomes if not isinstance(found, Exception)]
    assert len(made) == 5 - 2, "the SOA and the NS count"
    assert {found.type for found in outcomes if isinstance(found, Exception)} == {"over_quota"}
    assert_sound(hidden, zone, 3)


def test_two_projects_in_one_batch_see_what_is_theirs(hidden: Hidden, zone: Zone) -> None:
    stranger = Context(project_id="stranger", roles=["member"])
    draft = RecordSetDraft(name=f"x.{zone.name}", type="A", records=("192.0.2.5",))

    outcomes = run_batch(
        hidden,
        zone.id,
        [
            create(hidden, zone, "own"),
            lambda: hidden.central.recordsets.create(stranger, zone.id, draft),
            create(hidden, zone, "own2"),
        ],
    )

    assert [type(found).__name__ for found in outcomes] == ["RecordSet", "NotFound", "RecordSet"]
    assert_sound(hidden, zone, 2)


def test_new_zones_of_a_project_are_stored_together_and_refused_alone(hidden: Hidden) -> None:
    names = [f"new{next(NUMBERS)}.example." for _ in range(4)]
    writes: list[Work] = [lambda name=name: hidden.zone(name) for name in [*names, names[0]]]
    assert hidden.context.project_id is not None

    with recorded(hidden, "commit") as stored:
        outcomes = run_batch(hidden, hidden.context.project_id, writes)
    twice = outcomes.pop()

    assert [zone.name for zone in outcomes] == names
    assert isinstance(twice, errors.Duplicate)
    assert len(stored) == 2, "who held the project, and all of them"
    assert {transferred(hidden.address, name).origin.to_text() for name in names} == {*names}
