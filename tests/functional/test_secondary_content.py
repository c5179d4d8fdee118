"""central.secondary: the effect of a transfer in on the API, on DNS and on the journal."""

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
import sqlalchemy as sa

from designate import errors
from designate.context import admin_context
from designate.model.codec import to_plain
from designate.model.query import Query
from designate.model.recordsets import RecordSetDraft
from designate.model.secondary import TransferInContent, TransferInOutcome, TransferInPlan
from designate.model.zones import Action, Outcome, PrimaryAddress, Status, ZonePatch, ZoneReport
from designate.storage.sqlalchemy.tables import inbound_chunks
from tests.support.deadlines import scaled
from tests.support.factories.transfers import bring, content, secondary
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.scripted_primary import CONTENT, ZONE, rrs, soa
from tests.support.servers.standalone import ask, texts, transferred

WWW = f"www.{ZONE}"


@pytest.fixture
def hidden(tmp_path):
    with Hidden(tmp_path) as hidden:
        yield hidden


@pytest.fixture
def everywhere(tmp_path, databases):
    """The fixture `hidden` on each database."""
    storage = {"connection": databases.migrated()}
    with Hidden(tmp_path, **{"storage:sqlalchemy": storage}) as hidden:
        yield hidden


def recordsets(hidden, zone):
    """Return the recordsets of the zone by name and type."""
    page = hidden.central.recordsets.find(hidden.context, zone.id, Query(limit=1000))
    return {(one.name, one.type): one for one in page.items}


def ixfr(hidden, since):
    """Return the answer section of an IXFR, one RR each."""
    query = dns.message.make_query(ZONE, "IXFR")
    query.authority.append(soa(since))
    host, port = hidden.address
    reply = dns.query.tcp(query, host, port=port, timeout=scaled(5), one_rr_per_rrset=True)
    return [
        f"{one.name} {one.ttl} {dns.rdatatype.to_text(one.rdtype)} {one[0]}" for one in reply.answer
    ]


def served(hidden, zone):
    """Report to central that the nameservers serve the current zone."""
    now = hidden.fresh(zone)
    report = ZoneReport(
        zone_id=zone.id, revision=now.revision, serial=now.serial, outcome=Outcome.SERVED
    )
    hidden.central.status.report(admin_context(), report)


def test_a_new_zone_is_pending_asks_its_masters_and_is_refused_until_it_has_content(hidden):
    zone = secondary(hidden)

    assert (zone.action, zone.status, zone.serial) == (Action.CREATE, Status.PENDING, 1)
    assert hidden.worker.refreshed == [(zone.id, None)]
    assert hidden.worker.changes == []
    assert ask(hidden.address, ZONE, "SOA").rcode() == dns.rcode.REFUSED


def test_the_first_transfer_is_the_zone_with_the_primarys_soa(hidden):
    zone = secondary(hidden)
    outcome = bring(hidden, zone, 2026010101, refresh=1111, retry=222, expire=33333)
    now = hidden.fresh(zone)
    change = hidden.worker.changes[-1]
    found = recordsets(hidden, zone)

    assert outcome is TransferInOutcome.STORED
    assert (now.action, now.status, now.serial) == (Action.CREATE, Status.PENDING, 2026010101)
    assert (now.email, now.ttl, now.mname) == ("host.master@example.org", 300, f"ns1.{ZONE}")
    assert (now.refresh, now.retry, now.expire, now.minimum) == (1111, 222, 33333, 300)
    assert now.transferred_at
    assert (change.serial, change.revision, change.action) == (now.serial, now.revision, now.action)
    assert set(found) == {(ZONE, "SOA"), (ZONE, "NS"), (f"ns1.{ZONE}", "A"), (WWW, "A")}
    assert found[WWW, "A"].records == ("192.0.2.2",)
    assert found[WWW, "A"].ttl == 60
    assert found[ZONE, "SOA"].records == (
        soa(2026010101, refresh=1111, retry=222, expire=33333)[0].to_text(),
    )
    assert found[WWW, "A"].status == Status.PENDING

    served(hidden, zone)

    assert hidden.fresh(zone).status == Status.ACTIVE
    assert recordsets(hidden, zone)[WWW, "A"].status == Status.ACTIVE
    assert texts(ask(hidden.address, WWW, "A")) == {"192.0.2.2"}


