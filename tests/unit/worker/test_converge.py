"""worker.converge: what counts as served or absent, and what is done until it is so."""

import threading

import dns.rcode
import pytest

from designate.backend.fake import FakeBackend
from designate.model.pools import Target
from designate.model.zones import Action, Outcome
from designate.wire import client
from designate.worker.scheduling.admission import MAX_ADMITTED
from designate.worker.scheduling.executors import MAX_THREADS, EndpointExecutors
from tests.support.deadlines import scaled, until
from tests.support.factories.worker import ZONE, change, live_pool
from tests.support.fakes.nameserver import NanoServer
from tests.support.fakes.worker_backends import SlowBackend

# As first_poll_s: polls happen after hints only.
NEVER_S = 3600.0


def notified(server):
    """Return the zones of the NOTIFYs that a server received."""
    return {notify.question[0].name.to_text() for notify in list(server.notifies)}


def fake():
    return FakeBackend(Target(type="fake"))


# -- what counts as served ---------------------------------------------------------------------


@pytest.mark.parametrize(("percentage", "needed"), [(100, 3), (67, 3), (66, 2), (34, 2), (1, 1)])
def test_the_threshold_is_rounded_up(simulate, servers, percentage, needed):
    parts, pool = simulate(threshold_percentage=percentage), [servers() for _ in range(3)]
    for server in pool[: needed - 1]:
        server.serials[ZONE] = 100
    desired = change(1)
    parts.converger.converge(desired, live_pool(*pool))
    parts.until(lambda: all(len(server.queries) >= 2 for server in pool[needed - 1 :]), 10, "polls")
    before = list(parts.reports.got)
    pool[needed - 1].serials[ZONE] = 100

    assert before == []
    assert parts.reports.wait(desired).outcome is Outcome.SERVED


def test_the_report_names_the_oldest_serial_that_counts(simulate, servers):
    pool = [servers() for _ in range(3)]
    for server, serial in zip(pool, (230, 220, 300), strict=True):
        server.serials[ZONE] = serial
    parts, desired = simulate(), change(3)
    parts.converger.converge(change(1), live_pool(*pool))
    parts.converger.converge(change(2), live_pool(*pool))
    parts.converger.converge(desired, live_pool(*pool))

    report = parts.reports.wait(change(2))
    for server in pool:
        server.serials[ZONE] = 300
    parts.reports.wait(desired)

    assert (report.outcome, report.serial, report.newest) == (Outcome.SERVED, 220, None)
    assert len(parts.converger) == 0


def test_rfc1982_a_serial_that_wrapped_is_newer(simulate, servers):
    server, parts = servers(), simulate()
    server.serials[ZONE] = 5
    desired = change(1, serial=4294967290)
    parts.converger.converge(desired, live_pool(server))
    report = parts.reports.wait(desired)

    assert (report.outcome, report.newest) == (Outcome.SERVED, 5)


def test_rfc1982_a_serial_from_before_the_wrap_is_older(simulate, servers):
    server, parts = servers(), simulate()
    server.serials[ZONE] = 4294967290
    desired = change(1, serial=5)
    parts.converger.converge(desired, live_pool(server))
    parts.until(lambda: len(server.queries) >= 3, 10, "polls")
    before = list(parts.reports.got)
    server.serials[ZONE] = 5

    assert before == []
    assert parts.reports.wait(desired).serial == 5


def test_an_older_revision_that_is_served_is_reported_as_that_and_no_more(simulate, servers):
    server, parts = servers(), simulate()
    pool = live_pool(server)
    first, second = change(1), change(2)
    parts.converger.converge(first, pool)
    parts.converger.converge(second, pool)
    server.serials[ZONE] = 100
    progress = parts.reports.wait(first)
    parts.until(lambda: len(server.queries) >= 5, 10, "more polls")
    meanwhile = list(parts.reports.got)
    server.serials[ZONE] = 200
    end = parts.reports.wait(second)

    assert (progress.outcome, progress.serial) == (Outcome.SERVED, 100)
    assert meanwhile == [progress]
    assert (end.outcome, end.serial) == (Outcome.SERVED, 200)


