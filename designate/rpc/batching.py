"""Calls that wait travel together: under load the cost of a message is shared by many calls.

A call is sent at once while one of a few senders is free, so that a lone call waits for nothing. While
all are busy, calls gather and the next free sender takes all of them in one message; the other side
answers them at once. A sender whose message has been out for SLOW_S counts for nothing and another one
takes its place, so that slow calls do not hold up the others. Casts (`CastQueue`) gather in
the same way while a message is on its way to the broker.

Calls travel with those of their kind (see `rpc.interfaces`), so that none waits behind slower ones, and
each kind has its lane. Prompt calls have one sender, and those of a message are run one after another:
threads that take the interpreter from each other cost short calls more than their turn does. Few lists
share a message, for a large one keeps all that it passes waiting. Writers run side by side, so that they
meet in one transaction.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

from designate import errors
from designate.rpc.bus import Dispatcher
from designate.rpc.interfaces import CallKind

MAX_SENDERS = 64
MAX_BATCH = 16
MAX_WAITING = 1024
SLOW_S = 0.1
IDLE_S = 10.0
CAST_QUEUE = 20_000
CAST_THREADS = 2
CAST_LIFETIME_S = 60.0
CAST_RETRY_S = 0.5
NAMESPACE = "together"
VERSION = "1.0"

Plain = dict[str, Any]


@dataclass(slots=True)
class QueuedCall:
    """One method call and the answer that is waited for: {"result": ...} or {"error": ...}.

    until_s: when the caller gives up, of time.monotonic(); until: when it must be done, in unix seconds.
    """

    namespace: str
    version: str
    method: str
    message: Plain
    until_s: float
    until: float
    answer: futures.Future[Plain] = field(default_factory=futures.Future)

    def to_plain(self) -> Plain:
        return {
            "namespace": self.namespace,
            "version": self.version,
            "method": self.method,
            "message": self.message,
            "until": self.until,
        }


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """senders: how many there are while none is slow. together: calls of one message at most."""

    senders: int
    together: int


BATCH_LIMITS = {
    CallKind.PROMPT: BatchLimits(senders=1, together=MAX_BATCH),
    CallKind.LIST: BatchLimits(senders=4, together=2),
    CallKind.OTHER: BatchLimits(senders=2, together=MAX_BATCH),
}


class CallBatcher:
    """The calls of this process to one topic. send(calls) sends one message and answers one plain
    answer for each call, or raises; it must come to an end by itself. slow_s: see SLOW_S above.
    Thread-safe."""

    def __init__(
        self,
        send: Callable[[Sequence[QueuedCall]], list[Plain]],
        name: str,
        lane: BatchLimits,
        slow_s: float = SLOW_S,
    ) -> None:
        self._lane = lane
        self._slow_s = slow_s
        self._send = send
        self._name = name
        self._lock = threading.Condition()
        self._waiting: deque[QueuedCall] = deque()
        self._idle = 0
        # Of each busy sender: since when its message is out.
        self._out: dict[threading.Thread, float] = {}
        self._numbers = itertools.count(1)
        self._stopping = False

    def call(self, call: QueuedCall) -> Plain:
        """The call's answer. Raises what send raised; TimeoutError at `call.until_s`."""
        with self._lock:
            if self._stopping or len(self._waiting) >= MAX_WAITING:
                raise errors.Unavailable("too many calls wait")
            self._waiting.append(call)
            self._staff()
            self._lock.notify()
        while (left_s := call.until_s - time.monotonic()) > self._slow_s:
            try:
                return call.answer.result(timeout=self._slow_s)
            except TimeoutError:
                if call.answer.done():
                    raise
                with self._lock:
                    self._staff()
        return call.answer.result(timeout=max(0.0, left_s))

    def stop(self) -> None:
        """Calls that wait fail; those under way end by themselves."""
        with self._lock:
            self._stopping = True
            waiting, self._waiting = list(self._waiting), deque()
            self._lock.notify_all()
        for call in waiting:
            call.answer.set_exception(errors.Unavailable("the service stops"))

    def _staff(self) -> None:
        """Start a sender if one is wanted."""
        if self._idle or not self._waiting or len(self._out) >= MAX_SENDERS:
            return
        if self._soon_free() < self._lane.senders:
            name = f"{self._name}-{next(self._numbers)}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._out[thread] = time.monotonic()
            thread.start()

    def _soon_free(self) -> int:
        """How many senders will be free soon."""
        slow = time.monotonic() - self._slow_s
        return self._idle + sum(since_s > slow for since_s in self._out.values())

    def _run(self) -> None:
        while calls := self._take():
            live = [call for call in calls if time.monotonic() < call.until_s]
            try:
                answers = self._send(live) if live else []
                for call, answer in zip(live, answers, strict=True):
                    call.answer.set_result(answer)
            except Exception as error:
                for call in live:
                    if not call.answer.done():
                        call.answer.set_exception(error)

    def _take(self) -> list[QueuedCall]:
        """What waits, as much as may travel together; nothing when this sender is not needed any more."""
        with self._lock:
            self._out.pop(threading.current_thread(), None)
            if self._soon_free() >= self._lane.senders:
                return []
            self._idle += 1
            try:
                self._lock.wait_for(lambda: self._waiting or self._stopping, timeout=IDLE_S)
            finally:
                self._idle -= 1
            if not self._waiting:
                return []
            self._out[threading.current_thread()] = time.monotonic()
            many = min(self._lane.together, len(self._waiting))
            return [self._waiting.popleft() for _ in range(many)]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedCast:
    """A call without an answer. fanout: to every process of the topic."""

    topic: str
    namespace: str
    version: str
    method: str
    message: Plain
    fanout: bool
    until_s: float

    def to_plain(self) -> Plain:
        return {
            "namespace": self.namespace,
            "version": self.version,
            "method": self.method,
            "message": self.message,
        }