def test_a_whole_transfer_becomes_one_step_of_what_is_different(everywhere):
    zone = secondary(everywhere)
    bring(everywhere, zone, 5)
    kept = recordsets(everywhere, zone)[f"ns1.{ZONE}", "A"]
    new = rrs(f"new.{ZONE} 30 TXT x", f"{WWW} 60 A 192.0.2.7")
    outcome = bring(everywhere, zone, 7, [*CONTENT[:2], *new])
    after = recordsets(everywhere, zone)

    assert outcome is TransferInOutcome.STORED
    assert ixfr(everywhere, 5) == [
        f"{ZONE} 300 SOA {soa(7)[0]}",
        f"{ZONE} 300 SOA {soa(5)[0]}",
        f"{WWW} 60 A 192.0.2.2",
        f"{ZONE} 300 SOA {soa(7)[0]}",
        f"{WWW} 60 A 192.0.2.7",
        f'new.{ZONE} 30 TXT "x"',
        f"{ZONE} 300 SOA {soa(7)[0]}",
    ]
    assert after[f"ns1.{ZONE}", "A"] == kept
    assert after[WWW, "A"].updated_at
    assert texts(ask(everywhere.address, WWW, "A")) == {"192.0.2.7"}


def test_ttl_changes_of_records_and_of_the_soa_are_differences_too(hidden):
    zone = secondary(hidden)
    bring(hidden, zone, 5)
    framing = soa(6, ttl=77)
    hidden.central.secondary.replace_content(
        admin_context(),
        content(zone, [framing, *CONTENT[:2], *rrs(f"{WWW} 61 A 192.0.2.2"), framing]),
    )

    assert ixfr(hidden, 5) == [
        f"{ZONE} 77 SOA {soa(6)[0]}",
        f"{ZONE} 300 SOA {soa(5)[0]}",
        f"{WWW} 60 A 192.0.2.2",
        f"{ZONE} 77 SOA {soa(6)[0]}",
        f"{WWW} 61 A 192.0.2.2",
        f"{ZONE} 77 SOA {soa(6)[0]}",
    ]
    assert hidden.fresh(zone).ttl == 77


def test_a_difference_is_applied_to_what_it_touches(everywhere):
    zone = secondary(everywhere)
    bring(everywhere, zone, 5)
    steps = [
        soa(5), *rrs(f"{WWW} 60 A 192.0.2.2"), soa(6), *rrs(f"{WWW} 60 A 192.0.2.3"),
        soa(6), soa(7), *rrs(f"{WWW} 60 A 192.0.2.4", f"b.{ZONE} 9 AAAA 2001:db8::1"),
    ]  # fmt: skip
    transfer = content(zone, [soa(7), *steps, soa(7)], since=5)
    outcome = everywhere.central.secondary.replace_content(admin_context(), transfer)
    found = recordsets(everywhere, zone)

    assert transfer.difference
    assert outcome is TransferInOutcome.STORED
    assert found[WWW, "A"].records == ("192.0.2.3", "192.0.2.4")
    assert found[f"b.{ZONE}", "AAAA"].ttl == 9
    assert everywhere.fresh(zone).serial == 7
    assert ixfr(everywhere, 5)[1:-1] == [
        f"{ZONE} 300 SOA {soa(5)[0]}",
        f"{WWW} 60 A 192.0.2.2",
        f"{ZONE} 300 SOA {soa(7)[0]}",
        f"{WWW} 60 A 192.0.2.3",
        f"{WWW} 60 A 192.0.2.4",
        f"b.{ZONE} 9 AAAA 2001:db8::1",
    ]
    assert transferred(everywhere.address, ZONE).to_text(sorted=True).count("\n") == 6


