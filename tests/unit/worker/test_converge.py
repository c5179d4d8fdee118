"""worker.converge: what counts as served or absent, and what is done until it is so."""

import contextlib
import threading

import dns.rcode
import pytest

from designate.backend.fake import FakeBackend
from designate.model.pools import Target
from designate.model.zones import Action, Outcome
from designate.worker.converge import Converger
from designate.worker.scheduling.admission import MAX_ADMITTED
from designate.worker.settings import ConvergenceSettings
from tests.support.deadlines import scaled, until
from tests.support.factories.worker import ZONE, Central, GateBackend, change, live_pool
from tests.support.fakes.nameserver import NanoServer

NEVER_S = 3600.0


class Running:
    """A converger with its central. first_poll_s: NEVER_S leaves polling to hints."""

    def __init__(self, **settings):
        self.central = Central()
        self.reports = self.central.reports
        defaults = {
            "threshold_percentage": 100,
            "deadline_s": 20.0,
            "query_timeout_s": 0.3,
            "first_poll_s": 0.01,
            "retry_s": 0.01,
            "all_tcp": False,
        }
        self.converger = Converger(self.central.client, ConvergenceSettings(**defaults | settings))


@pytest.fixture
def running():
    with contextlib.ExitStack() as stack:

        def start(**settings):
            parts = Running(**settings)
            parts.converger.start()
            stack.callback(parts.converger.stop)
            return parts

        yield start


@pytest.fixture
def servers():
    with contextlib.ExitStack() as stack:
        yield lambda host="127.0.0.1": stack.enter_context(NanoServer(host))


def told(server):
    """The zones of the NOTIFYs that a server got."""
    return {notify.question[0].name.to_text() for notify in list(server.notifies)}


def fake():
    return FakeBackend(Target(type="fake"))


# -- what counts as served ---------------------------------------------------------------------


@pytest.mark.parametrize(("percentage", "needed"), [(100, 3), (67, 3), (66, 2), (34, 2), (1, 1)])
def test_the_threshold_is_rounded_up(running, servers, percentage, needed):
    parts, pool = running(threshold_percentage=percentage), [servers() for _ in range(3)]
    for server in pool[: needed - 1]:
        server.serials[ZONE] = 100
    wanted = change(1)
    parts.converger.converge(wanted, live_pool(*pool))
    until(lambda: all(len(server.queries) >= 2 for server in pool[needed - 1 :]), 10, "polls")
    before = list(parts.reports.got)
    pool[needed - 1].serials[ZONE] = 100

    assert before == []
    assert parts.reports.wait(wanted).outcome is Outcome.SERVED


def test_the_report_names_the_oldest_serial_that_counts(running, servers):
    pool = [servers() for _ in range(3)]
    for server, serial in zip(pool, (130, 120, 140), strict=True):
        server.serials[ZONE] = serial
    parts, wanted = running(), change(1)
    parts.converger.converge(wanted, live_pool(*pool))

    report = parts.reports.wait(wanted)

    assert (report.outcome, report.serial, report.revision) == (Outcome.SERVED, 120, 1)
    assert len(parts.converger) == 0


def test_rfc1982_a_serial_that_wrapped_is_newer(running, servers):
    server, parts = servers(), running()
    server.serials[ZONE] = 5
    wanted = change(1, serial=4294967290)
    parts.converger.converge(wanted, live_pool(server))

    assert parts.reports.wait(wanted).outcome is Outcome.SERVED


def test_rfc1982_a_serial_from_before_the_wrap_is_older(running, servers):
    server, parts = servers(), running()
    server.serials[ZONE] = 4294967290
    wanted = change(1, serial=5)
    parts.converger.converge(wanted, live_pool(server))
    until(lambda: len(server.queries) >= 3, 10, "polls")
    before = list(parts.reports.got)
    server.serials[ZONE] = 5

    assert before == []
    assert parts.reports.wait(wanted).serial == 5


