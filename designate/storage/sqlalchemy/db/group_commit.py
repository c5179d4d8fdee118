"""Group commit: waiting writers share one transaction, with one BEGIN and one sync to disk for all.

Where only one writer can proceed at a time (on SQLite in the whole database, elsewhere in one zone), the
first one leads: it runs the writes that have queued meanwhile, commits once, and wakes their threads.
Statements that all of them execute alike are deferred and executed once (`DeferredWrites`). When one write
fails, the transaction is rolled back and repeated with each write in its own savepoint, so that it fails
alone. When the commit fails, all of them fail.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from designate import errors

MAX_BATCH = 32


class PendingWrite:
    """One writer's function and its outcome.

    Attributes:
        run: The function, called by the thread that leads the batch.
        start_by_s: Until when the write may wait to be started, of time.monotonic().
        commit_by_s: What is not committed by then must not be stored, of time.monotonic().
        result: What the function returned, once it is durable.
        error: What the function or the commit raised.
        is_leader: Whether this writer's thread has to run the next batch.
        woken: Set when there is an outcome, or when this writer leads.
    """

    __slots__ = ("commit_by_s", "error", "is_leader", "result", "run", "start_by_s", "woken")

    def __init__(
        self, run: Callable[[Any], Any], start_by_s: float, commit_by_s: float = math.inf
    ) -> None:
        self.run = run
        self.start_by_s = start_by_s
        self.commit_by_s = commit_by_s
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_leader = False
        self.woken = threading.Event()


class DeferredWrites:
    """Statements that the writes of a batch leave to its end. Used by one thread.

    Statements that could depend on deferred ones or conflict with them must not run before flush().
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, tuple[Callable[[list[Any]], None], list[Any]]] = {}
        self._cached: dict[Hashable, Any] = {}

    def add(self, key: Hashable, write: Callable[[list[Any]], None], item: Any) -> None:
        """Defer an item; at the flush write is called once with all items of the key, in order.

        Keys are flushed in the order in which they first came.
        """
        self._waiting.setdefault(key, (write, []))[1].append(item)

    def cache(self, key: Hashable, value: Any) -> None:
        """Keep what the next write would otherwise have to read, until the next flush."""
        self._cached[key] = value

    def cached(self, key: Hashable) -> Any:
        """Return the cached value; None: there is none."""
        return self._cached.get(key)

    def flush(self) -> None:
        """Execute the deferred writes and empty the cache."""
        self._cached.clear()
        waiting, self._waiting = self._waiting, {}
        for write, items in waiting.values():
            write(items)


class WriterQueue:
    """Writers of which one leads at a time; the leader runs a batch for all. Thread-safe."""

    def __init__(self, run_batch: Callable[[Sequence[PendingWrite]], None]) -> None:
        """Take run_batch, which runs writes in one transaction and returns after its commit.

        It sets the result or the error of each write, and raises when none of them was stored.
        """
        self._run_batch = run_batch
        self._waiting: deque[PendingWrite] = deque()
        self._busy = False
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many writes wait."""
        return len(self._waiting)

    def write(self, pending: PendingWrite) -> Any:
        """Return the result of the write once it is durable.

        Raises:
            Unavailable: The write could not start in time.
            Exception: Whatever the write or the commit raised.
        """
        with self._lock:
            pending.is_leader = not self._busy
            self._busy = True
            self._waiting.append(pending)
        if not pending.is_leader:
            self._await(pending)
        if pending.is_leader:
            self._lead(pending)
        if pending.error is not None:
            raise pending.error
        return pending.result

    def _await(self, pending: PendingWrite) -> None:
        if pending.woken.wait(max(0.0, pending.start_by_s - time.monotonic())):
            return
        with self._lock:
            if pending in self._waiting and not pending.is_leader:
                self._waiting.remove(pending)
                raise errors.Unavailable("the database is busy")
        # It is running: the caller must not return before it is known whether it is stored.
        pending.woken.wait()

    def _lead(self, own: PendingWrite) -> None:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
        try:
            self._run_batch(batch)
        except BaseException as error:
            for pending in batch:
                pending.error = error
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting[0].is_leader = True
                    self._waiting[0].woken.set()
                else:
                    self._busy = False
            for pending in batch:
                if pending is not own:
                    pending.is_leader = False
                    pending.woken.set()


class WriterQueues:
    """A WriterQueue for each key, which exists only while it has writers. Thread-safe."""

    def __init__(self, run_batch: Callable[[Sequence[PendingWrite]], None]) -> None:
        """Take run_batch, see WriterQueue."""
        self._run_batch = run_batch
        self._queues: dict[str, tuple[WriterQueue, int]] = {}
        self._lock = threading.Lock()

    def write(self, key: str, pending: PendingWrite) -> Any:
        """Return the result of the write once it is durable, see WriterQueue.write."""
        queue = self._enter(key)
        try:
            return queue.write(pending)
        finally:
            self._leave(key)

    def waiting(self, key: str) -> int:
        """Return how many writes of the key wait."""
        with self._lock:
            queue, _ = self._queues.get(key, (None, 0))
        return 0 if queue is None else queue.waiting

    def _enter(self, key: str) -> WriterQueue:
        with self._lock:
            queue, users = self._queues.get(key) or (WriterQueue(self._run_batch), 0)
            self._queues[key] = (queue, users + 1)
        return queue

    def _leave(self, key: str) -> None:
        with self._lock:
            queue, users = self._queues[key]
            if users > 1:
                self._queues[key] = (queue, users - 1)
            else:
                del self._queues[key]
