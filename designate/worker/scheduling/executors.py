"""Threads per endpoint, so that an unreachable server delays no other."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable

from designate.runtime.clock import SYSTEM_CLOCK, Clock
from designate.worker.scheduling.priority import FairOrder, Priority

LOG = logging.getLogger(__name__)

MAX_THREADS = 8
MAX_QUEUED = 20_000
IDLE_S = 10.0

Job = Callable[[], object]


class _Executor:
    """The queues and the number of threads of one endpoint."""

    __slots__ = ("changes", "idle", "order", "ready", "recoveries", "threads")

    def __init__(self, lock: threading.Lock) -> None:
        self.changes: deque[Job] = deque()
        self.recoveries: deque[Job] = deque()
        self.order = FairOrder()
        self.ready = threading.Condition(lock)
        self.threads = 0
        self.idle = 0

    def __len__(self) -> int:
        return len(self.changes) + len(self.recoveries)

    def append(self, job: Job, priority: Priority) -> None:
        """Queue a job."""
        self._queue(priority).append(job)

    def pop(self) -> Job:
        """Remove and return the job to run next."""
        return self._queue(self.order.next(self.changes, self.recoveries)).popleft()

    def clear(self) -> None:
        """Drop all queued jobs."""
        self.changes.clear()
        self.recoveries.clear()

    def _queue(self, priority: Priority) -> deque[Job]:
        return self.recoveries if priority is Priority.RECOVERY else self.changes


class EndpointExecutors:
    """Runs jobs on a bounded number of threads per endpoint; further jobs wait in a bounded queue.

    Thread-safe. Threads are started on demand and end after IDLE_S without a job.
    """

    def __init__(
        self,
        max_threads: int = MAX_THREADS,
        max_queued: int = MAX_QUEUED,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Create the executors; both bounds are per endpoint."""
        self._max_threads = max_threads
        self._max_queued = max_queued
        self._clock = clock
        self._lock = threading.Lock()
        self._executors: dict[Hashable, _Executor] = {}
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def submit(self, key: Hashable, job: Job, priority: Priority = Priority.CHANGE) -> bool:
        """Queue a job for the endpoint `key`; never blocks.

        Returns:
            False when the job was refused: the endpoint's queue is full, or the executors are stopped.
        """
        with self._lock:
            if self._closed:
                return False
            executor = self._executors.get(key)
            if executor is None:
                executor = self._executors[key] = _Executor(self._lock)
            if len(executor) >= priority.room(self._max_queued):
                return False
            executor.append(job, priority)
            if len(executor) <= executor.idle:
                executor.ready.notify()
            elif executor.threads < self._max_threads:
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
                LOG.exception("%s: a job failed; the zone's deadline covers it", key)

    def _next(self, key: Hashable, executor: _Executor) -> Job | None:
        """Wait for the next job and return it; None ends the thread."""
        with self._lock:
            deadline = self._clock.monotonic() + IDLE_S
            executor.idle += 1
            while not (executor or self._closed) and self._clock.monotonic() < deadline:
                self._clock.wait_until(executor.ready, deadline)
            executor.idle -= 1
            if executor and not self._closed:
                return executor.pop()
            executor.threads -= 1
            if not executor.threads and not executor:
                self._executors.pop(key, None)
            self._threads.discard(threading.current_thread())
            return None

    def stop(self, timeout_s: float) -> None:
        """Drop the queued jobs and wait for the running ones, at most timeout_s."""
        with self._lock:
            self._closed = True
            for executor in self._executors.values():
                executor.clear()
                executor.ready.notify_all()
            threads = list(self._threads)
        deadline = self._clock.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline - self._clock.monotonic()))