def test_a_pool_without_nameservers_fails_and_says_why(simulate):
    parts, desired = simulate(), change(1)
    parts.converger.converge(desired, live_pool())

    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.FAILED
    assert "no nameservers" in report.error


def test_giving_up_names_every_server_and_what_it_said(simulate, servers):
    refusing, broken = servers(), servers()
    refusing.serials[ZONE] = 99
    broken.rcode = dns.rcode.SERVFAIL
    parts, desired = simulate(deadline_s=0.3), change(1)
    with NanoServer() as gone:
        pool = live_pool(refusing, broken, gone)
    parts.converger.converge(desired, pool)

    report = parts.reports.wait(desired)

    assert (report.outcome, report.serial) == (Outcome.LATE, 100)
    assert f"{refusing.port}: serial 99" in report.error
    assert f"{broken.port}: SERVFAIL" in report.error
    assert f"{gone.port}: Connection refused" in report.error
    assert len(parts.converger) == 0


def test_a_change_that_is_handed_out_again_does_not_put_its_deadline_off(simulate, servers):
    """Periodic recovery repeats a change every few seconds."""
    server, parts = servers(), simulate(deadline_s=0.5)
    pool, desired = live_pool(server), change(1)
    for _ in range(15):
        parts.converger.converge(desired, pool)
        parts.run_for(0.05)
    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.LATE


def test_of_zones_that_the_sweep_repeats_so_many_are_on_their_way_at_once(simulate, servers):
    """Changes of users do not queue behind them."""
    server, parts = servers(), simulate(first_poll_s=NEVER_S)
    parts.converger._admission._max_admission_s = (
        NEVER_S  # places are kept, however slow the machine
    )
    pool, count = live_pool(server, backends=(fake(),)), MAX_ADMITTED + 50
    old = [change(name=f"z{n}.example.", recovery=True) for n in range(count)]
    for desired in old * 2:
        parts.converger.converge(desired, pool)
    new = change(name="new.example.")
    parts.converger.converge(new, pool)
    news = change(2, name=old[-1].name)
    parts.converger.converge(news, pool)
    parts.until(
        lambda: new.name in notified(server) and news.name in notified(server), 10, "NOTIFYs"
    )
    parts.until(lambda: len(notified(server)) >= MAX_ADMITTED + 2, 10, "NOTIFYs")
    first = notified(server)
    known = [parts.converger.is_converging(desired.zone_id) for desired in old]
    for desired in (*old[:30], news):
        server.serials[desired.name] = desired.serial
        parts.converger.hint(desired.zone_id, "127.0.0.1")
    served = [parts.reports.wait(desired) for desired in (*old[:30], news)]
    parts.until(
        lambda: len(notified(server)) >= MAX_ADMITTED + 2 + 30, 10, "NOTIFYs of those that waited"
    )

    assert first == {desired.name for desired in (*old[:MAX_ADMITTED], new, news)}
    assert known == [True] * count
    assert {report.outcome for report in served} == {Outcome.SERVED}
    assert {desired.name for desired in old[MAX_ADMITTED : MAX_ADMITTED + 30]} <= notified(server)


def test_what_waits_for_its_turn_counts_where_there_is_a_bound(simulate, servers):
    server, parts = servers(), simulate(first_poll_s=NEVER_S, max_zones=2 * MAX_ADMITTED + 20)
    pool = live_pool(server)
    for number in range(MAX_ADMITTED + 30):
        parts.converger.converge(change(name=f"z{number}.example.", recovery=True), pool)

    assert (len(parts.converger), parts.converger.dropped) == (MAX_ADMITTED + 10, 20)


