"""Invariants under concurrent writes, in one process and in two."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections import Counter
from concurrent import futures
from datetime import timedelta

import pytest
import sqlalchemy as sa

from designate import errors
from designate.context import Context, admin_context
from designate.model.jobs import JobStatus, ZoneJob
from designate.model.query import Query
from designate.model.recordsets import RecordSetDraft
from designate.model.zones import Outcome, ZoneDraft, ZoneReport
from designate.runtime.clock import utcnow
from designate.storage.sqlalchemy import jobs, journal, serving
from designate.storage.sqlalchemy.tables import project_usage, zone_journal, zones
from tests.support.deadlines import scaled
from tests.support.factories.zone_data import Hidden
from tests.support.servers.standalone import transferred

NUMBERS = itertools.count(1)
THREADS = 32


@pytest.fixture(scope="module")
def other(hidden, tmp_path_factory):
    """The parts of a second process on the same database."""
    storage = {"connection": hidden.database.url, "max_pool_size": 40}
    with Hidden(tmp_path_factory.mktemp("other"), **{"storage:sqlalchemy": storage}) as parts:
        yield parts


@pytest.fixture
def apex():
    return f"races{next(NUMBERS)}.example{uuid.uuid4().hex[:8]}."


def somebody():
    return Context(project_id=uuid.uuid4().hex, roles=["member", "reader"], user_id="u")


def at_once(*works):
    """Return the results or errors of functions that start at the same time, each in its thread."""
    start = threading.Barrier(len(works))

    def run(work):
        start.wait(scaled(30))
        try:
            return work()
        except errors.DesignateError as error:
            return error

    with futures.ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def kinds(outcomes):
    return Counter(
        outcome.type if isinstance(outcome, errors.DesignateError) else "made"
        for outcome in outcomes
    )


def creating_zone(parts, context, name):
    return lambda: parts.central.zones.create(context, ZoneDraft(name=name, email="a@example.com"))


def creating(parts, zone, name, rtype="A", *records, context=None):
    draft = RecordSetDraft(
        name=f"{name}.{zone.name}", type=rtype, records=records or ("192.0.2.1",)
    )
    return lambda: parts.central.recordsets.create(context or parts.context, zone.id, draft)


def count(parts, table, *conditions):
    with parts.database.read() as connection:
        statement = sa.select(sa.func.count()).select_from(table).where(*conditions)
        return connection.execute(statement).scalar_one()


def test_a_quota_of_zones_is_exact(hidden, other, apex):
    context = somebody()
    hidden.central.quotas.set(admin_context(), context.project_id, {"zones": 10})

    outcomes = at_once(
        *(creating_zone((hidden, other)[n % 2], context, f"z{n}.{n}{apex}") for n in range(THREADS))
    )

    assert kinds(outcomes) == {"made": 10, "over_quota": THREADS - 10}
    assert hidden.central.zones.find(context, Query()).total_count == 10
    assert count(hidden, zones, zones.c.project_id == context.project_id) == 10


def test_a_quota_of_recordsets_is_exact(hidden, other, apex):
    context = somebody()
    zone = creating_zone(hidden, context, apex)()
    hidden.central.quotas.set(admin_context(), context.project_id, {"zone_recordsets": 12})

    outcomes = at_once(
        *(creating((hidden, other)[n % 2], zone, f"n{n}", context=context) for n in range(THREADS))
    )

    assert kinds(outcomes) == {"made": 10, "over_quota": THREADS - 10}
    assert hidden.central.recordsets.find(context, zone.id, Query()).total_count == 12


def test_a_zone_name_is_given_once(hidden, other, apex):
    contexts = [somebody() for _ in range(8)]
    outcomes = at_once(
        *(creating_zone((hidden, other)[n % 2], contexts[n % 8], apex) for n in range(16))
    )

    assert kinds(outcomes) == {"made": 1, "duplicate_zone": 15}
    projects = [context.project_id for context in contexts]
    with hidden.database.read() as connection:
        owned = connection.execute(
            sa.select(sa.func.sum(project_usage.c.zones)).where(
                project_usage.c.project_id.in_(projects)
            )
        ).scalar_one()
    assert owned == 1


def test_a_parent_and_a_child_are_never_two_projects(hidden, other, apex):
    """One of them is refused in any order, because a name belongs to the owner of the names above."""
    won = Counter()
    for turn in range(12):
        parent, child = f"p{turn}.{apex}", f"a.b.p{turn}.{apex}"
        outcomes = at_once(
            creating_zone(hidden, somebody(), parent),
            creating_zone(other, somebody(), child),
            creating_zone(other, somebody(), parent),
            creating_zone(hidden, somebody(), child),
        )
        made = kinds(outcomes)["made"]
        assert made == 1, outcomes
        won.update(kinds(outcomes))

    assert won["made"] == 12


def test_a_deleted_zone_frees_its_name_as_often_as_it_likes(hidden, apex):
    for _ in range(3):
        zone = creating_zone(hidden, hidden.context, apex)()
        hidden.central.zones.abandon(hidden.context, zone.id)
    creating_zone(hidden, hidden.context, apex)()

    with pytest.raises(errors.Duplicate):
        creating_zone(hidden, hidden.context, apex.upper())()
    assert count(hidden, zones, zones.c.name_key == apex) == 4


def test_a_recordset_is_made_once_and_a_cname_stays_alone(hidden, other, apex):
    zone = creating_zone(hidden, hidden.context, apex)()

    same = at_once(*(creating((hidden, other)[n % 2], zone, "same") for n in range(16)))
    mixed = [
        at_once(
            creating(hidden, zone, f"mix{turn}", "CNAME", "a.example.org."),
            creating(other, zone, f"mix{turn}"),
            creating(other, zone, f"MIX{turn}", "CNAME", "b.example.org."),
            creating(hidden, zone, f"mix{turn}", "TXT", '"x"'),
        )
        for turn in range(6)
    ]

    assert kinds(same) == {"made": 1, "duplicate_recordset": 15}
    for outcomes in mixed:
        made = sorted(found.type for found in outcomes if not isinstance(found, Exception))
        assert made in (["CNAME"], ["A", "TXT"]), outcomes


def test_every_change_has_a_revision_and_a_step_of_its_own(hidden, other, apex):
    zone = creating_zone(hidden, hidden.context, apex)()

    outcomes = at_once(*(creating((hidden, other)[n % 2], zone, f"n{n}") for n in range(THREADS)))
    after = hidden.fresh(zone)
    with hidden.database.read() as connection:
        steps = connection.execute(
            sa.select(zone_journal)
            .where(zone_journal.c.zone_id == zone.id)
            .order_by(zone_journal.c.revision)
        ).all()

    assert kinds(outcomes) == {"made": THREADS}
    assert [step.revision for step in steps] == list(range(2, THREADS + 2))
    assert [step.from_serial for step in steps] == [zone.serial, *(s.to_serial for s in steps)][:-1]
    assert (after.revision, after.serial) == (steps[-1].revision, steps[-1].to_serial)


def test_reports_in_any_order_keep_the_highest(hidden, other, apex):
    zone = creating_zone(hidden, hidden.context, apex)()
    for number in range(8):
        creating(hidden, zone, f"n{number}")()
    after = hidden.fresh(zone)

    def report(parts, revision):
        proven = ZoneReport(
            zone_id=zone.id, revision=revision, serial=after.serial, outcome=Outcome.SERVED
        )
        return lambda: parts.central.status.report(admin_context(), proven)

    order = [9, 3, 7, 1, 5, 2, 8, 4]
    outcomes = at_once(*(report((hidden, other)[n % 2], n) for n in order))

    assert [found for found in outcomes if isinstance(found, Exception)] == []
    shown = hidden.fresh(zone)
    assert (shown.revision, shown.served_revision, str(shown.status)) == (9, 9, "ACTIVE")
    assert shown.serial == after.serial


def test_a_task_is_claimed_once(hidden, other):
    now = utcnow()
    task = ZoneJob(id=str(uuid.uuid4()), project_id="p", status=JobStatus.PENDING, created_at=now)
    hidden.database.write(lambda tx: jobs.insert(tx, task, "IMPORT", {}, {}))

    def claim(parts):
        return lambda: parts.database.write(lambda tx: jobs.claim(tx, task.id, now, 60))

    first = at_once(*(claim((hidden, other)[n % 2]) for n in range(16)))
    later = hidden.database.write(
        lambda tx: jobs.claim(tx, task.id, now + timedelta(seconds=61), 60)
    )

    assert sum(found is not None for found in first) == 1
    assert later.attempts == 2


def test_what_a_reader_sees_does_not_change_under_it(hidden, other, apex):
    zone = creating_zone(hidden, hidden.context, apex)()
    creating(hidden, zone, "before")()
    view = serving.View(pool_id=zone.pool_id)
    with hidden.database.read() as connection:
        seen = serving.find_zone(connection, view, [apex])
        creating(other, zone, "meanwhile", "A", "192.0.2.77")()
        again = serving.find_zone(connection, view, [apex])
        content = b"".join(wire for *_, wire in serving.stream(connection, zone.id))
        meanwhile = serving.at_names(connection, zone.id, [f"meanwhile.{apex}"])
        span = journal.find_span(connection, zone.id, seen.serial)
    with hidden.database.read() as connection:
        now = serving.find_zone(connection, view, [apex])

    assert seen == again
    assert bytes([192, 0, 2, 77]) not in content
    assert meanwhile == []
    assert span is None
    assert now.revision == seen.revision + 1


def test_a_transfer_while_writes_go_on_is_one_revision(hidden, other, apex):
    """Each change adds one address, so that the copy's serial gives its number of addresses."""
    zone = creating_zone(hidden, hidden.context, apex)()
    ending = threading.Event()

    def write(parts, label):
        number = 0
        while not ending.is_set():
            creating(parts, zone, f"{label}{number}")()
            number += 1

    writers = [
        threading.Thread(target=write, args=(parts, label))
        for parts, label in ((hidden, "a"), (other, "b"))
    ]
    for writer in writers:
        writer.start()
    copies = [transferred(hidden.address, apex) for _ in range(12)]
    ending.set()
    for writer in writers:
        writer.join(scaled(30))
    with hidden.database.read() as connection:
        steps = connection.execute(
            sa.select(zone_journal.c.to_serial, zone_journal.c.revision).where(
                zone_journal.c.zone_id == zone.id
            )
        )
        revisions = {row.to_serial: row.revision for row in steps} | {zone.serial: 1}

    for copy in copies:
        addresses = sum(1 for _ in copy.iterate_rdatas("A"))
        assert revisions[copy.get_soa().serial] == addresses + 1
    assert len({copy.get_soa().serial for copy in copies}) > 1
