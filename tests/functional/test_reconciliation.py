"""Reconciliation: nameservers that lost zones, or serve unknown serials, are found and repaired."""

from __future__ import annotations

import itertools
import logging

import pytest

from designate.backend import rndc, rndc_key
from designate.central.status import MAX_IN_FLIGHT
from designate.context import admin_context
from designate.model.shards import SHARDS
from designate.model.zones import Outcome, Status, ZoneReport
from designate.runtime.clock import utcnow
from designate.wire.names import serial_gt
from tests.support.deadlines import until
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.clock import ManualClock
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.standalone import Service, ask, texts, transferred

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("hidden")) as parts:
        yield parts


@pytest.fixture
def converged(hidden):
    """Create a zone, and report it as served."""
    zone = hidden.zone(f"converged{next(NUMBERS)}.example.")
    hidden.central.status.report(admin_context(), report(zone, Outcome.SERVED))
    return hidden.fresh(zone)


def report(zone, outcome, serial=None):
    return ZoneReport(
        zone_id=zone.id,
        revision=zone.revision,
        serial=zone.serial if serial is None else serial,
        outcome=outcome,
        error="nameserver ns: missing",
    )


def report_drift(hidden, zone, serial=None):
    hidden.central.status.report(admin_context(), report(zone, Outcome.DRIFTED, serial))
    return hidden.fresh(zone)


def test_a_zone_that_is_lost_waits_until_it_is_served_again(hidden, converged, caplog):
    with caplog.at_level(logging.WARNING):
        lost = report_drift(hidden, converged)
    hidden.central.status.report(admin_context(), report(converged, Outcome.SERVED))
    back = hidden.fresh(converged)

    assert (str(lost.status), str(lost.action)) == ("PENDING", "UPDATE")
    assert lost.served_revision == converged.revision - 1
    assert (lost.revision, lost.serial) == (converged.revision, converged.serial), "nothing changed"
    assert "no longer served: nameserver ns: missing" in caplog.text
    assert (back.status, back.served_revision) == (Status.ACTIVE, converged.revision)


def test_the_sweep_sees_to_a_lost_zone_when_the_worker_does_not(hidden, converged):
    lost = report_drift(hidden, converged)
    hidden.worker.changes.clear()

    def handed_out():
        hidden.central.status.recover(admin_context(), 0, SHARDS - 1, 100)
        return [change for change in hidden.worker.changes if change.zone_id == lost.id]

    found = until(handed_out, 10, "the sweep")

    assert found[0].again


def test_a_slow_nameserver_leaves_the_zone_pending_and_is_named(hidden, caplog):
    zone = hidden.zone(f"slow{next(NUMBERS)}.example.")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            hidden.central.status.report(admin_context(), report(zone, Outcome.LATE))
    log = caplog.text
    late = hidden.fresh(zone)
    hidden.central.status.report(admin_context(), report(zone, Outcome.FAILED))
    failed = hidden.fresh(zone)
    hidden.central.status.report(admin_context(), report(zone, Outcome.LATE))
    again = hidden.fresh(zone)

    assert (str(late.status), str(late.action), late.error) == (
        "PENDING",
        "CREATE",
        "nameserver ns: missing",
    )
    assert log.count("revision 1 late: nameserver ns: missing") == 1
    assert [str(found.status) for found in (failed, again)] == ["ERROR", "PENDING"]


def test_the_sweep_hands_out_no_more_than_is_on_its_way_and_goes_on_as_zones_are_served(tmp_path):
    clock = ManualClock(utcnow())
    most, half = MAX_IN_FLIGHT, MAX_IN_FLIGHT // 2

    def sweep(parts, limit=2 * MAX_IN_FLIGHT):
        clock.advance(seconds=0.1)
        parts.worker.changes.clear()
        count = parts.central.status.recover(admin_context(), 0, SHARDS - 1, limit)
        found = [change.zone_id for change in parts.worker.changes]
        assert len(found) == count
        return found

    with Hidden(tmp_path, clock.now) as parts:
        zones = []
        for number in range(most + 3):
            clock.advance(seconds=0.1)
            zones.append(parts.zone(f"z{number}.example."))
        ids = [zone.id for zone in zones]
        clock.advance(seconds=10)
        first = [sweep(parts, half), sweep(parts), sweep(parts)]
        parts.central.status.report(admin_context(), report(zones[1], Outcome.SERVED))
        second = [sweep(parts), sweep(parts)]
        clock.advance(seconds=4)  # past recover_after: announcements count as lost
        third = [sweep(parts), sweep(parts)]

    assert first == [ids[:half], ids[half:most], []]
    assert second == [ids[most : most + 1], []]
    assert third[0][:2] == ids[most + 1 :]
    assert set(third[0][2 : half + 1]) == {ids[0], *ids[2:half]}, "those of the first batch"
    assert (len(third[0]), third[1]) == (most, [])


