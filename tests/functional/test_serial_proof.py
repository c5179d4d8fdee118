"""A report proves its own revision, and only by serials that this service assigned."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from designate.context import admin_context
from designate.model.zones import Outcome, Status, ZoneReport
from designate.runtime.clock import utcnow
from designate.wire.names import SERIAL_MODULUS, serial_gt
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.clock import ManualClock

NUMBERS = itertools.count(1)
REASON = "nameserver ns: serial 7 is ahead of the zone's 5"


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("hidden")) as parts:
        yield parts


@pytest.fixture
def zone(hidden):
    return hidden.zone(f"proof{next(NUMBERS)}.example.")


def served(zone, serial=None, newest=None, **members):
    """Return the report of a worker whose nameservers have serials from `serial` to `newest`."""
    found = ZoneReport(
        zone_id=zone.id,
        revision=zone.revision,
        serial=zone.serial if serial is None else serial,
        newest=newest,
        outcome=Outcome.SERVED,
        error=None if newest is None else REASON,
    )
    return replace(found, **members)


def send(parts, report, zone):
    parts.central.status.report(admin_context(), report)
    return parts.fresh(zone)


def plus(serial, number):
    return (serial + number) % SERIAL_MODULUS


def test_a_report_proves_no_newer_revision_than_its_own(hidden, zone):
    hidden.add(zone, "www", "A", "192.0.2.1")
    newer = hidden.fresh(zone)

    after = send(hidden, served(zone, serial=newer.serial, newest=newer.serial), zone)
    end = send(hidden, served(newer), zone)

    assert (after.served_revision, after.status) == (zone.revision, Status.PENDING)
    assert after.serial == newer.serial, "the newer change's own announcement proves it"
    assert (end.served_revision, end.status) == (newer.revision, Status.ACTIVE)


@pytest.mark.parametrize("distance", [1, 100_000, 2**31 - 1])
def test_a_serial_ahead_proves_nothing_and_is_passed(hidden, zone, distance):
    ahead = plus(zone.serial, distance)

    after = send(hidden, served(zone, newest=ahead), zone)

    assert (after.served_revision, after.status, after.error) == (0, Status.PENDING, REASON)
    assert after.revision == zone.revision + 1
    assert serial_gt(after.serial, ahead)
    assert hidden.worker.changes[-1].serial == after.serial


def test_the_serial_of_a_signer_that_does_not_follow_is_passed(hidden, zone):
    ahead = plus(zone.serial, 40)

    after = send(hidden, served(zone, newest=ahead, outcome=Outcome.LATE), zone)
    again = send(hidden, served(zone, newest=ahead, outcome=Outcome.LATE), zone)

    assert (after.served_revision, after.status, after.error) == (0, Status.PENDING, REASON)
    assert (after.revision, after.serial > ahead) == (zone.revision + 1, True)
    assert again.revision == after.revision, "it is of an older revision"


def test_a_serial_ahead_from_a_worker_of_an_older_release_proves_nothing(hidden, zone):
    after = send(hidden, served(zone, serial=plus(zone.serial, 10)), zone)

    assert (after.served_revision, after.status) == (0, Status.PENDING)
    assert "serial" in after.error


def test_another_serial_than_the_zone_s_does_not_prove_its_revision(hidden, zone):
    after = send(hidden, served(zone, serial=plus(zone.serial, -1)), zone)

    assert (after.served_revision, after.status) == (0, Status.PENDING)


def test_a_proven_zone_whose_nameserver_is_ahead_is_no_longer_active(hidden, zone):
    send(hidden, served(zone), zone)
    ahead = plus(zone.serial, 50)

    after = send(hidden, served(zone, newest=ahead), zone)

    assert (after.status, after.served_revision) == (Status.PENDING, zone.revision)
    assert serial_gt(after.serial, ahead)


def test_a_serial_that_jumps_is_passed_less_and_less_often(tmp_path):
    clock = ManualClock(utcnow())
    with Hidden(tmp_path, clock.now) as parts:
        zone = parts.zone("jumps.example.")
        moved = []
        for second in range(1200):
            current = parts.fresh(zone)
            report = served(current, newest=plus(current.serial, 1000))
            if send(parts, report, zone).revision > current.revision:
                moved.append(second)
            clock.advance(seconds=1)

    waits = [later - earlier for earlier, later in itertools.pairwise(moved)]
    assert moved[0] == 0
    assert len(moved) < 12
    assert waits == sorted(waits)
    assert waits[0] >= 5
    assert waits[-1] > 100


def test_a_serial_ahead_of_an_older_change_is_left_to_the_newest(hidden, zone):
    hidden.add(zone, "www", "A", "192.0.2.1")
    newer = hidden.fresh(zone)

    after = send(hidden, served(zone, newest=plus(newer.serial, 9)), zone)

    assert (after.revision, after.served_revision, after.error) == (newer.revision, 0, None)
