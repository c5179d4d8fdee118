"""Calls that travel together: a lone one at once, many in few messages, each with its own answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from designate import errors
from designate.rpc import together
from designate.rpc.together import Call, Senders
from tests.servers import until

Plain = dict[str, Any]


def call(number: int, timeout_s: float = 10) -> Call:
    return Call(
        namespace="zones",
        version="1.0",
        method="get",
        message={"number": number},
        until_s=time.monotonic() + timeout_s,
    )


class Wire:
    """Keeps the messages; holds them back while the gate is shut."""

    def __init__(self) -> None:
        self.messages: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def send(self, calls: Sequence[Call]) -> list[Plain]:
        self.messages.append([sent.message["number"] for sent in calls])
        assert self.gate.wait(timeout=20)
        return [{"result": sent.message["number"] * 2} for sent in calls]


def in_threads(senders: Senders, numbers: Sequence[int], answers: dict[int, object]) -> list[Any]:
    def run(number: int) -> None:
        try:
            answers[number] = senders.call(call(number))
        except Exception as error:
            answers[number] = error

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in numbers]
    for thread in threads:
        thread.start()
    return threads


def all_busy(senders: Senders, wire: Wire, count: int, answers: dict[int, object]) -> list[Any]:
    """Give that many senders one call each, and hold them."""
    wire.gate.clear()
    threads: list[Any] = []
    for number in range(count):
        threads += in_threads(senders, [number], answers)
        until(lambda n=number: len(wire.messages) == n + 1, 10, "a busy sender")
    return threads


def test_a_lone_call_goes_alone() -> None:
    wire = Wire()
    senders = Senders(wire.send, "test")

    assert senders.call(call(21)) == {"result": 42}
    assert wire.messages == [[21]]


def test_calls_that_wait_share_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "LONGEST_WAIT_S", 60)
    wire = Wire()
    senders = Senders(wire.send, "test")
    answers: dict[int, object] = {}
    threads = all_busy(senders, wire, together.USUAL_SENDERS, answers)
    late = range(10, 10 + together.MOST_TOGETHER)
    threads += in_threads(senders, late, answers)
    until(lambda: len(senders._waiting) == len(late), 10, "calls that wait")
    wire.gate.set()
    for thread in threads:
        thread.join(timeout=10)

    assert [len(message) for message in wire.messages] == [1, 1, together.MOST_TOGETHER]
    assert answers == {number: {"result": number * 2} for number in (0, 1, *late)}


def test_slow_calls_do_not_hold_up_the_others() -> None:
    wire = Wire()
    senders = Senders(wire.send, "test")
    answers: dict[int, object] = {}
    threads = all_busy(senders, wire, together.USUAL_SENDERS, answers)
    threads += in_threads(senders, [7], answers)

    until(lambda: [7] in wire.messages, 10, "a further sender")
    wire.gate.set()
    for thread in threads:
        thread.join(timeout=10)


def test_a_failure_reaches_every_call_of_the_message() -> None:
    def send(calls: Sequence[Call]) -> list[Plain]:
        raise errors.Unavailable("the broker is away")

    senders = Senders(send, "test")

    with pytest.raises(errors.Unavailable, match="broker"):
        senders.call(call(1))
    with pytest.raises(errors.Unavailable, match="broker"):
        senders.call(call(2))


def test_a_call_ends_at_its_deadline_and_is_not_sent_afterwards() -> None:
    wire = Wire()
    senders = Senders(wire.send, "test")
    answers: dict[int, object] = {}
    threads = all_busy(senders, wire, together.MOST_SENDERS, answers)

    with pytest.raises(TimeoutError):
        senders.call(call(99, timeout_s=0.1))
    wire.gate.set()
    for thread in threads:
        thread.join(timeout=10)
    senders.call(call(100))

    assert 99 not in [number for message in wire.messages for number in message]


def test_what_waits_fails_at_the_end() -> None:
    wire = Wire()
    senders = Senders(wire.send, "test")
    answers: dict[int, object] = {}
    threads = all_busy(senders, wire, together.MOST_SENDERS, answers)
    threads += in_threads(senders, [99], answers)
    until(lambda: len(senders._waiting) == 1, 10, "a call that waits")
    senders.stop()
    until(lambda: len(answers) == 1, 10, "the failure")
    wire.gate.set()
    for thread in threads:
        thread.join(timeout=10)

    assert sum(isinstance(answer, errors.Unavailable) for answer in answers.values()) == 1