def test_an_older_revision_that_is_served_is_reported_as_that_and_no_more(running, servers):
    server, parts = servers(), running()
    pool = live_pool(server)
    first, second = change(1), change(2)
    parts.converger.converge(first, pool)
    parts.converger.converge(second, pool)
    server.serials[ZONE] = 100
    progress = parts.reports.wait(first)
    until(lambda: len(server.queries) >= 5, 10, "more polls")
    meanwhile = list(parts.reports.got)
    server.serials[ZONE] = 200
    end = parts.reports.wait(second)

    assert (progress.outcome, progress.serial) == (Outcome.SERVED, 100)
    assert meanwhile == [progress]
    assert (end.outcome, end.serial) == (Outcome.SERVED, 200)


def test_a_pool_without_nameservers_fails_and_says_why(running):
    parts, wanted = running(), change(1)
    parts.converger.converge(wanted, live_pool())

    report = parts.reports.wait(wanted)

    assert report.outcome is Outcome.FAILED
    assert "no nameservers" in report.error


def test_giving_up_names_every_server_and_what_it_said(running, servers):
    refusing, broken = servers(), servers()
    refusing.serials[ZONE] = 99
    broken.rcode = dns.rcode.SERVFAIL
    parts, wanted = running(deadline_s=0.3), change(1)
    with NanoServer() as gone:
        pool = live_pool(refusing, broken, gone)
    parts.converger.converge(wanted, pool)

    report = parts.reports.wait(wanted)

    assert (report.outcome, report.serial) == (Outcome.LATE, 100)
    assert f"{refusing.port}: serial 99" in report.error
    assert f"{broken.port}: SERVFAIL" in report.error
    assert f"{gone.port}: Connection refused" in report.error
    assert len(parts.converger) == 0


def test_a_change_that_is_handed_out_again_does_not_put_its_deadline_off(running, servers):
    """The recovery sweep repeats a change every few seconds."""
    server, parts = servers(), running(deadline_s=0.5)
    pool = live_pool(server)
    wanted, stop = change(1), threading.Event()

    def sweep():
        while not stop.wait(0.05):
            parts.converger.converge(wanted, pool)

    parts.converger.converge(wanted, pool)
    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        report = parts.reports.wait(wanted)
    finally:
        stop.set()
        thread.join(scaled(5))

    assert report.outcome is Outcome.LATE


def test_of_zones_that_the_sweep_repeats_so_many_are_on_their_way_at_once(running, servers):
    """And none that somebody waits for stands behind them."""
    server, parts = servers(), running(first_poll_s=NEVER_S)
    parts.converger._admission._max_admission_s = (
        NEVER_S  # places are kept, however slow the machine
    )
    pool, count = live_pool(server, backends=(fake(),)), MAX_ADMITTED + 50
    old = [change(name=f"z{n}.example.", again=True) for n in range(count)]
    for wanted in old * 2:
        parts.converger.converge(wanted, pool)
    new = change(name="new.example.")
    parts.converger.converge(new, pool)
    news = change(2, name=old[-1].name)
    parts.converger.converge(news, pool)
    until(lambda: new.name in told(server) and news.name in told(server), 10, "NOTIFYs")
    until(lambda: len(told(server)) >= MAX_ADMITTED + 2, 10, "NOTIFYs")
    first = told(server)
    known = [parts.converger.is_converging(wanted.zone_id) for wanted in old]
    for wanted in (*old[:30], news):
        server.serials[wanted.name] = wanted.serial
        parts.converger.hint(wanted.zone_id, "127.0.0.1")
    served = [parts.reports.wait(wanted) for wanted in (*old[:30], news)]
    until(lambda: len(told(server)) >= MAX_ADMITTED + 2 + 30, 10, "NOTIFYs of those that waited")

    assert first == {wanted.name for wanted in (*old[:MAX_ADMITTED], new, news)}
    assert known == [True] * count
    assert {report.outcome for report in served} == {Outcome.SERVED}
    assert {wanted.name for wanted in old[MAX_ADMITTED : MAX_ADMITTED + 30]} <= told(server)


