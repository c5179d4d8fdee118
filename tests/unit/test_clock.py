"""The clock that tests advance."""

import threading

import pytest

from designate.runtime.clock import SYSTEM_CLOCK
from tests.support.deadlines import scaled
from tests.support.fakes.clock import ManualClock


class Waiter:
    """A thread that waits until a deadline of the clock and records the outcome."""

    def __init__(self, clock, deadline):
        self.condition = threading.Condition()
        self.outcome = None
        self.thread = threading.Thread(target=self._run, args=(clock, deadline), daemon=True)
        self.thread.start()

    def _run(self, clock, deadline):
        with self.condition:
            self.outcome = clock.wait_until(self.condition, deadline)

    def result(self):
        self.thread.join(scaled(5))
        return self.outcome


def test_advance_past_the_deadline_ends_a_wait():
    clock = ManualClock()
    waiter = Waiter(clock, clock.monotonic() + 60)
    clock.wait_for_waits()

    clock.advance(minutes=1)

    assert waiter.result() is False


def test_advance_short_of_the_deadline_lets_a_wait_go_on():
    clock = ManualClock()
    waiter = Waiter(clock, clock.monotonic() + 60)
    clock.wait_for_waits()

    clock.advance(59)
    assert waiter.thread.is_alive()
    with waiter.condition:
        waiter.condition.notify_all()

    assert waiter.result() is True


def test_advance_before_the_wait_counts():
    clock = ManualClock()
    deadline = clock.monotonic() + 60
    clock.advance(60)

    assert Waiter(clock, deadline).result() is False


def test_wall_clock_and_monotonic_clock_advance_together():
    clock = ManualClock()
    before, before_s = clock.now(), clock.monotonic()

    clock.advance(hours=1)

    assert (clock.now() - before).total_seconds() == clock.monotonic() - before_s == 3600


@pytest.mark.parametrize("delay_s", [-1.0, 0.0, 0.01])
def test_system_clock_ends_a_wait_at_its_deadline(delay_s):
    waiter = Waiter(SYSTEM_CLOCK, SYSTEM_CLOCK.monotonic() + delay_s)

    assert waiter.result() is False
