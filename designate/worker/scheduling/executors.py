"""Threads per destination, so that a dead server holds up nobody but itself."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable
from time import monotonic

LOG = logging.getLogger(__name__)

WIDTH = 8
MAX_WAITING = 20_000
IDLE_S = 10.0
# So many jobs are taken before one that can wait, where both do.
TURN = 8

Job = Callable[[], object]


class _Executor:
    __slots__ = ("idle", "in_a_row", "jobs", "later", "ready", "threads")

    def __init__(self, lock: threading.Lock) -> None:
        self.jobs: deque[Job] = deque()
        self.later: deque[Job] = deque()
        self.in_a_row = 0
        self.ready = threading.Condition(lock)
        self.threads = 0
        self.idle = 0

    def __len__(self) -> int:
        return len(self.jobs) + len(self.later)

    def pop(self) -> Job:
        later = self.later and (not self.jobs or self.in_a_row >= TURN)
        self.in_a_row = 0 if later else self.in_a_row + 1
        return (self.later if later else self.jobs).popleft()

    def clear(self) -> None:
        self.jobs.clear()
        self.later.clear()


class EndpointExecutors:
    """At most `width` jobs at once per key, the others wait in order; threads live while needed.
    Jobs that can wait stand in a queue of their own and get every ninth turn at least, half of the
    room at most.

    A executor that nobody uses for IDLE_S has no thread. Thread-safe.
    """

    def __init__(self, width: int = WIDTH, max_waiting: int = MAX_WAITING) -> None:
        self._width = width
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._executors: dict[Hashable, _Executor] = {}
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def submit(self, key: Hashable, job: Job, *, later: bool = False) -> bool:
        """Never blocks. later: the job can wait. False: this executor's queue is full, or the executors are
        closed; nothing runs."""
        with self._lock:
            if self._closed:
                return False
            executor = self._executors.get(key)
            if executor is None:
                executor = self._executors[key] = _Executor(self._lock)
            if len(executor) >= (self._max_waiting // 2 if later else self._max_waiting):
                return False
            (executor.later if later else executor.jobs).append(job)
            if len(executor) <= executor.idle:
                executor.ready.notify()
            elif executor.threads < self._width:
                self._start_thread(key, executor)
            return True

    def _start_thread(self, key: Hashable, executor: _Executor) -> None:
        thread = threading.Thread(
            target=self._run, args=(key, executor), name=f"executor {key}", daemon=True
        )
        executor.threads += 1
        self._threads.add(thread)
        thread.start()

    def _run(self, key: Hashable, executor: _Executor) -> None:
        while (job := self._next(key, executor)) is not None:
            try:
                job()
            except Exception:
                LOG.exception("%s: a step failed; the zone's deadline covers it", key)

    def _next(self, key: Hashable, executor: _Executor) -> Job | None:
        """The next job; None: the thread is to end."""
        with self._lock:
            deadline = monotonic() + IDLE_S
            executor.idle += 1
            while not executor and not self._closed and (left_s := deadline - monotonic()) > 0:
                executor.ready.wait(left_s)
            executor.idle -= 1
            if executor and not self._closed:
                return executor.pop()
            executor.threads -= 1
            if not executor.threads and not executor:
                self._executors.pop(key, None)
            self._threads.discard(threading.current_thread())
            return None

    def stop(self, timeout_s: float) -> None:
        """Drop what waits and wait for what runs, at most timeout_s."""
        with self._lock:
            self._closed = True
            for executor in self._executors.values():
                executor.clear()
                executor.ready.notify_all()
            threads = list(self._threads)
        deadline = monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))