def test_a_server_that_never_follows_is_told_of_though_changes_keep_coming(simulate, servers):
    server, parts = servers(), simulate(deadline_s=0.5)
    pool, revision = live_pool(server), 0
    while not parts.reports.got and revision < 100:
        revision += 1
        parts.converger.converge(change(revision), pool)
        parts.run_for(0.05)

    assert parts.reports.got[0].outcome is Outcome.LATE


# -- hints ---------------------------------------------------------------------------------------


def test_a_hint_polls_at_once_and_goes_on_until_the_server_is_there(simulate, servers):
    server, parts, desired = servers(), simulate(first_poll_s=NEVER_S), change(1)
    pool = live_pool(server, backends=(fake(),))
    parts.converger.converge(desired, pool)
    parts.until(lambda: server.notifies, 10, "the NOTIFY")
    unhinted = len(server.queries)
    parts.converger.hint(desired.zone_id, server.host)
    parts.until(lambda: len(server.queries) >= 3, 10, "polls after one hint")
    server.serials[ZONE] = 100

    assert unhinted == 0
    assert parts.reports.wait(desired).outcome is Outcome.SERVED


def test_a_hint_polls_the_server_that_it_speaks_of(simulate, servers):
    here, there = servers("127.0.0.1"), servers("127.0.0.2")
    here.serials[ZONE] = there.serials[ZONE] = 100
    parts, desired = simulate(first_poll_s=NEVER_S), change(1)
    parts.converger.converge(desired, live_pool(here, there, backends=(fake(),)))
    parts.converger.hint(desired.zone_id, "127.0.0.2")
    parts.until(lambda: there.queries, 10, "a poll")
    first = (len(here.queries), len(parts.reports.got))
    parts.converger.hint(desired.zone_id, "127.0.0.1")

    assert first == (0, 0)
    assert parts.reports.wait(desired).outcome is Outcome.SERVED


def test_a_hint_from_an_unknown_address_polls_every_server(simulate, servers):
    """A server may transfer from another address than the one it answers on."""
    pool = [servers(), servers()]
    parts, desired = simulate(first_poll_s=NEVER_S), change(1)
    for server in pool:
        server.serials[ZONE] = 100
    parts.converger.converge(desired, live_pool(*pool, backends=(fake(),)))
    parts.converger.hint(desired.zone_id, "192.0.2.99")

    assert parts.reports.wait(desired).outcome is Outcome.SERVED


def test_a_hint_for_a_zone_that_nobody_waits_for_is_nothing(simulate):
    parts = simulate()
    parts.converger.hint(change(1).zone_id, "127.0.0.1")

    assert len(parts.converger) == 0


# -- NOTIFY --------------------------------------------------------------------------------------


def test_a_lost_notify_is_sent_again(simulate, servers):
    server, parts, desired = servers(), simulate(), change(1)
    server.serials[ZONE] = 99
    server.lose_notifies = 1
    server.on_notify = 100
    parts.converger.converge(desired, live_pool(server, backends=(fake(),)))

    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.SERVED
    assert (len(server.lost), len(server.notifies)) == (1, 1)


def test_of_a_crowd_no_zone_is_asked_or_told_often(simulate, servers):
    server, parts = servers(), simulate(deadline_s=1.0, polls_per_s=1 / NEVER_S)
    desired = change(1)
    parts.converger.converge(desired, live_pool(server, backends=(fake(),)))

    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.LATE
    # The first of each, and one more NOTIFY, for a datagram may be lost.
    assert (len(server.queries), len(server.notifies)) == (1, 2)


def test_many_quick_changes_share_notifies(simulate, servers):
    server, parts = servers(), simulate()
    server.serials[ZONE] = 1
    pool = live_pool(server, backends=(fake(),))
    changes = [change(revision) for revision in range(1, 201)]
    for desired in changes:
        parts.converger.converge(desired, pool)
    server.on_notify = changes[-1].serial
    server.serials[ZONE] = changes[-1].serial

    assert parts.reports.wait(changes[-1]).outcome is Outcome.SERVED
    assert len(server.notifies) <= 20


