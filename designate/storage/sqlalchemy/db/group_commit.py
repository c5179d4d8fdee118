"""Writers that wait for their turn share one transaction: one BEGIN and one sync to disk for all.

Where only one writer gets on at a time (SQLite: in the database; elsewhere: in one zone), the first that
comes leads: it runs what has gathered meanwhile, commits once, and wakes the others. What all of them
write alike is put off and written once for all (`PutOff`). If one of them fails, all is undone and run
again, each piece of work within a savepoint of its own, so that it fails alone; a commit that fails fails
all, and none of them is told otherwise.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from designate import errors

MOST_TOGETHER = 32


class Work:
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


class PutOff:
    """What the works of one batch leave to its end. Statements that could see or meet what is put off
    must not run before settle(). Used by one thread."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, tuple[Callable[[list[Any]], None], list[Any]]] = {}
        self._notes: dict[Hashable, Any] = {}

    def add(self, key: Hashable, write: Callable[[list[Any]], None], item: Any) -> None:
        """Put off an item; write gets all of this key, in order, and keys settle in the order in which
        they first came."""
        self._waiting.setdefault(key, (write, []))[1].append(item)

    def note(self, key: Hashable, value: Any) -> None:
        """Keep what the next work would otherwise have to read; forgotten at the next settle()."""
        self._notes[key] = value

    def noted(self, key: Hashable) -> Any:
        """None: nothing."""
        return self._notes.get(key)

    def settle(self) -> None:
        """Write what was put off."""
        self._notes.clear()
        waiting, self._waiting = self._waiting, {}
        for write, items in waiting.values():
            write(items)


class Turns:
    """Hands the single writer's place from batch to batch. Thread-safe.

    together: runs these works in one transaction and returns after its commit; it sets result or error
    of each, and raises when none of them was stored.
    """

    def __init__(self, together: Callable[[Sequence[Work]], None]) -> None:
        self._together = together
        self._waiting: deque[Work] = deque()
        self._busy = False
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many works wait for their turn."""
        return len(self._waiting)

    def write(self, work: Work) -> Any:
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

    def _await(self, work: Work) -> None:
        if work.woken.wait(max(0.0, work.turn_by_s - time.monotonic())):
            return
        with self._lock:
            if work in self._waiting and not work.lead:
                self._waiting.remove(work)
                raise errors.Unavailable("the database is busy")
        # It is being run: whether it is stored must be known before anybody is told.
        work.woken.wait()

    def _lead(self, own: Work) -> None:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
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


class Queues:
    """Turns for each of many keys; a key that nobody writes to costs nothing. Thread-safe."""

    def __init__(self, together: Callable[[Sequence[Work]], None]) -> None:
        self._together = together
        self._turns: dict[str, tuple[Turns, int]] = {}
        self._lock = threading.Lock()

    def write(self, key: str, work: Work) -> Any:
        """See Turns.write."""
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

    def _enter(self, key: str) -> Turns:
        with self._lock:
            turns, users = self._turns.get(key) or (Turns(self._together), 0)
            self._turns[key] = (turns, users + 1)
        return turns

    def _leave(self, key: str) -> None:
        with self._lock:
            turns, users = self._turns[key]
            if users > 1:
                self._turns[key] = (turns, users - 1)
            else:
                del self._turns[key]
