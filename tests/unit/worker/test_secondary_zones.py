"""worker.secondary: which primary is used, what central stores, and what a failure leaves behind."""

import contextlib
import threading

import dns.message
import dns.name
import dns.rdatatype
import dns.tsig
import pytest
from oslo_config import cfg

from designate import errors, shared_options
from designate.model.secondary import TransferInKey, TransferInOutcome, TransferInPlan
from designate.model.zones import PrimaryAddress, ZoneId
from designate.rpc.clients import CentralClient
from designate.runtime.clock import SYSTEM_CLOCK
from designate.wire import transfer_in as wire
from designate.wire.client import SoaAnswer, SoaState
from designate.worker import primaries, secondary
from designate.worker.scheduling.refresh_queue import RefreshQueue
from designate.worker.secondary import SecondaryRefresher
from tests.support.deadlines import scaled, until
from tests.support.fakes.clock import ManualClock
from tests.support.fakes.scripted_primary import (
    CONTENT,
    ZONE,
    ScriptedPrimary,
    message,
    rrs,
    soa,
    whole,
)

ZONE_ID = ZoneId("6b1b4c0e-0b0a-4f5e-8f30-6f5b0a0b0c0d")


class Central:
    """Implements central.secondary with one plan.

    Attributes:
        the_plan: what `plan` returns; None: the zone does not exist.
        plans: how often it was requested.
        outcomes: what `replace_content` returns, one after the other; errors are raised.
        contents: what was received to it.
        staged: parts by transfer.
        said: calls of `checked` and `failed`.
    """

    def __init__(self, plan):
        self.the_plan = plan
        self.outcomes = []
        self.contents = []
        self.staged = {}
        self.said = []
        self.plans = 0

    def plan(self, _context, _zone_id):
        self.plans += 1
        if self.the_plan is None:
            raise errors.NotFound("zone")
        return self.the_plan

    def stage(self, _context, _zone_id, transfer_id, position, part):
        self.staged.setdefault(transfer_id, []).append((position, part))

    def discard(self, _context, transfer_id):
        self.staged.pop(transfer_id, None)

    def replace_content(self, _context, content):
        self.contents.append(content)
        outcome = self.outcomes.pop(0) if self.outcomes else TransferInOutcome.STORED
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def checked(self, _context, _zone_id, serial):
        self.said.append(("checked", serial))

    def failed(self, _context, _zone_id, reason, refused=False):
        self.said.append(("refused" if refused else "failed", reason))

    @property
    def done(self):
        return bool(self.said or self.contents)


def plan(*primaries, **members):
    masters = tuple(PrimaryAddress(host=one.host, port=one.port) for one in primaries)
    return TransferInPlan(zone_id=ZONE_ID, name=ZONE, masters=masters, **members)


@pytest.fixture
def primary():
    """Start primaries that send a whole zone with the serial, or what a script returns."""
    with contextlib.ExitStack() as stack:

        def start(serial=7, script=None, host="127.0.0.1"):
            def honest(query):
                return [message(query, whole(serial))]

            made = stack.enter_context(ScriptedPrimary(script or honest, host))
            made.serial = serial
            return made

        yield start


@pytest.fixture
def refresh(quick_timeouts):  # noqa: ARG001 - for its effect
    """Run a refresher until it has called central for one request."""
    with contextlib.ExitStack() as stack:

        def run(central, source=None, *, wait=True, clock=SYSTEM_CLOCK, **options):
            conf = cfg.ConfigOpts()
            shared = shared_options.OPTIONS_BY_GROUP[secondary.GROUP]
            conf.register_opts([*secondary.OPTS, *shared], secondary.GROUP)
            loopback = {"primary_allowed_networks": ["127.0.0.0/8", "::1/128"]}
            for name, value in (loopback | options).items():
                conf.set_override(name, value, secondary.GROUP)
            client = CentralClient(
                **dict.fromkeys(CentralClient.__slots__) | {"secondary": central}
            )
            worker = SecondaryRefresher(conf, client, clock)
            worker.start()
            stack.callback(worker.stop)
            worker.refresh_zone(ZONE_ID, source)
            if wait:
                until(lambda: central.done)
            return worker

        yield run