def test_also_notifies_hear_of_each_change_and_are_never_polled(simulate, servers):
    server, stealth = servers(), servers()
    server.serials[ZONE] = 100
    parts = simulate()
    pool = live_pool(server, backends=(fake(),), also=(stealth,))
    for number, action in enumerate((Action.CREATE, Action.UPDATE), start=1):
        desired = change(number, action)
        server.serials[ZONE] = desired.serial
        parts.converger.converge(desired, pool)

        parts.until(
            lambda told=number: len(stealth.notifies) == told, 10, f"the NOTIFY of {action}"
        )
        parts.reports.wait(desired)
    assert stealth.queries == []


def test_an_also_notify_that_says_nothing_is_told_a_few_times_and_holds_nothing_up(
    simulate, servers
):
    server, stealth = servers(), servers()
    server.serials[ZONE] = 100
    stealth.unresponsive = True
    parts, desired = simulate(), change(1)
    parts.converger.converge(desired, live_pool(server, backends=(fake(),), also=(stealth,)))

    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    parts.until(lambda: len(stealth.notifies) == 2, 10, "a second NOTIFY")
    stealth.unresponsive = False
    parts.until(lambda: len(stealth.notifies) == 3, 10, "a third one, which is answered")


def test_a_pool_that_wants_no_notify_gets_none(simulate, servers):
    server, parts, desired = servers(), simulate(first_poll_s=NEVER_S), change(1)
    server.serials[ZONE] = 100
    parts.converger.converge(desired, live_pool(server, backends=(fake(),), notify=False))

    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    assert server.notifies == []


# -- backends ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "created", "expected"),
    [
        (Action.CREATE, False, [("create", ZONE)]),
        (Action.UPDATE, False, [("create", ZONE)]),  # a change overtook its creation
        (Action.UPDATE, True, []),
    ],
)
def test_a_backend_creates_what_the_servers_do_not_know_yet(
    simulate, servers, action, created, expected
):
    server, parts, backend = servers(), simulate(), fake()
    server.serials[ZONE] = 100
    desired = change(1, action, created=created)
    parts.converger.converge(desired, live_pool(server, backends=(backend,)))

    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    assert backend.calls == expected


def test_a_backend_that_fails_is_tried_again(simulate, servers):
    server, parts, backend = servers(), simulate(), fake()
    server.serials[ZONE] = 100
    backend.fail_next(3)
    desired = change(1, Action.CREATE, created=False)
    parts.converger.converge(desired, live_pool(server, backends=(backend,)))

    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    assert backend.calls == [("create", ZONE)] * 4


def test_a_new_zone_is_not_served_before_enough_targets_took_it(simulate, servers):
    server, parts = servers(), simulate(deadline_s=0.4)
    server.serials[ZONE] = 100
    good, bad = fake(), fake()
    bad.fail_next(10_000)
    desired = change(1, Action.CREATE, created=False)
    parts.converger.converge(desired, live_pool(server, backends=(good, bad)))

    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.FAILED
    assert "target 2" in report.error
    assert "made to fail" in report.error


def test_a_zone_that_a_server_lost_is_created_there_again(simulate, servers):
    server, parts, backend = servers(), simulate(), fake()
    desired = change(1, created=True)
    parts.converger.converge(desired, live_pool(server, backends=(backend,)))
    parts.until(lambda: backend.calls, 10, "a creation")
    server.serials[ZONE] = 100

    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    assert backend.calls == [("create", ZONE)]


def test_repairing_one_server_does_not_depend_on_the_others_control_channel(simulate, servers):
    one, two, parts = servers(), servers(), simulate()
    two.serials[ZONE] = 100
    good, bad = fake(), fake()
    bad.fail_next(10_000)
    desired = change(1, created=True)
    parts.converger.converge(desired, live_pool(one, two, backends=(good, bad)))
    parts.until(lambda: good.calls, 10, "a creation")
    one.serials[ZONE] = 100

    assert parts.reports.wait(desired).outcome is Outcome.SERVED


