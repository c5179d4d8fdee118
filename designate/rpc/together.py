"""Calls that wait travel together: under load the cost of a message is shared by many calls.

A call is sent at once while one of a few senders is free, so that a lone call waits for nothing. While
all are busy, calls gather and the next free sender takes all of them in one message; the other side
runs them side by side and answers them at once. Calls that have waited for LONGEST_WAIT_S get a
further sender, so that slow calls do not hold up the others. What nobody waits for (`Casts`) gathers in
the same way while a message is on its way to the broker.
"""

from __future__ import annotations

import contextlib
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

USUAL_SENDERS = 2
MOST_SENDERS = 64
MOST_TOGETHER = 16
MOST_WAITING = 1024
LONGEST_WAIT_S = 0.02
IDLE_S = 10.0
CAST_QUEUE = 20_000
CAST_THREADS = 2
CAST_LIFETIME_S = 60.0
CAST_RETRY_S = 0.5
NAMESPACE = "together"
VERSION = "1.0"

Plain = dict[str, Any]


@dataclass(slots=True)
class Call:
    """One method call and the answer that is waited for: {"result": ...} or {"error": ...}."""

    namespace: str
    version: str
    method: str
    message: Plain
    until_s: float
    since_s: float = field(default_factory=time.monotonic)
    answer: futures.Future[Plain] = field(default_factory=futures.Future)

    def to_plain(self) -> Plain:
        return {
            "namespace": self.namespace,
            "version": self.version,
            "method": self.method,
            "message": self.message,
        }


class Senders:
    """The calls of this process to one topic. send(calls) sends one message and answers one plain
    answer for each call, or raises; it must come to an end by itself. Thread-safe."""

    def __init__(self, send: Callable[[Sequence[Call]], list[Plain]], name: str) -> None:
        self._send = send
        self._name = name
        self._lock = threading.Condition()
        self._waiting: deque[Call] = deque()
        self._idle = 0
        self._running = 0
        self._stopping = False

    def call(self, call: Call) -> Plain:
        """The call's answer. Raises what send raised; TimeoutError at `call.until_s`."""
        with self._lock:
            if self._stopping or len(self._waiting) >= MOST_WAITING:
                raise errors.Unavailable("too many calls wait")
            self._waiting.append(call)
            self._staff()
            self._lock.notify()
        try:
            return call.answer.result(timeout=LONGEST_WAIT_S)
        except TimeoutError:
            with self._lock:
                self._staff()
        return call.answer.result(timeout=max(0.0, call.until_s - time.monotonic()))

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
        if self._idle or not self._waiting or self._running >= MOST_SENDERS:
            return
        late = time.monotonic() - self._waiting[0].since_s > LONGEST_WAIT_S
        if self._running < USUAL_SENDERS or late:
            self._running += 1
            number = self._running
            threading.Thread(target=self._run, name=f"{self._name}-{number}", daemon=True).start()

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

    def _take(self) -> list[Call]:
        """What waits, MOST_TOGETHER at most; nothing when this sender is not needed any more."""
        with self._lock:
            self._idle += 1
            try:
                self._lock.wait_for(lambda: self._waiting or self._stopping, timeout=IDLE_S)
            finally:
                self._idle -= 1
            if not self._waiting:
                self._running -= 1
                return []
            many = min(MOST_TOGETHER, len(self._waiting))
            return [self._waiting.popleft() for _ in range(many)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
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


class Casts:
    """Sends what nobody waits for, on threads of its own. Bounded; thread-safe.

    send(casts) sends casts of one topic and kind in one message; False: not now. It is tried again
    until their lifetime ends. drop(count, why): told of those that are given up.
    """

    def __init__(
        self, send: Callable[[Sequence[Cast]], bool], drop: Callable[[int, str], object]
    ) -> None:
        self._send = send
        self._drop = drop
        self._waiting: queue.Queue[Cast | None] = queue.Queue(CAST_QUEUE)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __len__(self) -> int:
        return self._waiting.qsize()

    def put(self, cast: Cast) -> None:
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
            groups: dict[tuple[str, bool], list[Cast]] = {}
            for cast in taken:
                groups.setdefault((cast.topic, cast.fanout), []).append(cast)
            for group in groups.values():
                self._deliver(group)

    def _gathered(self, first: Cast) -> tuple[list[Cast], bool]:
        """What waits by now, in order; and whether that was all there will be."""
        taken = [first]
        while len(taken) < MOST_TOGETHER:
            try:
                cast = self._waiting.get_nowait()
            except queue.Empty:
                break
            if cast is None:
                return taken, True
            taken.append(cast)
        return taken, False

    def _deliver(self, casts: list[Cast]) -> None:
        while casts and not self._send(casts):
            now_s = time.monotonic()
            live = [] if self._stopping.is_set() else [c for c in casts if c.until_s > now_s]
            if len(live) < len(casts):
                self._drop(len(casts) - len(live), "the message bus is away")
            casts = live
            if casts:
                self._stopping.wait(CAST_RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311 - jitter


class Together:
    """The other side: runs the calls of one message side by side."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._threads = futures.ThreadPoolExecutor(MOST_SENDERS, "together")

    def run(self, calls: Sequence[Plain]) -> list[Plain]:
        """An answer for each call, in order. Ends when the last of them has ended."""
        others = [self._threads.submit(self._one, call) for call in calls[1:]]
        return [self._one(calls[0]), *(other.result() for other in others)]

    def _one(self, call: Plain) -> Plain:
        return self._dispatcher.answer(
            call["namespace"], call["version"], call["method"], call["message"]
        )