def test_a_late_zone_is_handed_out_as_seldom_as_a_failed_one(tmp_path):
    clock = ManualClock(utcnow())
    with Hidden(tmp_path, clock.now) as parts:
        late, waiting = parts.zone("late.example."), parts.zone("waiting.example.")
        parts.central.status.report(admin_context(), report(late, Outcome.LATE))
        found = []
        for _ in range(5):
            clock.advance(seconds=4)
            parts.worker.changes.clear()
            parts.central.status.recover(admin_context(), 0, SHARDS - 1, 100)
            found.append({change.zone_id for change in parts.worker.changes})
        changed = parts.add(late, "www", "A", "192.0.2.1")
        clock.advance(seconds=4)
        parts.worker.changes.clear()
        parts.central.status.recover(admin_context(), 0, SHARDS - 1, 100)

    assert [late.id in handed for handed in found] == [False, False, False, True, False]
    assert all(waiting.id in handed for handed in found)
    assert changed.zone_id in {change.zone_id for change in parts.worker.changes}, "it is new again"


def test_what_is_old_news_changes_nothing(hidden, converged):
    hidden.add(converged, "www", "A", "192.0.2.1")
    waiting = report_drift(hidden, converged)

    assert waiting.revision == converged.revision + 1
    assert waiting.served_revision == converged.revision


def test_a_zone_passes_a_serial_that_it_never_gave(hidden, converged):
    ahead = (converged.serial + 100_000) % 2**32

    after = report_drift(hidden, converged, ahead)

    assert serial_gt(after.serial, ahead)
    assert (after.revision, str(after.status)) == (converged.revision + 1, "PENDING")
    assert hidden.worker.changes[-1].serial == after.serial
    assert transferred(hidden.address, converged.name).get_soa().serial == after.serial


def test_zones_are_handed_out_in_pages_and_none_that_waits(tmp_path):
    with Hidden(tmp_path) as parts:
        zones = [parts.zone(f"page{number}.example.") for number in range(7)]
        for zone in zones[:5]:
            parts.central.status.report(admin_context(), report(zone, Outcome.SERVED))
        after, pages = "", 0
        while pages == 0 or after:
            after = parts.central.sweeps.reconcile(admin_context(), 0, SHARDS - 1, 2, after)
            pages += 1
        halves = sum(
            (
                parts.central.sweeps.reconcile(admin_context(), first, last, 100, "") == ""
                for first, last in ((0, 2047), (2048, SHARDS - 1))
            )
        )

    wanted = sorted(zone.id for zone in zones[:5])
    assert [change.zone_id for change in parts.worker.checked[:5]] == wanted
    assert sorted(change.zone_id for change in parts.worker.checked[5:]) == wanted
    assert (pages, halves) == (3, 2)
    assert all(change.again and change.created for change in parts.worker.checked)


def test_a_bind_that_lost_its_zones_gets_them_back(tmp_path, caplog):
    port = free_port()
    task = {"producer_task:periodic_reconciliation": {"interval": 0.5, "rate": 1000}}
    with (
        Named(tmp_path / "bind") as bind,
        Service(tmp_path, bind, port, **task) as service,
    ):
        zones = [service.zone(f"lost{number}.example.") for number in range(3)]
        for zone in zones:
            service.recordset(zone, f"www.{zone['name']}", "A", ["192.0.2.7"])
        for zone in zones:
            service.active(f"/zones/{zone['id']}")
        address = ("127.0.0.1", bind.port)
        www = f"www.{zones[0]['name']}"

        def served():
            return texts(ask(address, www, "A")) == {"192.0.2.7"}

        key = rndc_key.load(str(bind.key_file), None, "127.0.0.1")
        rndc.command("127.0.0.1", bind.rndc_port, key, f"delzone -clean {zones[0]['name']}", 5)
        assert not served()
        until(served, 20, "the zone that was deleted at the server")
        service.active(f"/zones/{zones[0]['id']}")

        bind.stop()
        bind.wipe()
        bind.start()
        until(
            lambda: all(
                texts(ask(address, f"www.{zone['name']}", "A")) == {"192.0.2.7"} for zone in zones
            ),
            30,
            "all zones of the rebuilt server",
        )
        shown = [service.active(f"/zones/{zone['id']}") for zone in zones]
        copies = [transferred(address, zone["name"]) for zone in zones]
        truth = [transferred(service.dns, zone["name"]) for zone in zones]

    assert copies == truth
    assert [zone["serial"] for zone in shown] == [copy.get_soa().serial for copy in copies]
    assert "zones are missing, repairing: lost" in caplog.text