def asked(primary):
    return [dns.rdatatype.to_text(query.question[0].rdtype) for query in primary.queries]


def test_a_zone_without_content_is_brought_whole(primary, refresh):
    one = primary()
    central = Central(plan(one))
    refresh(central)
    received = central.contents[0]

    assert asked(one) == ["AXFR"]
    assert (received.zone_id, received.serial, received.difference) == (ZONE_ID, 7, False)
    assert (received.staged, len(received.tail) > 100) == (0, True)
    assert central.said == []


def test_a_primary_with_our_serial_is_asked_for_its_soa_alone(primary, refresh):
    one = primary(7)
    central = Central(plan(one, newer_than=7, since=7))
    refresh(central)

    assert central.said == [("checked", 7)]
    assert one.queries == []


def test_a_newer_primary_is_asked_for_the_difference(primary, refresh):
    one = primary(7, lambda query: [message(query, [soa(7), soa(5), soa(7), soa(7)])])
    central = Central(plan(one, newer_than=5, since=5))
    refresh(central)

    assert asked(one) == ["IXFR"]
    assert central.contents[0].difference


def test_a_difference_that_central_cannot_use_is_followed_by_the_whole(primary, refresh):
    def script(query):
        if query.question[0].rdtype == dns.rdatatype.IXFR:
            return [message(query, [soa(7), soa(5), soa(7), soa(7)])]
        return [message(query, whole(7))]

    one = primary(7, script)
    central = Central(plan(one, newer_than=5, since=5))
    central.outcomes = [TransferInOutcome.UNFIT, TransferInOutcome.STORED]
    refresh(central)
    until(lambda: len(central.contents) == 2)

    assert asked(one) == ["IXFR", "AXFR"]
    assert [content.difference for content in central.contents] == [True, False]


def test_of_several_primaries_the_newest_is_transferred_from(primary, refresh):
    old, new, newest = primary(6), primary(8), primary(9)
    central = Central(plan(old, new, newest, newer_than=5, since=5))
    refresh(central)

    assert central.contents[0].serial == 9
    assert (old.queries, new.queries) == ([], [])


def test_when_the_newest_fails_the_next_one_is_used(primary, refresh):
    broken = primary(9, lambda _query: [b"\0\1x"])
    old, new = primary(6), primary(8)
    central = Central(plan(old, broken, new, newer_than=5, since=5))
    refresh(central)

    assert [content.serial for content in central.contents] == [8]
    assert central.said == []


def test_a_primary_that_is_down_does_not_keep_the_others_from_being_used(primary, refresh):
    up, down = primary(8), primary(9)
    down.__exit__()
    central = Central(plan(down, up, newer_than=5, since=5))
    refresh(central)

    assert central.contents[0].serial == 8


def test_a_primary_that_gives_transfers_alone_is_asked_for_one(primary, refresh):
    quiet = primary(8)
    quiet.serial = None
    central = Central(plan(quiet, newer_than=5, since=5))
    refresh(central)

    assert central.contents[0].serial == 8


def test_all_primaries_older_than_us_are_a_failure_with_the_reason(primary, refresh):
    one = primary(4)
    central = Central(plan(one, newer_than=5, since=5))
    refresh(central)

    assert central.said == [("failed", f"127.0.0.1:{one.port}: serial 4")]


def test_a_failure_names_every_primary_and_what_it_did(primary, refresh):
    garbage = primary(8, lambda _query: [b"\0\x05abcde"])
    ended = primary(8, lambda query: [message(query, [soa(8)])])
    central = Central(plan(garbage, ended, newer_than=5))
    refresh(central)
    _, reason = central.said[0]

    assert f"{garbage.port}: its answer belongs to another question" in reason
    assert f"{ended.port}: it closed the connection early" in reason
    assert central.contents == []


