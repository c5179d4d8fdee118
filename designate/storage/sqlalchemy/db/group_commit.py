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
    """One writer's work, and what became of it. run: called by whoever leads. turn_by_s: how long it
    may wait for its turn; store_by_s: what is not stored by then must not be; both of
    time.monotonic()."""

    __slots__ = ("error", "lead", "result", "run", "store_by_s", "turn_by_s", "woken")

    def __init__(
        self, run: Callable[[Any], Any], turn_by_s: float, store_by_s: float = math.inf
    ) -> None:
        self.run = run
        self.turn_by_s = turn_by_s
        self.store_by_s = store_by_s
        self.result: Any = None
        self.error: BaseException | None = None
        self.lead = False
        self.woken = threading.Event()


class DeferredWrites:
    """What the works of one batch leave to its end. Statements that could see or meet what is put off
    must not run before settle(). Used by one thread."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, tuple[Callable[[list[Any]], None], list[Any]]] = {}
        self._cached: dict[Hashable, Any] = {}

    def add(self, key: Hashable, write: Callable[[list[Any]], None], item: Any) -> None:
        """Put off an item; write gets all of this key, in order, and keys settle in the order in which
        they first came."""
        self._waiting.setdefault(key, (write, []))[1].append(item)

    def cache(self, key: Hashable, value: Any) -> None:
        """Keep what the next work would otherwise have to read; forgotten at the next settle()."""
        self._cached[key] = value

    def cached(self, key: Hashable) -> Any:
        """None: nothing."""
        return self._cached.get(key)

    def flush(self) -> None:
        """Write what was put off."""
        self._cached.clear()
        waiting, self._waiting = self._waiting, {}
        for write, items in waiting.values():
            write(items)


class WriterQueue:
    """Hands the single writer's place from batch to batch. Thread-safe.

    together: runs these works in one transaction and returns after its commit; it sets result or error
    of each, and raises when none of them was stored.
    """

    def __init__(self, together: Callable[[Sequence[PendingWrite]], None]) -> None:
        self._together = together
        self._waiting: deque[PendingWrite] = deque()
        self._busy = False
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many works wait for their turn."""
        return len(self._waiting)

    def write(self, work: PendingWrite) -> Any:
        """The work's result, once it is durable. Raises what the work raised, or Unavailable when
        its turn did not come in time."""
        with self._lock:
            work.lead = not self._busy
            self._busy = True
            self._waiting.append(work)
        if not work.lead:
            self._await(work)
        if work.lead:
            self._lead(work)
        if work.error is not None:
            raise work.error
        return work.result

    def _await(self, work: PendingWrite) -> None:
        if work.woken.wait(max(0.0, work.turn_by_s - time.monotonic())):
            return
        with self._lock:
            if work in self._waiting and not work.lead:
                self._waiting.remove(work)
                raise errors.Unavailable("the database is busy")
        # It is being run: whether it is stored must be known before anybody is told.
        work.woken.wait()

    def _lead(self, own: PendingWrite) -> None:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
        try:
            self._together(batch)
        except BaseException as error:
            for work in batch:
                work.error = error
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting[0].lead = True
                    self._waiting[0].woken.set()
                else:
                    self._busy = False
            for work in batch:
                if work is not own:
                    work.lead = False
                    work.woken.set()


class WriterQueues:
    """A WriterQueue for each of many keys; a key that nobody writes to costs nothing. Thread-safe."""

    def __init__(self, together: Callable[[Sequence[PendingWrite]], None]) -> None:
        self._together = together
        self._turns: dict[str, tuple[WriterQueue, int]] = {}
        self._lock = threading.Lock()

    def write(self, key: str, work: PendingWrite) -> Any:
        """See WriterQueue.write."""
        turns = self._enter(key)
        try:
            return turns.write(work)
        finally:
            self._leave(key)

    def waiting(self, key: str) -> int:
        """How many works wait for their turn."""
        with self._lock:
            turns, _ = self._turns.get(key, (None, 0))
        return 0 if turns is None else turns.waiting

    def _enter(self, key: str) -> WriterQueue:
        with self._lock:
            turns, users = self._turns.get(key) or (WriterQueue(self._together), 0)
            self._turns[key] = (turns, users + 1)
        return turns

    def _leave(self, key: str) -> None:
        with self._lock:
            turns, users = self._turns[key]
            if users > 1:
                self._turns[key] = (turns, users - 1)
            else:
                del self._turns[key]