def test_a_server_that_does_not_follow_has_its_settings_renewed_once(simulate, servers):
    server, parts, backend = servers(), simulate(), fake()
    server.serials[ZONE] = 99
    desired = change(1, created=True)
    parts.converger.converge(desired, live_pool(server, backends=(backend,)))
    parts.until(lambda: backend.calls, 15, "an update")
    server.serials[ZONE] = 100

    assert parts.reports.wait(desired).outcome is Outcome.SERVED
    assert backend.calls == [("update", ZONE)]


# -- deletion ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rcode", [dns.rcode.REFUSED, dns.rcode.NXDOMAIN, dns.rcode.NOERROR])
def test_proofs_of_absence_end_a_deletion(simulate, servers, rcode):
    server, parts, backend = servers(), simulate(), fake()
    server.rcode = rcode
    desired = change(3, Action.DELETE)
    parts.converger.converge(desired, live_pool(server, backends=(backend,)))

    report = parts.reports.wait(desired)

    assert (report.outcome, report.revision) == (Outcome.ABSENT, 3)
    assert backend.calls == [("delete", ZONE)]
    assert server.notifies == []


def test_a_server_in_trouble_is_no_proof_of_absence(simulate, servers):
    gone, broken, silent = servers(), servers(), servers()
    broken.rcode = dns.rcode.SERVFAIL
    silent.unresponsive = True
    parts, desired = simulate(deadline_s=1.0), change(3, Action.DELETE)
    parts.converger.converge(desired, live_pool(gone, broken, silent, backends=(fake(),)))

    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.LATE
    assert f"{broken.port}: SERVFAIL" in report.error
    assert f"{silent.port}: timeout" in report.error
    assert str(gone.port) not in report.error.partition("target")[0]


def test_a_server_that_has_expired_data_and_says_so_does_not_serve_it(simulate, servers):
    """MiniDNS, or a nameserver that still has the zone: SERVFAIL counts as absence then."""
    server, parts, backend = servers(), simulate(), fake()
    server.rcode = dns.rcode.SERVFAIL
    desired = change(3, Action.DELETE, withdrawn=True)
    parts.converger.converge(desired, live_pool(server, backends=(backend,)))

    assert parts.reports.wait(desired).outcome is Outcome.ABSENT
    assert backend.calls == [("delete", ZONE)]


def test_a_withdrawal_under_way_gives_way_to_new_content(simulate, servers):
    server, parts, backend = servers(), simulate(), fake()
    server.serials[ZONE] = 300
    pool = live_pool(server, backends=(backend,))
    content = change(4, created=False)
    parts.converger.converge(change(3, Action.DELETE, withdrawn=True), pool)
    parts.until(lambda: ("delete", ZONE) in backend.calls, 10, "the withdrawal")
    parts.converger.converge(content, pool)
    parts.converger.converge(change(3, Action.DELETE, withdrawn=True), pool)
    parts.until(lambda: ("create", ZONE) in backend.calls, 10, "the creation")
    server.serials[ZONE] = 400

    assert parts.reports.wait(content).outcome is Outcome.SERVED
    assert backend.calls == [("delete", ZONE), ("create", ZONE)]


def test_a_deletion_that_the_backend_refuses_is_never_done(simulate, servers):
    server, parts, backend = servers(), simulate(deadline_s=0.5), fake()
    backend.fail_next(10_000)
    desired = change(3, Action.DELETE)
    parts.converger.converge(desired, live_pool(server, backends=(backend,)))

    report = parts.reports.wait(desired)

    assert report.outcome is Outcome.FAILED
    assert "made to fail" in report.error