@pytest.mark.parametrize(
    "steps",
    [
        [soa(5), *rrs(f"{WWW} 60 A 192.0.2.99"), soa(7)],
        [soa(5), *rrs(f"nobody.{ZONE} 60 A 192.0.2.2"), soa(7)],
        [soa(4), soa(7)],
    ],
)
def test_a_difference_that_does_not_fit_changes_nothing(hidden, steps):
    zone = secondary(hidden)
    bring(hidden, zone, 5)
    before = recordsets(hidden, zone)
    since = steps[0][0].serial
    outcome = hidden.central.secondary.replace_content(
        admin_context(), content(zone, [soa(7), *steps, soa(7)], since=since)
    )

    assert outcome is TransferInOutcome.UNFIT
    assert recordsets(hidden, zone) == before
    assert hidden.fresh(zone).serial == 5


@pytest.mark.parametrize("serial", [5, 4, 5 + 2**31])
def test_what_is_not_newer_is_not_taken(hidden, serial):
    zone = secondary(hidden)
    bring(hidden, zone, 5)
    outcome = bring(hidden, zone, serial, CONTENT[:1])

    assert outcome is TransferInOutcome.OUTDATED
    assert (WWW, "A") in recordsets(hidden, zone)


def test_serials_go_around_the_end(hidden):
    zone = secondary(hidden)
    bring(hidden, zone, 2**32 - 1)

    assert bring(hidden, zone, 0) is TransferInOutcome.STORED
    assert ask(hidden.address, ZONE, "SOA").answer[0][0].serial == 0


def test_types_that_the_api_does_not_know_are_served_and_shown(hidden):
    zone = secondary(hidden)
    special = rrs(
        f"{ZONE} 300 DNSKEY 257 3 13 {'A' * 88}",
        f"{ZONE} 300 NSEC3PARAM 1 0 0 -",
        f"x.{ZONE} 60 TYPE65400 \\# 4 0a0b0c0d",
        f"y.{ZONE} 60 LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
    )
    bring(hidden, zone, 5, [*CONTENT, *special])
    found = recordsets(hidden, zone)

    assert found[f"x.{ZONE}", "TYPE65400"].records == ("\\# 4 0a0b0c0d",)
    assert texts(ask(hidden.address, f"x.{ZONE}", "TYPE65400")) == {"\\# 4 0a0b0c0d"}
    assert texts(ask(hidden.address, ZONE, "NSEC3PARAM")) == {"1 0 0 -"}
    assert (ZONE, "DNSKEY") in found
    assert (f"y.{ZONE}", "LOC") in found


def test_odd_names_and_soas_are_served_as_they_are(hidden):
    zone = secondary(hidden)
    odd = rrs(
        f"a\\.b.{ZONE} 60 A 192.0.2.9",
        f"\\000\\255.{ZONE} 60 A 192.0.2.8",
        f"WWW.{ZONE} 60 A 192.0.2.3",
    )
    framing = soa(5, rname=".")
    hidden.central.secondary.replace_content(
        admin_context(), content(zone, [framing, *CONTENT, *odd, framing])
    )

    assert texts(ask(hidden.address, f"a\\.b.{ZONE}", "A")) == {"192.0.2.9"}
    assert texts(ask(hidden.address, f"\\000\\255.{ZONE}", "A")) == {"192.0.2.8"}
    assert texts(ask(hidden.address, WWW, "A")) == {"192.0.2.2", "192.0.2.3"}
    assert ask(hidden.address, ZONE, "SOA").answer[0][0].rname.to_text() == "."
    assert recordsets(hidden, zone)[ZONE, "SOA"].records == (framing[0].to_text(),)


LARGE = rrs(*(f"{WWW} 60 TXT {str(number) * 60}" for number in range(1000, 1300)))
LONG = rrs(f"{'.'.join(['a' * 60] * 3)}.{(chr(92) + '000') * 16}.{ZONE} 60 A 192.0.2.1")