def test_what_waits_for_its_turn_counts_where_there_is_a_bound(running, servers):
    server, parts = servers(), running(first_poll_s=NEVER_S, max_zones=2 * MAX_ADMITTED + 20)
    pool = live_pool(server)
    for number in range(MAX_ADMITTED + 30):
        parts.converger.converge(change(name=f"z{number}.example.", again=True), pool)

    assert (len(parts.converger), parts.converger.dropped) == (MAX_ADMITTED + 10, 20)


def test_a_server_that_never_follows_is_told_of_though_changes_keep_coming(running, servers):
    server, parts = servers(), running(deadline_s=0.5)
    pool, stop = live_pool(server), threading.Event()
    sent = []

    def client():
        while not stop.wait(0.05):
            sent.append(change(len(sent) + 1))
            parts.converger.converge(sent[-1], pool)

    thread = threading.Thread(target=client)
    thread.start()
    try:
        until(lambda: parts.reports.got, 10, "a report")
    finally:
        stop.set()
        thread.join(scaled(5))

    assert parts.reports.got[0].outcome is Outcome.LATE


# -- hints ---------------------------------------------------------------------------------------


def test_a_hint_polls_at_once_and_goes_on_until_the_server_is_there(running, servers):
    server, parts, wanted = servers(), running(first_poll_s=NEVER_S), change(1)
    pool = live_pool(server, backends=(fake(),))
    parts.converger.converge(wanted, pool)
    until(lambda: server.notifies, 10, "the NOTIFY")
    unhinted = len(server.queries)
    parts.converger.hint(wanted.zone_id, server.host)
    until(lambda: len(server.queries) >= 3, 10, "polls after one hint")
    server.serials[ZONE] = 100

    assert unhinted == 0
    assert parts.reports.wait(wanted).outcome is Outcome.SERVED


def test_a_hint_polls_the_server_that_it_speaks_of(running, servers):
    here, there = servers("127.0.0.1"), servers("127.0.0.2")
    here.serials[ZONE] = there.serials[ZONE] = 100
    parts, wanted = running(first_poll_s=NEVER_S), change(1)
    parts.converger.converge(wanted, live_pool(here, there, backends=(fake(),)))
    parts.converger.hint(wanted.zone_id, "127.0.0.2")
    until(lambda: there.queries, 10, "a poll")
    first = (len(here.queries), len(parts.reports.got))
    parts.converger.hint(wanted.zone_id, "127.0.0.1")

    assert first == (0, 0)
    assert parts.reports.wait(wanted).outcome is Outcome.SERVED


def test_a_hint_from_an_unknown_address_polls_every_server(running, servers):
    """A server may transfer from another address than the one it answers on."""
    pool = [servers(), servers()]
    parts, wanted = running(first_poll_s=NEVER_S), change(1)
    for server in pool:
        server.serials[ZONE] = 100
    parts.converger.converge(wanted, live_pool(*pool, backends=(fake(),)))
    parts.converger.hint(wanted.zone_id, "192.0.2.99")

    assert parts.reports.wait(wanted).outcome is Outcome.SERVED


def test_a_hint_for_a_zone_that_nobody_waits_for_is_nothing(running, servers):
    parts = running()
    parts.converger.hint(change(1).zone_id, "127.0.0.1")

    assert len(parts.converger) == 0


# -- NOTIFY --------------------------------------------------------------------------------------


def test_a_lost_notify_is_sent_again(running, servers):
    server, parts, wanted = servers(), running(), change(1)
    server.serials[ZONE] = 99
    server.lose_notifies = 1
    server.on_notify = 100
    parts.converger.converge(wanted, live_pool(server, backends=(fake(),)))

    report = parts.reports.wait(wanted)

    assert report.outcome is Outcome.SERVED
    assert (len(server.lost), len(server.notifies)) == (1, 1)


def test_of_a_crowd_no_zone_is_asked_or_told_often(running, servers):
    server, parts = servers(), running(deadline_s=1.0, polls_per_s=1 / NEVER_S)
    wanted = change(1)
    parts.converger.converge(wanted, live_pool(server, backends=(fake(),)))

    report = parts.reports.wait(wanted)

    assert report.outcome is Outcome.LATE
    # The first of each, and one more NOTIFY, for a datagram may be lost.
    assert (len(server.queries), len(server.notifies)) == (1, 2)