def test_a_deletion_stays_one_whatever_follows(simulate, servers):
    server, parts, backend = servers(), simulate(), fake()
    server.serials[ZONE] = 500
    pool, deletion = live_pool(server, backends=(backend,)), change(3, Action.DELETE)
    parts.converger.converge(change(2), pool)
    parts.converger.converge(deletion, pool)
    parts.converger.converge(change(4), pool)
    parts.until(lambda: ("delete", ZONE) in backend.calls, 10, "the deletion")
    del server.serials[ZONE]

    assert parts.reports.wait(deletion, Outcome.ABSENT).revision == 3
    assert backend.calls[-1] == ("delete", ZONE)


def test_a_creation_under_way_ends_before_the_deletion_that_follows_it(simulate, servers):
    """A server must not be asked to add the zone after it was asked to delete it."""
    server, parts, backend = servers(), simulate(), SlowBackend()
    pool = live_pool(server, backends=(backend,))
    deletion, meanwhile = change(2, Action.DELETE), []

    def delete():
        asked = len(server.queries)
        parts.converger.converge(deletion, pool)
        parts.until(lambda: len(server.queries) > asked, 10, "a poll")
        meanwhile.append(list(backend.ended))

    backend.during_creation = delete
    parts.converger.converge(change(1, Action.CREATE, created=False), pool)

    assert parts.reports.wait(deletion).outcome is Outcome.ABSENT
    assert meanwhile == [[]]
    assert backend.ended == ["create", "delete"]


def test_a_repair_under_way_ends_before_a_deletion_though_the_zone_was_served_meanwhile(
    simulate, servers
):
    server, parts, backend = servers(), simulate(), SlowBackend()
    pool = live_pool(server, backends=(backend,))
    repaired, deletion = change(1, created=True), change(2, Action.DELETE)

    def delete():
        server.serials[ZONE] = 100
        parts.reports.wait(repaired, Outcome.SERVED)
        parts.converger.converge(deletion, pool)
        del server.serials[ZONE]

    backend.during_creation = delete
    parts.converger.converge(repaired, pool)

    assert parts.reports.wait(deletion).outcome is Outcome.ABSENT
    assert backend.ended == ["create", "delete"]


# -- many zones ----------------------------------------------------------------------------------


def test_a_dead_nameserver_delays_no_other(simulate, servers, monkeypatch):
    dead, alive, stop = servers(), servers(), threading.Event()
    query_soa, stuck = client.query_soa, []

    def query(host, port, *args, **options):
        if port == dead.port:
            stuck.append(port)
            stop.wait(scaled(60))
        return query_soa(host, port, *args, **options)

    monkeypatch.setattr(client, "query_soa", query)
    dead.unresponsive = True
    parts = simulate(executors=EndpointExecutors())
    for number in range(200):
        waiting = change(1, name=f"z{number}.example.")
        parts.converger.converge(waiting, live_pool(dead, backends=(fake(),)))
    parts.run_for(1)
    until(lambda: len(stuck) == MAX_THREADS, 10, "a busy dead server")
    alive.serials["alive.example."] = 100
    desired = change(1, name="alive.example.")
    parts.converger.converge(desired, live_pool(alive, backends=(fake(),)))
    parts.run_for(1)

    until(lambda: parts.reports.got, 10, "a report")
    stop.set()
    assert [report.outcome for report in parts.reports.of(desired)] == [Outcome.SERVED]
    assert len(parts.reports.got) == 1


def test_zones_beyond_the_bound_are_left_to_the_sweep(simulate, servers):
    server, parts = servers(), simulate(max_zones=2)
    pool = live_pool(server)
    for number in range(3):
        parts.converger.converge(change(1, name=f"z{number}.example."), pool)
    count = len(parts.converger)
    parts.converger.converge(change(2, name="z1.example."), pool)
    server.serials["z1.example."] = 200

    assert (count, parts.converger.dropped) == (2, 1)
    assert parts.reports.wait(change(2, name="z1.example.")).outcome is Outcome.SERVED
