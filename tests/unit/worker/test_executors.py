"""worker.executors and worker.timers: threads per destination, steps when they are due."""

import threading
from time import monotonic

from designate.worker.scheduling.executors import EndpointExecutors
from designate.worker.scheduling.priority import Priority
from designate.worker.scheduling.timers import Timers
from tests.support.deadlines import scaled, until


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
    running, most, finished = [], [], []
    lock = threading.Lock()

    def job():
        with lock:
            running.append(1)
            most.append(len(running))
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

    assert max(most) == 3


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
    timers, ran, now = Timers(), [], monotonic()
    timers.at(now + 0.04, lambda: ran.append("late"))
    timers.at(now + 0.02, lambda: 1 / 0)
    timers.at(now, lambda: ran.append("early"))
    timers.start()

    until(lambda: len(ran) == 2, 10, "both steps")
    timers.stop()
    assert ran == ["early", "late"]
    assert "ZeroDivisionError" in caplog.text


def test_jobs_that_can_wait_are_passed_but_not_forgotten():
    executors, gate, order = EndpointExecutors(max_threads=1, max_queued=40), threading.Event(), []
    executors.submit("one", lambda: gate.wait(scaled(10)))
    until(lambda: not executors._executors["one"], 10, "the running job")
    later = [
        executors.submit("one", lambda: order.append("later"), Priority.RECOVERY) for _ in range(21)
    ]
    now = [executors.submit("one", lambda: order.append("now")) for _ in range(10)]
    gate.set()
    until(lambda: len(order) == 30, 10, "all jobs done")
    executors.stop(10)

    assert (later.count(False), all(now)) == (1, True)
    start = order.index("now")
    assert start <= 1
    assert order[start : start + 11].count("later") == 1


def test_an_earlier_step_is_not_kept_waiting_by_a_later_one():
    timers, done = Timers(), threading.Event()
    timers.start()
    timers.at(monotonic() + 3600, lambda: None)
    timers.at(monotonic(), done.set)

    assert done.wait(scaled(10))
    timers.stop()