def test_primaries_that_the_rules_refuse_get_no_query(primary, refresh):
    one, two = primary(8), primary(9)
    central = Central(plan(one, two))
    refresh(central, primary_allowed_networks=[])
    ((outcome, reason),) = central.said

    assert outcome == "refused"
    assert f"127.0.0.1:{one.port}: it is a loopback address" in reason
    assert f"127.0.0.1:{two.port}: it is a loopback address" in reason
    assert (asked(one), asked(two), one.datagrams, two.datagrams) == ([], [], 0, 0)


def test_a_refused_primary_beside_a_failing_one_is_named_and_no_refusal(primary, refresh):
    garbage, denied = primary(8, lambda _query: [b"\0\x05abcde"]), primary(9, host="127.0.0.2")
    central = Central(plan(denied, garbage))
    refresh(central, primary_denied_networks=["127.0.0.2/32"])
    ((outcome, reason),) = central.said

    assert outcome == "failed"
    assert (
        f"127.0.0.2:{denied.port}: it is an address in a network that the operator has denied"
        in reason
    )
    assert f"127.0.0.1:{garbage.port}: its answer belongs to another question" in reason
    assert (asked(denied), denied.datagrams) == ([], 0)


def test_content_that_central_refuses_is_a_failure_and_leaves_no_parts(primary, refresh):
    one = primary()
    central = Central(plan(one))
    central.outcomes = [errors.BadRequest("it has no NS records")]
    refresh(central)
    until(lambda: central.said)

    assert central.said == [("failed", f"127.0.0.1:{one.port}: it has no NS records")]
    assert central.staged == {}


def test_a_large_zone_is_staged_in_parts_that_make_up_the_whole(primary, refresh):
    def script(query):
        yield message(query, [soa(7), *CONTENT])
        for number in range(120):
            data = " ".join(["a" * 250] * 60)
            yield message(query, rrs(f"n{number}.{ZONE} 60 TXT {data}"))
        yield message(query, [soa(7)])

    one = primary(7, script)
    central = Central(plan(one))
    refresh(central)
    received = central.contents[0]
    parts = central.staged[received.id]

    assert received.staged == len(parts) >= 3
    assert [position for position, _ in parts] == list(range(len(parts)))
    assert all(len(part) < 2 * wire.CHUNK_BYTES for _, part in parts)
    assert sum(len(part) for _, part in parts) + len(received.tail) > 120 * 60 * 250


def test_a_transfer_that_fails_late_leaves_no_parts(primary, refresh):
    def script(query):
        yield message(query, [soa(7), *CONTENT])
        for number in range(120):
            data = " ".join(["a" * 250] * 60)
            yield message(query, rrs(f"n{number}.{ZONE} 60 TXT {data}"))
        yield message(query, [soa(8)])

    central = Central(plan(primary(7, script)))
    refresh(central)

    assert "closed with another SOA" in central.said[0][1]
    assert central.staged == {}
    assert central.contents == []


def test_an_answer_of_central_that_comes_too_late_is_looked_for(primary, refresh):
    one, clock = primary(7), ManualClock()
    central = Central(plan(one, newer_than=5))
    central.outcomes = [errors.Unavailable("The service did not answer in time")]
    refresh(central, clock=clock, xfr_threads=1)
    central.the_plan = plan(one, newer_than=7)
    clock.wait_for_waits()
    plans = central.plans
    clock.advance(secondary.STORING_CHECK_S)
    until(lambda: central.plans > 1)

    assert plans == 1
    assert len(central.contents) == 1
    assert central.said == []


def test_a_zone_that_is_gone_is_left_alone(refresh):
    central = Central(None)
    worker = refresh(central, wait=False)
    until(lambda: central.plans)

    worker.stop()
    assert central.said == []


def test_who_sent_the_notify_is_asked_first_among_equals():
    here, there, behind = (PrimaryAddress(host=f"192.0.2.{n}") for n in (1, 2, 3))
    same = SoaAnswer(state=SoaState.SERIAL, serial=9)
    older = SoaAnswer(state=SoaState.SERIAL, serial=8)
    answers = {here: same, there: same, behind: older}

    for _ in range(20):
        assert primaries.transfer_order(answers, 5, "192.0.2.2", False) == [there, here, behind]
        assert primaries.transfer_order(answers, 5, "192.0.2.3", False)[-1] == behind
    firsts = {primaries.transfer_order(answers, 5, None, False)[0] for _ in range(100)}
    assert firsts == {here, there}


