"""Refresh, retry and expiry of secondary zones (RFC 1034 section 4.3.5), with a manual clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dns.message
import dns.query
import dns.rcode
import pytest
import sqlalchemy as sa

from designate import errors
from designate.context import admin_context
from designate.model.recordsets import RecordSetDraft
from designate.model.secondary import TransferInOutcome
from designate.model.zones import (
    EXPIRED,
    NOT_TRANSFERRED,
    Action,
    Outcome,
    Status,
    ZonePatch,
    ZoneReport,
)
from designate.storage.sqlalchemy.tables import zones
from tests.support.deadlines import scaled
from tests.support.factories.transfers import bring, secondary
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.clock import ManualClock
from tests.support.fakes.scripted_primary import ZONE, soa
from tests.support.servers.standalone import ask

TIMERS = {"refresh": 1000, "retry": 200, "expire": 5000}


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 1, 1))


@pytest.fixture
def hidden(tmp_path, clock):
    with Hidden(tmp_path, clock.now) as hidden:
        yield hidden


@pytest.fixture
def everywhere(tmp_path, clock, databases):
    """The fixture `hidden` on each database."""
    storage = {"connection": databases.migrated()}
    with Hidden(tmp_path, clock.now, **{"storage:sqlalchemy": storage}) as hidden:
        yield hidden


def sweep(hidden, limit=100):
    """Return the zones that one sweep has workers poll."""
    hidden.worker.refreshed.clear()
    hidden.central.secondary.refresh(admin_context(), 0, 4095, limit)
    return [zone_id for zone_id, _ in hidden.worker.refreshed]


def report(hidden, zone, outcome, revision=None):
    now = hidden.fresh(zone)
    hidden.central.status.report(
        admin_context(),
        ZoneReport(
            zone_id=zone.id,
            revision=revision or now.revision,
            serial=now.serial,
            outcome=outcome,
            error="trouble" if outcome is Outcome.FAILED else None,
        ),
    )


def due_within(hidden, zone, clock):
    """Return the seconds until the zone's primaries are polled."""
    with hidden.database.read() as connection:
        at = connection.execute(sa.select(zones.c.refresh_at).where(zones.c.id == zone.id))
        return (at.scalar_one() - clock.now()).total_seconds()


def active(hidden, serial=5, **timers):
    zone = secondary(hidden)
    assert bring(hidden, zone, serial, **TIMERS | timers) is TransferInOutcome.STORED
    report(hidden, zone, Outcome.SERVED)
    assert hidden.fresh(zone).status == Status.ACTIVE
    return zone


def test_a_zone_whose_first_word_to_a_worker_was_lost_is_handed_out_again(hidden, clock):
    zone = secondary(hidden)
    at_once = sweep(hidden)
    clock.advance(seconds=15)

    assert at_once == []
    assert sweep(hidden) == [zone.id]
    assert sweep(hidden) == []


def test_masters_that_never_answer_are_asked_less_and_less_often(hidden, clock):
    zone = secondary(hidden)
    delays_s = []
    for _ in range(60):
        hidden.central.secondary.failed(admin_context(), zone.id, "dead")
        delays_s.append(due_within(hidden, zone, clock))
        clock.advance(seconds=delays_s[-1])

    assert 54 <= delays_s[0] <= 60
    assert 3240 <= delays_s[-1] <= 3600
    assert sum(delays_s) > 86400
    hidden.central.zones.update(hidden.context, zone.id, ZonePatch(masters=zone.masters))
    hidden.central.secondary.failed(admin_context(), zone.id, "dead")
    assert due_within(hidden, zone, clock) <= 60


def test_the_primarys_refresh_says_when_it_is_asked(hidden, clock):
    zone = active(hidden)

    assert 900 <= due_within(hidden, zone, clock) <= 1000
    clock.advance(seconds=899)
    assert sweep(hidden) == []
    clock.advance(seconds=101)
    assert sweep(hidden) == [zone.id]


def test_after_a_failure_the_primarys_retry_says_it_and_after_success_refresh_again(hidden, clock):
    zone = active(hidden)
    hidden.central.secondary.failed(admin_context(), zone.id, "dead")
    after_failure = due_within(hidden, zone, clock)
    hidden.central.secondary.checked(admin_context(), zone.id, 5)

    assert 180 <= after_failure <= 200
    assert 900 <= due_within(hidden, zone, clock) <= 1000