def test_many_quick_changes_share_notifies(running, servers):
    server, parts = servers(), running()
    server.serials[ZONE] = 1
    pool = live_pool(server, backends=(fake(),))
    changes = [change(revision) for revision in range(1, 201)]
    for wanted in changes:
        parts.converger.converge(wanted, pool)
    server.on_notify = changes[-1].serial
    server.serials[ZONE] = changes[-1].serial

    assert parts.reports.wait(changes[-1]).outcome is Outcome.SERVED
    assert len(server.notifies) <= 20


def test_also_notifies_hear_of_each_change_and_are_never_polled(running, servers):
    server, stealth = servers(), servers()
    server.serials[ZONE] = 100
    parts = running()
    pool = live_pool(server, backends=(fake(),), also=(stealth,))
    for number, action in enumerate((Action.CREATE, Action.UPDATE), start=1):
        wanted = change(number, action)
        server.serials[ZONE] = wanted.serial
        parts.converger.converge(wanted, pool)

        until(lambda told=number: len(stealth.notifies) == told, 10, f"the NOTIFY of {action}")
        parts.reports.wait(wanted)
    assert stealth.queries == []


def test_an_also_notify_that_says_nothing_is_told_a_few_times_and_holds_nothing_up(
    running, servers
):
    server, stealth = servers(), servers()
    server.serials[ZONE] = 100
    stealth.silent = True
    parts, wanted = running(), change(1)
    parts.converger.converge(wanted, live_pool(server, backends=(fake(),), also=(stealth,)))

    assert parts.reports.wait(wanted).outcome is Outcome.SERVED
    until(lambda: len(stealth.notifies) == 2, 10, "a second NOTIFY")
    stealth.silent = False
    until(lambda: len(stealth.notifies) == 3, 10, "a third one, which is answered")


def test_a_pool_that_wants_no_notify_gets_none(running, servers):
    server, parts, wanted = servers(), running(first_poll_s=NEVER_S), change(1)
    server.serials[ZONE] = 100
    parts.converger.converge(wanted, live_pool(server, backends=(fake(),), notify=False))

    assert parts.reports.wait(wanted).outcome is Outcome.SERVED
    assert server.notifies == []


# -- backends ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "created", "expected"),
    [
        (Action.CREATE, False, [("create", ZONE)]),
        (Action.UPDATE, False, [("create", ZONE)]),  # its creation was overtaken by a change
        (Action.UPDATE, True, []),
    ],
)
def test_a_backend_creates_what_the_servers_do_not_know_yet(
    running, servers, action, created, expected
):
    server, parts, backend = servers(), running(), fake()
    server.serials[ZONE] = 100
    wanted = change(1, action, created=created)
    parts.converger.converge(wanted, live_pool(server, backends=(backend,)))

    assert parts.reports.wait(wanted).outcome is Outcome.SERVED
    assert backend.calls == expected


def test_a_backend_that_fails_is_tried_again(running, servers):
    server, parts, backend = servers(), running(), fake()
    server.serials[ZONE] = 100
    backend.fail_next(3)
    wanted = change(1, Action.CREATE, created=False)
    parts.converger.converge(wanted, live_pool(server, backends=(backend,)))

    assert parts.reports.wait(wanted).outcome is Outcome.SERVED
    assert backend.calls == [("create", ZONE)] * 4


def test_a_new_zone_is_not_served_before_enough_targets_took_it(running, servers):
    server, parts = servers(), running(deadline_s=0.4)
    server.serials[ZONE] = 100
    good, bad = fake(), fake()
    bad.fail_next(10_000)
    wanted = change(1, Action.CREATE, created=False)
    parts.converger.converge(wanted, live_pool(server, backends=(good, bad)))

    report = parts.reports.wait(wanted)

    assert report.outcome is Outcome.FAILED
    assert "target 2" in report.error
    assert "told to fail" in report.error