def test_a_refused_primary_is_not_tried_with_a_transfer():
    quiet, denied = (PrimaryAddress(host=f"192.0.2.{n}") for n in (1, 2))
    answers = {
        denied: SoaAnswer(state=SoaState.UNKNOWN, unreachable=True, refused=True),
        quiet: SoaAnswer(state=SoaState.UNKNOWN, unreachable=True),
    }

    assert primaries.transfer_order(answers, 5, None, False) == [quiet]


def test_while_a_zone_is_looked_after_what_comes_for_it_waits_as_one():
    queue = RefreshQueue(gap_s=0.0)
    queue.put("a", None)
    queue.put("a", "192.0.2.1")
    first = queue.take()
    for source in ("192.0.2.2", "192.0.2.3"):
        queue.put("a", source)
    queue.put("b", None)
    second = queue.take()
    queue.done("a")

    assert first == ("a", "192.0.2.1")
    assert second == ("b", None)
    assert queue.take() == ("a", "192.0.2.3")


def test_a_zone_rests_between_two_looks():
    clock, taken = ManualClock(), []
    queue = RefreshQueue(gap_s=10.0, clock=clock)
    queue.put("a", None)
    queue.take()
    queue.done("a")
    queue.put("a", None)
    thread = threading.Thread(target=lambda: taken.append(queue.take()))
    thread.start()
    clock.wait_for_waits()
    clock.advance(9)
    early = list(taken)
    clock.advance(1)
    thread.join(scaled(5))

    assert early == []
    assert taken == [("a", None)]


def test_the_queue_is_bounded_and_counts_what_it_drops():
    queue = RefreshQueue(max_zones=2)
    took = [queue.put(zone, None) for zone in ("a", "b", "c", "a")]

    assert took == [True, True, False, True]
    assert queue.dropped == 1


def test_a_closed_queue_ends_its_threads_and_takes_nothing():
    queue = RefreshQueue()
    ended = []
    thread = threading.Thread(target=lambda: ended.append(queue.take()))
    thread.start()
    queue.close()
    thread.join(scaled(5))

    assert ended == [None]
    assert not queue.put("a", None)


def test_a_silent_primary_is_left_alone_while_another_one_confirms_what_is_there(primary, refresh):
    quiet, current = primary(9), primary(5)
    quiet.serial = None
    central = Central(plan(quiet, current, newer_than=5, since=5))
    refresh(central)

    assert central.said == [("checked", 5)]
    assert quiet.queries == []


def test_with_a_key_the_newest_primary_that_signs_is_transferred_from(primary, refresh):
    secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
    older, newer, unsigned = primary(7), primary(8), primary(9)
    for signing in (older, newer):
        signing.keyring = {dns.name.from_text("k."): dns.tsig.Key("k.", secret, "hmac-sha256")}
    key = TransferInKey(name="k", algorithm="hmac-sha256", secret=secret)
    central = Central(plan(older, unsigned, newer, newer_than=5, since=5, keys=(key,)))
    refresh(central)

    assert [content.serial for content in central.contents] == [8]
    assert (older.queries, unsigned.queries) == ([], [])


def test_with_a_key_what_is_not_signed_is_not_believed(primary, refresh):
    unsigned = primary(9)
    key = TransferInKey(name="k", algorithm="hmac-sha256", secret="c2VjcmV0")
    central = Central(plan(unsigned, newer_than=5, since=5, keys=(key,)))
    refresh(central)

    assert "its answer is not signed" in central.said[0][1]
    assert central.contents == []


def test_a_key_that_cannot_be_used_is_named_and_nothing_goes_unsigned(primary, refresh):
    one = primary(9)
    bad = TransferInKey(name="bad", algorithm="hmac-nonsense", secret="x")
    central = Central(plan(one, newer_than=5, keys=(bad,)))
    refresh(central, wait=False)
    until(lambda: central.plans)
    until(lambda: central.said)

    assert central.said == [("failed", "None of the zone's TSIG keys can be used")]
    assert one.queries == []
