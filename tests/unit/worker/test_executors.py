"""worker.scheduling: threads per endpoint, and steps when they are due."""

import threading

from designate.worker.scheduling.executors import IDLE_S, EndpointExecutors
from designate.worker.scheduling.priority import Priority
from designate.worker.scheduling.timers import Timers
from tests.support.deadlines import scaled, until
from tests.support.fakes.clock import ManualClock


def test_a_stuck_destination_holds_up_nobody_else():
    executors, gate, done = EndpointExecutors(max_threads=2), threading.Event(), threading.Event()
    for _ in range(50):
        executors.submit("dead", lambda: gate.wait(scaled(10)))
    executors.submit("alive", done.set)

    assert done.wait(scaled(10))
    gate.set()
    executors.stop(10)


def test_no_more_than_width_jobs_run_at_once_and_all_of_them_do():
    executors, gate = EndpointExecutors(max_threads=3), threading.Event()
    running, counts, finished = [], [], []
    lock = threading.Lock()

    def job():
        with lock:
            running.append(1)
            counts.append(len(running))
        gate.wait(scaled(10))
        with lock:
            running.pop()
            finished.append(1)

    for _ in range(10):
        executors.submit("one", job)
    until(lambda: len(running) == 3, 10, "three running jobs")
    gate.set()
    until(lambda: len(finished) == 10, 10, "all jobs done")
    executors.stop(10)

    assert max(counts) == 3


def test_two_jobs_at_once_do_not_wait_for_one_idle_thread():
    executors, both = EndpointExecutors(max_threads=2), threading.Barrier(2, timeout=scaled(10))
    met = []
    executors.submit("one", lambda: met.append("first"))
    until(lambda: met, 10, "an idle thread")
    for _ in range(2):
        executors.submit("one", lambda: met.append(both.wait()))

    until(lambda: len(met) == 3, 12, "both jobs at the barrier")
    executors.stop(10)


def test_a_full_lane_refuses():
    executors, gate = EndpointExecutors(max_threads=1, max_queued=1), threading.Event()
    started = threading.Event()
    executors.submit("one", lambda: (started.set(), gate.wait(scaled(10))))
    started.wait(scaled(10))

    assert executors.submit("one", lambda: None) is True
    assert executors.submit("one", lambda: None) is False
    assert executors.submit("other", lambda: None) is True
    gate.set()
    executors.stop(10)
    assert executors.submit("one", lambda: None) is False


def test_a_job_that_fails_does_not_end_its_lane(caplog):
    executors, done = EndpointExecutors(max_threads=1), threading.Event()
    executors.submit("one", lambda: 1 / 0)
    executors.submit("one", done.set)

    assert done.wait(scaled(10))
    executors.stop(10)
    assert "ZeroDivisionError" in caplog.text


def test_timed_steps_run_in_the_order_of_their_moments_and_a_failure_ends_nothing(caplog):
    clock, ran = ManualClock(), []
    timers, now = Timers(clock), clock.monotonic()
    timers.at(now + 0.04, lambda: ran.append("late"))
    timers.at(now + 0.02, lambda: 1 / 0)
    timers.at(now, lambda: ran.append("early"))

    assert timers.run_due() == 1
    clock.advance(0.03)
    assert timers.run_due() == 1
    assert ran == ["early"]
    clock.advance(0.03)
    assert timers.run_due() == 1
    assert ran == ["early", "late"]
    assert "ZeroDivisionError" in caplog.text


def test_jobs_that_can_wait_are_passed_but_not_forgotten():
    executors, gate, order = EndpointExecutors(max_threads=1, max_queued=40), threading.Event(), []
    executors.submit("one", lambda: gate.wait(scaled(10)))
    until(lambda: not executors._executors["one"], 10, "the running job")
    recoveries = [
        executors.submit("one", lambda: order.append("recovery"), Priority.RECOVERY)
        for _ in range(21)
    ]
    changes = [executors.submit("one", lambda: order.append("change")) for _ in range(10)]
    gate.set()
    until(lambda: len(order) == 30, 10, "all jobs done")
    executors.stop(10)

    assert (recoveries.count(False), all(changes)) == (1, True)
    start = order.index("change")
    assert start <= 1
    assert order[start : start + 11].count("recovery") == 1


def test_an_earlier_step_is_not_kept_waiting_by_a_later_one():
    clock, done = ManualClock(), threading.Event()
    timers = Timers(clock)
    timers.start()
    timers.after(3600, lambda: None)
    clock.wait_for_waits()
    timers.at(clock.monotonic(), done.set)

    assert done.wait(scaled(10))
    timers.stop()


def test_the_timers_thread_runs_a_step_when_its_moment_has_come():
    clock, done = ManualClock(), threading.Event()
    timers = Timers(clock)
    timers.start()
    timers.after(3600, done.set)
    clock.wait_for_waits()
    early = done.is_set()
    clock.advance(3601)

    assert done.wait(scaled(10))
    assert not early
    timers.stop()


def test_an_idle_thread_ends_after_a_while():
    clock = ManualClock()
    executors = EndpointExecutors(clock=clock)
    executors.submit("one", lambda: None)
    clock.wait_for_waits()
    (thread,) = executors._threads
    clock.advance(IDLE_S + 1)
    thread.join(scaled(10))

    assert not thread.is_alive()
    assert executors._executors == {}