def test_the_reason_of_a_failure_is_shown_until_a_primary_confirms_the_zone(hidden, clock):
    zone = active(hidden)
    hidden.central.secondary.failed(admin_context(), zone.id, "dead", True)
    failed = hidden.fresh(zone)
    hidden.central.secondary.failed(admin_context(), zone.id, "dead", True)
    repeated = hidden.fresh(zone)
    hidden.central.secondary.checked(admin_context(), zone.id, 5)
    confirmed = hidden.fresh(zone)
    hidden.central.secondary.failed(admin_context(), zone.id, "dead", True)
    clock.advance(seconds=5001)
    sweep(hidden)
    expired = hidden.fresh(zone)
    hidden.central.secondary.failed(admin_context(), zone.id, "worse")
    still = hidden.fresh(zone)

    assert (failed.status, failed.status_reason) == (Status.ACTIVE, NOT_TRANSFERRED + "dead")
    assert repeated.version == failed.version
    assert (confirmed.status, confirmed.status_reason) == (Status.ACTIVE, None)
    assert (expired.status, expired.status_reason) == (
        Status.ERROR, f"{EXPIRED}. {NOT_TRANSFERRED}dead",
    )  # fmt: skip
    assert (still.status, still.status_reason) == (
        Status.ERROR, f"{EXPIRED}. {NOT_TRANSFERRED}worse",
    )  # fmt: skip


def test_a_new_zone_is_in_error_only_while_its_masters_are_not_permitted(hidden):
    zone = secondary(hidden)
    seen = []
    for refused in (False, True, False):
        hidden.central.secondary.failed(admin_context(), zone.id, "x", refused)
        seen.append(hidden.fresh(zone).status)
    hidden.central.secondary.failed(admin_context(), zone.id, "x", True)
    bring(hidden, zone, 5)
    brought = hidden.fresh(zone)

    assert seen == [Status.PENDING, Status.ERROR, Status.PENDING]
    assert (brought.status, brought.error) == (Status.PENDING, None)


def test_an_error_of_the_nameservers_is_neither_replaced_nor_shown_to_the_owner(hidden):
    zone = secondary(hidden)
    bring(hidden, zone, 5)
    report(hidden, zone, Outcome.FAILED)
    hidden.central.secondary.failed(admin_context(), zone.id, "dead")
    found = hidden.fresh(zone)

    assert (found.status, found.error, found.status_reason) == (Status.ERROR, "trouble", None)


def test_a_worker_that_does_not_come_back_costs_one_retry(hidden, clock):
    zone = active(hidden)
    clock.advance(seconds=1000)
    sweep(hidden)

    assert 180 <= due_within(hidden, zone, clock) <= 200


def test_timers_that_make_no_sense_are_brought_within_bounds(hidden, clock):
    zone = active(hidden, refresh=0, retry=0, expire=0)
    short = due_within(hidden, zone, clock)
    clock.advance(seconds=119)
    sweep(hidden)
    alive = hidden.fresh(zone).status
    clock.advance(seconds=2)
    sweep(hidden)
    dead = hidden.fresh(zone).status
    bring(hidden, zone, 6, refresh=2**32 - 1, retry=2**32 - 1, expire=2**32 - 1)

    assert 54 <= short <= 60
    assert (alive, dead) == (Status.ACTIVE, Status.ERROR)
    assert due_within(hidden, zone, clock) <= 4 * 7 * 86400
    assert hidden.fresh(zone).expire == 2**31 - 1


def test_another_serial_than_ours_confirms_nothing(hidden, clock):
    zone = active(hidden)
    clock.advance(seconds=500)
    before = due_within(hidden, zone, clock)
    hidden.central.secondary.checked(admin_context(), zone.id, 4)

    assert due_within(hidden, zone, clock) == before


def test_each_confirmation_puts_the_expiry_off(hidden, clock):
    zone = active(hidden)
    for _ in range(5):
        clock.advance(seconds=4000)
        hidden.central.secondary.checked(admin_context(), zone.id, 5)
        sweep(hidden)

    assert hidden.fresh(zone).status == Status.ACTIVE


def test_expired_content_is_withdrawn_until_it_is_proven_gone_and_no_longer(everywhere, clock):
    zone = active(everywhere)
    everywhere.worker.changes.clear()
    clock.advance(seconds=4999)
    sweep(everywhere)
    before = list(everywhere.worker.changes)
    clock.advance(seconds=2)
    sweep(everywhere)
    sweep(everywhere)
    withdrawn = list(everywhere.worker.changes)
    shown = everywhere.fresh(zone)
    report(everywhere, zone, Outcome.FAILED)
    clock.advance(seconds=60)
    recovered = everywhere.central.status.recover(admin_context(), 0, 4095, 10)
    report(everywhere, zone, Outcome.ABSENT)
    clock.advance(seconds=60)
    recovered_later = everywhere.central.status.recover(admin_context(), 0, 4095, 10)

    assert before == []
    assert [(change.action, change.withdrawn) for change in withdrawn] == [(Action.DELETE, True)]
    assert shown.status == Status.ERROR
    assert "expired" in shown.error
    assert recovered == 1
    assert everywhere.worker.changes[-1] == replace(withdrawn[0], again=True, verify=True)
    assert recovered_later == 0
    assert everywhere.fresh(zone).status == Status.ERROR
    # Its primaries are still polled, which restores it.
    clock.advance(seconds=80)
    assert sweep(everywhere) == [zone.id]