def test_a_zone_that_a_server_lost_is_created_there_again(running, servers):
    server, parts, backend = servers(), running(), fake()
    wanted = change(1, created=True)
    parts.converger.converge(wanted, live_pool(server, backends=(backend,)))
    until(lambda: backend.calls, 10, "a creation")
    server.serials[ZONE] = 100

    assert parts.reports.wait(wanted).outcome is Outcome.SERVED
    assert backend.calls == [("create", ZONE)]


def test_repairing_one_server_does_not_depend_on_the_others_control_channel(running, servers):
    one, two, parts = servers(), servers(), running()
    two.serials[ZONE] = 100
    good, bad = fake(), fake()
    bad.fail_next(10_000)
    wanted = change(1, created=True)
    parts.converger.converge(wanted, live_pool(one, two, backends=(good, bad)))
    until(lambda: good.calls, 10, "a creation")
    one.serials[ZONE] = 100

    assert parts.reports.wait(wanted).outcome is Outcome.SERVED


def test_a_server_that_does_not_follow_has_its_settings_renewed_once(running, servers):
    server, parts, backend = servers(), running(), fake()
    server.serials[ZONE] = 99
    wanted = change(1, created=True)
    parts.converger.converge(wanted, live_pool(server, backends=(backend,)))
    until(lambda: backend.calls, 15, "an update")
    server.serials[ZONE] = 100

    assert parts.reports.wait(wanted).outcome is Outcome.SERVED
    assert backend.calls == [("update", ZONE)]


# -- deletion ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rcode", [dns.rcode.REFUSED, dns.rcode.NXDOMAIN, dns.rcode.NOERROR])
def test_proofs_of_absence_end_a_deletion(running, servers, rcode):
    server, parts, backend = servers(), running(), fake()
    server.rcode = rcode
    wanted = change(3, Action.DELETE)
    parts.converger.converge(wanted, live_pool(server, backends=(backend,)))

    report = parts.reports.wait(wanted)

    assert (report.outcome, report.revision) == (Outcome.ABSENT, 3)
    assert backend.calls == [("delete", ZONE)]
    assert server.notifies == []


def test_a_server_in_trouble_is_no_proof_of_absence(running, servers):
    gone, broken, silent = servers(), servers(), servers()
    broken.rcode = dns.rcode.SERVFAIL
    silent.silent = True
    parts, wanted = running(deadline_s=1.0), change(3, Action.DELETE)
    parts.converger.converge(wanted, live_pool(gone, broken, silent, backends=(fake(),)))

    report = parts.reports.wait(wanted)

    assert report.outcome is Outcome.LATE
    assert f"{broken.port}: SERVFAIL" in report.error
    assert f"{silent.port}: timeout" in report.error
    assert str(gone.port) not in report.error.partition("target")[0]


def test_a_server_that_has_expired_data_and_says_so_does_not_serve_it(running, servers):
    """MiniDNS, or a nameserver that kept the zone: SERVFAIL is as good as absence then."""
    server, parts, backend = servers(), running(), fake()
    server.rcode = dns.rcode.SERVFAIL
    wanted = change(3, Action.DELETE, withdrawn=True)
    parts.converger.converge(wanted, live_pool(server, backends=(backend,)))

    assert parts.reports.wait(wanted).outcome is Outcome.ABSENT
    assert backend.calls == [("delete", ZONE)]


def test_a_withdrawal_under_way_gives_way_to_new_content(running, servers):
    server, parts, backend = servers(), running(), fake()
    server.serials[ZONE] = 300
    pool = live_pool(server, backends=(backend,))
    content = change(4, created=False)
    parts.converger.converge(change(3, Action.DELETE, withdrawn=True), pool)
    until(lambda: ("delete", ZONE) in backend.calls, 10, "the withdrawal")
    parts.converger.converge(content, pool)
    parts.converger.converge(change(3, Action.DELETE, withdrawn=True), pool)
    until(lambda: ("create", ZONE) in backend.calls, 10, "the creation")
    server.serials[ZONE] = 400

    assert parts.reports.wait(content).outcome is Outcome.SERVED
    assert backend.calls == [("delete", ZONE), ("create", ZONE)]