@pytest.mark.parametrize(
    ("records", "match"),
    [
        (CONTENT[1:], "no NS records"),
        ([*CONTENT, *LARGE], "fit into a DNS message"),
        pytest.param(
            [*CONTENT, *LONG],
            "too long to be stored",
            id="records2-too long to be written down",
        ),
    ],
)
def test_content_that_could_not_be_sent_on_is_refused_whole(hidden, records, match):
    zone = secondary(hidden)
    bring(hidden, zone, 4)
    before = recordsets(hidden, zone)
    with pytest.raises(errors.BadRequest, match=match):
        bring(hidden, zone, 5, records)

    assert recordsets(hidden, zone) == before


def test_a_difference_that_takes_the_last_name_server_is_refused(hidden):
    zone = secondary(hidden)
    bring(hidden, zone, 4)
    steps = [soa(4), CONTENT[0], soa(5)]
    with pytest.raises(errors.BadRequest, match="no NS records"):
        hidden.central.secondary.replace_content(
            admin_context(), content(zone, [soa(5), *steps, soa(5)], since=4)
        )

    assert hidden.fresh(zone).serial == 4


def test_quotas_do_not_stop_a_transfer_but_the_bound_does(tmp_path):
    few = {"quota_zone_records": 1, "quota_zone_recordsets": 1, "quota_recordset_records": 1}
    with Hidden(tmp_path, DEFAULT=few, **{"service:worker": {"xfr_max_records": 5}}) as hidden:
        zone = secondary(hidden)
        outcome = bring(hidden, zone, 5)
        many = rrs(*(f"n{n}.{ZONE} 60 A 192.0.2.1" for n in range(5)))
        with pytest.raises(errors.BadRequest, match="more than 5 records"):
            bring(hidden, zone, 6, [*CONTENT, *many])
        difference = content(zone, [soa(6), soa(5), soa(6), *many, soa(6)], since=5)
        with pytest.raises(errors.BadRequest, match="more than 5 records"):
            hidden.central.secondary.replace_content(admin_context(), difference)

        assert outcome is TransferInOutcome.STORED
        assert hidden.fresh(zone).serial == 5


def test_a_large_transfer_comes_in_parts_and_leaves_none(everywhere):
    zone = secondary(everywhere)
    whole = content(zone, [soa(5), *CONTENT, soa(5)])
    endpoint = everywhere.central.secondary
    context = admin_context()
    cut = [whole.tail[:40], whole.tail[40:90], whole.tail[90:]]
    endpoint.stage(context, zone.id, "older", 0, b"left behind")
    endpoint.stage(context, zone.id, whole.id, 0, b"sent twice")
    for position, part in enumerate(cut[:2]):
        endpoint.stage(context, zone.id, whole.id, position, part)
    parts = TransferInContent(
        id=whole.id, zone_id=zone.id, serial=5, difference=False, staged=2, tail=cut[2]
    )
    missing = TransferInContent(
        id=whole.id, zone_id=zone.id, serial=5, difference=False, staged=3, tail=cut[2]
    )
    with pytest.raises(errors.BadRequest, match="Parts of the transfer are missing"):
        endpoint.replace_content(context, missing)

    assert endpoint.replace_content(context, parts) is TransferInOutcome.STORED
    assert texts(ask(everywhere.address, WWW, "A")) == {"192.0.2.2"}
    with everywhere.database.read() as connection:
        assert connection.execute(sa.select(inbound_chunks)).all() == []


def test_only_as_much_is_staged_as_a_transfer_may_have(tmp_path):
    with Hidden(tmp_path, **{"service:worker": {"xfr_max_bytes": 2000}}) as hidden:
        zone = secondary(hidden)
        context = admin_context()
        hidden.central.secondary.stage(context, zone.id, "t", 4, b"x" * 1000)
        with pytest.raises(errors.BadRequest, match="too large"):
            hidden.central.secondary.stage(context, zone.id, "t", 5, b"x" * 1000)


def test_zones_that_no_primary_has_a_say_in_are_not_found(hidden):
    primary = hidden.zone("primary.example.")
    gone = secondary(hidden)
    hidden.central.zones.delete(hidden.context, gone.id)

    for zone in (primary, gone):
        with pytest.raises(errors.NotFound):
            hidden.central.secondary.plan(admin_context(), zone.id)
        with pytest.raises(errors.NotFound):
            bring(hidden, zone, 2**31)