def test_a_late_report_does_not_make_an_expired_zone_active(hidden, clock):
    zone = active(hidden)
    clock.advance(seconds=5001)
    sweep(hidden)
    report(hidden, zone, Outcome.SERVED)

    assert hidden.fresh(zone).status == Status.ERROR


@pytest.mark.parametrize("serial", [6, 5, 4])
def test_any_content_of_the_primary_brings_an_expired_zone_back(hidden, clock, serial):
    zone = active(hidden)
    clock.advance(seconds=5001)
    sweep(hidden)
    report(hidden, zone, Outcome.ABSENT)
    plan = hidden.central.secondary.plan(admin_context(), zone.id)
    hidden.central.secondary.checked(admin_context(), zone.id, 5)
    still = hidden.fresh(zone).status
    outcome = bring(hidden, zone, serial, **TIMERS)
    change = hidden.worker.changes[-1]
    report(hidden, zone, Outcome.SERVED)

    assert (plan.newer_than, plan.since) == (None, None)
    assert still == Status.ERROR
    assert outcome is TransferInOutcome.STORED
    assert not change.withdrawn
    # The nameservers have deleted the zone, so they create it again.
    assert not change.created
    assert hidden.fresh(zone).status == Status.ACTIVE
    # The serial never decreases for those that saw the zone before.
    assert hidden.fresh(zone).serial == 6
    assert hidden.central.secondary.plan(admin_context(), zone.id).newer_than == serial


def test_nobody_changes_an_expired_zone(hidden, clock):
    zone = active(hidden)
    clock.advance(seconds=5001)
    sweep(hidden)
    draft = RecordSetDraft(name=f"own.{ZONE}", type="A", records=("192.0.2.77",))
    with pytest.raises(errors.BadRequest, match="expired"):
        hidden.central.recordsets.create(hidden.context, zone.id, draft)
    hidden.central.zones.update(hidden.context, zone.id, ZonePatch(description="x"))

    assert hidden.fresh(zone).status == Status.ERROR


def test_an_expired_zone_that_is_deleted_is_deleted(hidden, clock):
    zone = active(hidden)
    clock.advance(seconds=5001)
    sweep(hidden)
    hidden.central.zones.delete(hidden.context, zone.id)
    change = hidden.worker.changes[-1]
    report(hidden, zone, Outcome.ABSENT)
    page = hidden.http()("GET", f"/v2/zones/{zone.id}")

    assert (change.action, change.withdrawn) == (Action.DELETE, False)
    assert page[0] == 404
    assert sweep(hidden) == []


def test_a_sweep_hands_out_no_more_than_it_is_told_and_the_oldest_first(hidden, clock):
    found = []
    for number in range(5):
        found.append(secondary(hidden, f"z{number}.example.").id)
        clock.advance(seconds=1)
    clock.advance(seconds=60)

    assert sweep(hidden, limit=2) == found[:2]
    assert sweep(hidden, limit=2) == found[2:4]
    assert sweep(hidden, limit=2) == found[4:]


def test_mdns_does_not_give_away_expired_content(tmp_path):
    now = datetime.now(UTC).replace(tzinfo=None)
    clock = ManualClock(now - timedelta(seconds=5010))
    with Hidden(tmp_path, clock.now) as hidden:
        zone = secondary(hidden)
        bring(hidden, zone, 5, **TIMERS)
        host, port = hidden.address
        transfer = dns.message.make_query(ZONE, "AXFR")
        difference = dns.message.make_query(ZONE, "IXFR")
        difference.authority.append(soa(4))
        expired = [
            ask(hidden.address, ZONE, "SOA"),
            ask(hidden.address, f"www.{ZONE}", "A"),
            *(dns.query.tcp(q, host, port=port, timeout=scaled(5)) for q in (transfer, difference)),
        ]
        clock.advance((now - clock.now()).total_seconds())
        hidden.central.secondary.checked(admin_context(), zone.id, 5)

        assert {reply.rcode() for reply in expired} == {dns.rcode.SERVFAIL}
        assert not any(reply.answer for reply in expired)
        assert ask(hidden.address, ZONE, "SOA").rcode() == dns.rcode.NOERROR
