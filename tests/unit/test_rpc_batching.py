"""Batching of calls and casts: a single call at once, many in few messages, a reply for each."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any
from typing import cast as cast_to

import pytest

from designate import errors
from designate.rpc import batching, cast_queue
from designate.rpc.batching import (
    BatchLimits,
    BatchRunner,
    CallBatcher,
    QueuedCall,
)
from designate.rpc.bus import Dispatcher
from designate.rpc.cast_queue import CastQueue, QueuedCast
from designate.rpc.interfaces import CallKind
from tests.support.deadlines import scaled, until

Plain = dict[str, Any]
LIMITS = BatchLimits(senders=2, max_batch=5)


def call(number: int, timeout_s: float = 10) -> QueuedCall:
    return QueuedCall(
        namespace="zones",
        version="1.0",
        method="get",
        message={"number": number},
        deadline_s=time.monotonic() + timeout_s,
        deadline_unix=time.time() + timeout_s,
    )


class Wire:
    """Records the messages; blocks them while the gate is closed."""

    def __init__(self) -> None:
        self.messages: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def send(self, calls: Sequence[QueuedCall]) -> list[Plain]:
        self.messages.append([sent.message["number"] for sent in calls])
        assert self.gate.wait(timeout=scaled(20))
        return [{"result": sent.message["number"] * 2} for sent in calls]


def in_threads(
    batcher: CallBatcher, numbers: Sequence[int], replies: dict[int, object]
) -> list[Any]:
    def run(number: int) -> None:
        try:
            replies[number] = batcher.call(call(number))
        except Exception as error:
            replies[number] = error

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in numbers]
    for thread in threads:
        thread.start()
    return threads


def all_busy(batcher: CallBatcher, wire: Wire, count: int, replies: dict[int, object]) -> list[Any]:
    """Give that many senders one call each and block them."""
    wire.gate.clear()
    threads: list[Any] = []
    for number in range(count):
        threads += in_threads(batcher, [number], replies)
        until(lambda n=number: len(wire.messages) == n + 1, 10, "a busy sender")
    return threads


def test_a_lone_call_goes_alone() -> None:
    wire = Wire()
    batcher = CallBatcher(wire.send, "test", LIMITS)

    assert batcher.call(call(21)) == {"result": 42}
    assert wire.messages == [[21]]


def test_calls_that_wait_share_a_message() -> None:
    wire = Wire()
    batcher = CallBatcher(wire.send, "test", LIMITS, slow_s=60)
    replies: dict[int, object] = {}
    threads = all_busy(batcher, wire, LIMITS.senders, replies)
    late = range(10, 10 + LIMITS.max_batch)
    threads += in_threads(batcher, late, replies)
    until(lambda: len(batcher._waiting) == len(late), 10, "calls that wait")
    wire.gate.set()
    for thread in threads:
        thread.join(timeout=scaled(10))

    assert [len(message) for message in wire.messages] == [1, 1, LIMITS.max_batch]
    assert replies == {number: {"result": number * 2} for number in (0, 1, *late)}


class Desk:
    """Runs calls and records their threads; other calls than get wait at the gate for each other."""

    def __init__(self, gate: int) -> None:
        self.gate = threading.Barrier(gate)
        self.ran: list[tuple[str, int]] = []
        self.batches: list[list[int]] = []

    @contextlib.contextmanager
    def batch_scope(self) -> Iterator[None]:
        before = len(self.ran)
        yield
        here = threading.current_thread().name
        self.batches.append([n for thread, n in self.ran[before:] if thread == here])

    @staticmethod
    def kind(_namespace: str, method: str) -> CallKind:
        return CallKind.PROMPT if method == "get" else CallKind.OTHER

    def dispatch(
        self, _namespace: str, _version: str, method: str, message: Plain, _until: float | None
    ) -> Plain:
        if method != "get":
            self.gate.wait(timeout=scaled(10))
        self.ran.append((threading.current_thread().name, message["number"]))
        return {"result": message["number"]}


def test_prompt_calls_of_a_message_are_run_in_turn_and_the_others_side_by_side() -> None:
    desk = Desk(gate=3)
    calls = [call(number).to_plain() for number in range(6)]
    for number in (1, 3, 4):
        calls[number]["method"] = "create"

    replies = BatchRunner(cast_to(Dispatcher, desk)).run(calls)

    assert [reply["result"] for reply in replies] == [0, 1, 2, 3, 4, 5]
    here = threading.current_thread().name
    assert [number for thread, number in desk.ran if thread == here] == [0, 2, 5, 1]
    assert desk.batches == [[0, 2, 5]]


def test_a_lone_prompt_call_shares_nothing() -> None:
    desk = Desk(gate=1)

    BatchRunner(cast_to(Dispatcher, desk)).run([call(0).to_plain()])

    assert desk.batches == []


def test_slow_calls_do_not_hold_up_the_others() -> None:
    wire = Wire()
    batcher = CallBatcher(wire.send, "test", LIMITS)
    replies: dict[int, object] = {}
    threads = all_busy(batcher, wire, LIMITS.senders, replies)
    threads += in_threads(batcher, [7], replies)

    until(lambda: [7] in wire.messages, 10, "a further sender")
    wire.gate.set()
    for thread in threads:
        thread.join(timeout=scaled(10))


def test_calls_share_messages_again_after_slow_ones() -> None:
    wire = Wire()
    batcher = CallBatcher(wire.send, "test", LIMITS)
    replies: dict[int, object] = {}
    threads = all_busy(batcher, wire, 4 * LIMITS.senders, replies)
    wire.gate.set()
    for thread in threads:
        thread.join(timeout=scaled(10))

    until(lambda: batcher._idle == LIMITS.senders and not batcher._busy_since_s, 10, "their end")


def test_a_sender_that_ran_out_of_time_says_so_at_once() -> None:
    sent = []

    def send(calls: Sequence[QueuedCall]) -> list[Plain]:
        sent.append(calls)
        raise TimeoutError("the socket")

    batcher = CallBatcher(send, "test", LIMITS)
    with pytest.raises(TimeoutError, match="the socket"):
        batcher.call(call(1, timeout_s=600))

    assert len(sent) == 1


def test_a_failure_reaches_every_call_of_the_message() -> None:
    def send(_calls: Sequence[QueuedCall]) -> list[Plain]:
        raise errors.Unavailable("the broker is unavailable")

    batcher = CallBatcher(send, "test", LIMITS)

    with pytest.raises(errors.Unavailable, match="broker"):
        batcher.call(call(1))
    with pytest.raises(errors.Unavailable, match="broker"):
        batcher.call(call(2))


def test_a_call_ends_at_its_deadline_and_is_not_sent_afterwards() -> None:
    wire = Wire()
    batcher = CallBatcher(wire.send, "test", LIMITS)
    replies: dict[int, object] = {}
    threads = all_busy(batcher, wire, batching.MAX_SENDERS, replies)

    with pytest.raises(TimeoutError):
        batcher.call(call(99, timeout_s=0.1))
    wire.gate.set()
    for thread in threads:
        thread.join(timeout=scaled(10))
    batcher.call(call(100))

    assert 99 not in [number for message in wire.messages for number in message]


def test_what_waits_fails_at_the_end() -> None:
    wire = Wire()
    batcher = CallBatcher(wire.send, "test", LIMITS)
    replies: dict[int, object] = {}
    threads = all_busy(batcher, wire, batching.MAX_SENDERS, replies)
    threads += in_threads(batcher, [99], replies)
    until(lambda: len(batcher._waiting) == 1, 10, "a call that waits")
    batcher.stop()
    until(lambda: len(replies) == 1, 10, "the failure")
    wire.gate.set()
    for thread in threads:
        thread.join(timeout=scaled(10))

    assert sum(isinstance(reply, errors.Unavailable) for reply in replies.values()) == 1


class Broker:
    """Records the messages of casts. failures: how many more of them it refuses."""

    def __init__(self, failures: int = 0) -> None:
        self.messages: list[tuple[str, bool, list[int]]] = []
        self.dropped: list[tuple[int, str]] = []
        self.failures = failures
        self.gate = threading.Event()
        self.gate.set()
        self.busy = threading.Semaphore(0)

    def send(self, casts: Sequence[QueuedCast]) -> bool:
        self.busy.release()
        assert self.gate.wait(timeout=scaled(20))
        if self.failures:
            self.failures -= 1
            return False
        assert len({(cast.topic, cast.fanout) for cast in casts}) == 1
        numbers = [cast.message["number"] for cast in casts]
        self.messages.append((casts[0].topic, casts[0].fanout, numbers))
        return True

    def drop(self, count: int, why: str) -> None:
        self.dropped.append((count, why))


def cast(
    number: int, topic: str = "worker", *, fanout: bool = False, lifetime_s: float = 10
) -> QueuedCast:
    return QueuedCast(
        topic=topic,
        namespace="worker",
        version="1.0",
        method="zone_changed",
        message={"number": number},
        fanout=fanout,
        expires_s=time.monotonic() + lifetime_s,
    )


def test_casts_gather_while_the_broker_is_busy() -> None:
    broker = Broker()
    casts = CastQueue(broker.send, broker.drop)
    casts.start()
    casts.put(cast(0))
    until(lambda: broker.messages, 5, "the first cast")
    assert broker.busy.acquire(timeout=scaled(5))
    broker.gate.clear()
    for number in range(1, cast_queue.CAST_THREADS + 1):
        casts.put(cast(number))
        assert broker.busy.acquire(timeout=scaled(5))
    for number in range(10, 30):
        casts.put(cast(number, "worker" if number % 2 else "central", fanout=number == 13))
    broker.gate.set()
    until(lambda: sum(len(found[2]) for found in broker.messages) == 23, 5, "all casts")
    casts.stop()

    assert broker.messages[0] == ("worker", False, [0])
    gathered = [found for found in broker.messages if found[2][0] >= 10]
    assert ("worker", True, [13]) in gathered
    assert len(gathered) <= 6, "two topics and a fanout for each thread at most"
    assert sorted(n for _, _, numbers in gathered for n in numbers) == list(range(10, 30))
    assert all(numbers == sorted(numbers) for _, _, numbers in gathered)
    assert all(len(numbers) <= batching.MAX_BATCH for _, _, numbers in gathered)


def test_a_cast_is_tried_again_until_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cast_queue, "CAST_RETRY_S", 0.01)
    broker = Broker(failures=3)
    casts = CastQueue(broker.send, broker.drop)
    casts.start()
    casts.put(cast(1))
    until(lambda: broker.messages, 5, "the cast")
    broker.failures = 10**9
    casts.put(cast(2, lifetime_s=0.05))
    until(lambda: broker.dropped, 5, "its end")
    casts.stop()

    assert broker.messages == [("worker", False, [1])]
    assert broker.dropped == [(1, "the message bus is unavailable")]


def test_casts_are_bounded_and_none_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cast_queue, "CAST_QUEUE_SIZE", 5)
    broker = Broker()
    casts = CastQueue(broker.send, broker.drop)
    for number in range(8):
        casts.put(cast(number))

    assert len(casts) == 5
    assert broker.dropped == [(1, "the queue is full")] * 3
    casts.start()
    casts.stop()
    assert [numbers for _, _, numbers in broker.messages] == [[0, 1, 2, 3, 4]]