def test_a_deletion_that_the_backend_refuses_is_never_done(running, servers):
    server, parts, backend = servers(), running(deadline_s=0.5), fake()
    backend.fail_next(10_000)
    wanted = change(3, Action.DELETE)
    parts.converger.converge(wanted, live_pool(server, backends=(backend,)))

    report = parts.reports.wait(wanted)

    assert report.outcome is Outcome.FAILED
    assert "told to fail" in report.error


def test_a_deletion_stays_one_whatever_follows(running, servers):
    server, parts, backend = servers(), running(), fake()
    server.serials[ZONE] = 500
    pool, deletion = live_pool(server, backends=(backend,)), change(3, Action.DELETE)
    parts.converger.converge(change(2), pool)
    parts.converger.converge(deletion, pool)
    parts.converger.converge(change(4), pool)
    until(lambda: ("delete", ZONE) in backend.calls, 10, "the deletion")
    del server.serials[ZONE]

    assert parts.reports.wait(deletion, Outcome.ABSENT).revision == 3
    assert backend.calls[-1] == ("delete", ZONE)


def test_a_creation_under_way_ends_before_the_deletion_that_follows_it(running, servers):
    """Else the server would be told to add the zone after it was told to forget it."""
    server, parts, backend = servers(), running(), GateBackend()
    pool = live_pool(server, backends=(backend,))
    deletion = change(2, Action.DELETE)
    parts.converger.converge(change(1, Action.CREATE, created=False), pool)
    assert backend.started.wait(scaled(10))
    asked = len(server.queries)
    parts.converger.converge(deletion, pool)
    until(lambda: len(server.queries) > asked, 10, "a poll")
    meanwhile = list(backend.ended)
    backend.gate.set()

    assert meanwhile == []
    assert parts.reports.wait(deletion).outcome is Outcome.ABSENT
    assert backend.ended == ["create", "delete"]


def test_a_repair_under_way_ends_before_a_deletion_though_the_zone_was_served_meanwhile(
    running, servers
):
    server, parts, backend = servers(), running(), GateBackend()
    pool = live_pool(server, backends=(backend,))
    repaired, deletion = change(1, created=True), change(2, Action.DELETE)
    parts.converger.converge(repaired, pool)
    assert backend.started.wait(scaled(10))
    server.serials[ZONE] = 100
    parts.reports.wait(repaired, Outcome.SERVED)
    parts.converger.converge(deletion, pool)
    del server.serials[ZONE]
    backend.gate.set()

    assert parts.reports.wait(deletion).outcome is Outcome.ABSENT
    assert backend.ended == ["create", "delete"]


# -- many zones ----------------------------------------------------------------------------------


def test_a_dead_nameserver_delays_no_other(running, servers):
    dead, alive, parts = servers(), servers(), running(query_timeout_s=5.0)
    dead.silent = True
    stuck = [change(1, name=f"z{n}.example.") for n in range(200)]
    for wanted in stuck:
        parts.converger.converge(wanted, live_pool(dead, backends=(fake(),)))
    until(lambda: len(dead.queries) >= 8, 10, "a busy dead server")
    alive.serials["alive.example."] = 100
    wanted = change(1, name="alive.example.")
    parts.converger.converge(wanted, live_pool(alive, backends=(fake(),)))

    assert parts.reports.wait(wanted, timeout_s=4).outcome is Outcome.SERVED
    assert len(parts.reports.got) == 1


def test_zones_beyond_the_bound_are_left_to_the_sweep(running, servers):
    server, parts = servers(), running(max_zones=2)
    pool = live_pool(server)
    for number in range(3):
        parts.converger.converge(change(1, name=f"z{number}.example."), pool)
    held = len(parts.converger)
    parts.converger.converge(change(2, name="z1.example."), pool)
    server.serials["z1.example."] = 200

    assert (held, parts.converger.dropped) == (2, 1)
    assert parts.reports.wait(change(2, name="z1.example.")).outcome is Outcome.SERVED