def test_the_plan_says_what_to_ask_for(hidden):
    masters = (PrimaryAddress(host="192.0.2.1"), PrimaryAddress(host="2001:db8::1", port=5353))
    zone = secondary(hidden, ZONE, *masters)
    new = hidden.central.secondary.plan(admin_context(), zone.id)
    bring(hidden, zone, 5)
    known = hidden.central.secondary.plan(admin_context(), zone.id)

    assert new == TransferInPlan(zone_id=zone.id, name=ZONE, masters=masters)
    assert known == TransferInPlan(
        zone_id=zone.id, name=ZONE, masters=masters, newer_than=5, since=5
    )
    assert to_plain(TransferInPlan, known)["newer_than"] == 5


def test_an_administrators_change_is_served_and_ends_with_the_next_transfer(hidden):
    zone = secondary(hidden)
    bring(hidden, zone, 5)
    draft = RecordSetDraft(name=f"own.{ZONE}", type="A", records=("192.0.2.77",))
    hidden.central.recordsets.create(hidden.context, zone.id, draft)
    changed = hidden.fresh(zone)
    plan = hidden.central.secondary.plan(admin_context(), zone.id)
    own = texts(ask(hidden.address, f"own.{ZONE}", "A"))
    bring(hidden, zone, 6)

    assert changed.serial == 6
    assert own == {"192.0.2.77"}
    # The primary's serial is compared with its own last one; its next serial is newer here, too.
    assert (plan.newer_than, plan.since) == (5, None)
    assert hidden.fresh(zone).serial == 7
    assert ask(hidden.address, f"own.{ZONE}", "A").rcode() == dns.rcode.NXDOMAIN
    assert hidden.central.secondary.plan(admin_context(), zone.id).newer_than == 6


def test_new_masters_are_asked_at_once_and_other_changes_leave_dns_alone(hidden):
    zone = secondary(hidden)
    bring(hidden, zone, 5)
    served(hidden, zone)
    before = len(hidden.worker.refreshed)
    described = hidden.central.zones.update(hidden.context, zone.id, ZonePatch(description="x"))
    unasked = len(hidden.worker.refreshed)
    patch = ZonePatch(masters=(PrimaryAddress(host="192.0.2.54"),))
    moved = hidden.central.zones.update(hidden.context, zone.id, patch)

    assert unasked == before
    assert hidden.worker.refreshed[before:] == [(zone.id, None)]
    for changed in (described, moved):
        assert (changed.action, changed.status) == (Action.UPDATE, Status.PENDING)
        assert (changed.serial, changed.revision) == (5, 2)
    assert hidden.fresh(zone).masters == (PrimaryAddress(host="192.0.2.54"),)
    served(hidden, zone)
    assert hidden.fresh(zone).status == Status.ACTIVE


def test_xfr_asks_the_masters_and_is_refused_for_primary_zones(hidden):
    primary, zone = hidden.zone("primary.example."), secondary(hidden)
    call = hidden.http()
    hidden.worker.refreshed.clear()
    ok = call("POST", f"/v2/zones/{zone.id}/tasks/xfr")
    wrong = call("POST", f"/v2/zones/{primary.id}/tasks/xfr")
    unknown = call("POST", "/v2/zones/6b1b4c0e-0b0a-4f5e-8f30-6f5b0a0b0c0d/tasks/xfr")
    hidden.central.zones.delete(hidden.context, zone.id)
    gone = call("POST", f"/v2/zones/{zone.id}/tasks/xfr")

    assert ok == (202, "")
    assert hidden.worker.refreshed == [(zone.id, None)]
    assert (wrong[0], wrong[1]["type"]) == (400, "bad_request")
    assert (unknown[0], unknown[1]["type"]) == (404, "zone_not_found")
    assert (gone[0], gone[1]["type"]) == (400, "bad_request")