class CastQueue:
    """Sends what nobody waits for, on threads of its own. Bounded; thread-safe.

    send(casts) sends casts of one topic and kind in one message; False: not now. It is tried again
    until their lifetime ends. drop(count, why): told of those that are given up.
    """

    def __init__(
        self, send: Callable[[Sequence[QueuedCast]], bool], drop: Callable[[int, str], object]
    ) -> None:
        self._send = send
        self._drop = drop
        self._waiting: queue.Queue[QueuedCast | None] = queue.Queue(CAST_QUEUE)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __len__(self) -> int:
        return self._waiting.qsize()

    def put(self, cast: QueuedCast) -> None:
        """Never blocks."""
        try:
            self._waiting.put_nowait(cast)
        except queue.Full:
            self._drop(1, "the queue is full")

    def start(self) -> None:
        for number in range(CAST_THREADS):
            thread = threading.Thread(target=self._run, name=f"cast-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Send what waits if it is taken now."""
        self._stopping.set()
        for _ in self._threads:
            with contextlib.suppress(queue.Full):
                self._waiting.put(None, timeout=5)
        for thread in self._threads:
            thread.join(timeout=5)

    def _run(self) -> None:
        ending = False
        while not ending:
            first = self._waiting.get()
            if first is None:
                return
            taken, ending = self._gathered(first)
            groups: dict[tuple[str, bool], list[QueuedCast]] = {}
            for cast in taken:
                groups.setdefault((cast.topic, cast.fanout), []).append(cast)
            for group in groups.values():
                self._deliver(group)

    def _gathered(self, first: QueuedCast) -> tuple[list[QueuedCast], bool]:
        """What waits by now, in order; and whether that was all there will be."""
        taken = [first]
        while len(taken) < MAX_BATCH:
            try:
                cast = self._waiting.get_nowait()
            except queue.Empty:
                break
            if cast is None:
                return taken, True
            taken.append(cast)
        return taken, False

    def _deliver(self, casts: list[QueuedCast]) -> None:
        while casts and not self._send(casts):
            now_s = time.monotonic()
            live = [] if self._stopping.is_set() else [c for c in casts if c.until_s > now_s]
            if len(live) < len(casts):
                self._drop(len(casts) - len(live), "the message bus is away")
            casts = live
            if casts:
                self._stopping.wait(CAST_RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311 - jitter


class BatchRunner:
    """The other side: runs the calls of a message."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._threads = futures.ThreadPoolExecutor(MAX_SENDERS, "together")

    def run(self, calls: Sequence[Plain]) -> list[Plain]:
        """An answer for each call, in order. Ends when the last of them has ended."""
        kind = self._dispatcher.kind
        prompt: list[int] = []
        others: list[int] = []
        for n, call in enumerate(calls):
            is_prompt = kind(call["namespace"], call["method"]) is CallKind.PROMPT
            (prompt if is_prompt else others).append(n)
        beside = {n: self._threads.submit(self._one, calls[n]) for n in others[1:]}
        with self._dispatcher.batch_scope() if len(prompt) > 1 else contextlib.nullcontext():
            here = {n: self._one(calls[n]) for n in prompt}
        # The first of the others is run here: one thread less that is woken.
        here |= {n: self._one(calls[n]) for n in others[:1]}
        return [here[n] if n in here else beside[n].result() for n in range(len(calls))]

    def _one(self, call: Plain) -> Plain:
        return self._dispatcher.dispatch(
            call["namespace"], call["version"], call["method"], call["message"], call.get("until")
        )
