"""Batching of calls: under load many calls share one message, and so its cost.

A call is sent at once while a sender is free, so that a single call is not delayed. While all
senders are busy, calls queue, and the next free sender sends all of them in one message, whose
calls the server runs together. A sender whose message has been out for SLOW_S does not count as
busy and another one takes its place, so that slow calls do not hold up the others.

Calls share messages only with calls of their kind (see `rpc.interfaces`), so that none waits for
slower ones; each kind has its own limits. PROMPT calls have one sender, and the server runs those
of a message one after another: threads that compete for the interpreter cost short calls more than
waiting does. Few LIST calls share a message, because a large result delays the others. OTHER calls
run in parallel, so that writers meet in one database transaction.
"""

from __future__ import annotations

import contextlib
import itertools
import math
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
# Namespace and version of batches on the wire.
NAMESPACE = "together"
VERSION = "1.0"

Plain = dict[str, Any]


@dataclass(slots=True)
class QueuedCall:
    """A method call and its reply: {"result": ...} or {"error": ...}.

    deadline_s: when the caller gives up, by time.monotonic(); deadline_unix: the same in Unix
    seconds.
    """

    namespace: str
    version: str
    method: str
    message: Plain
    deadline_s: float
    deadline_unix: float
    reply: futures.Future[Plain] = field(default_factory=futures.Future)

    def to_plain(self) -> Plain:
        """Return the call as a member of a batch on the wire."""
        return {
            "namespace": self.namespace,
            "version": self.version,
            "method": self.method,
            "message": self.message,
            "until": self.deadline_unix,
        }


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of one kind of calls: senders while none is slow, and calls of one message."""

    senders: int
    max_batch: int


BATCH_LIMITS = {
    CallKind.PROMPT: BatchLimits(senders=1, max_batch=MAX_BATCH),
    CallKind.LIST: BatchLimits(senders=4, max_batch=2),
    CallKind.OTHER: BatchLimits(senders=2, max_batch=MAX_BATCH),
}


class CallBatcher:
    """Sends the calls of one kind from this process to one topic. Thread-safe.

    Args:
        send: Sends one message with these calls and returns a reply for each, or raises. It must
            end by itself.
        name: Prefix of the names of the threads.
        limits: Of the kind.
        slow_s: See SLOW_S.
    """

    def __init__(
        self,
        send: Callable[[Sequence[QueuedCall]], list[Plain]],
        name: str,
        limits: BatchLimits,
        slow_s: float = SLOW_S,
    ) -> None:
        self._limits = limits
        self._slow_s = slow_s
        self._send = send
        self._name = name
        self._lock = threading.Condition()
        self._waiting: deque[QueuedCall] = deque()
        self._idle = 0
        # When each busy sender sent its message.
        self._busy_since_s: dict[threading.Thread, float] = {}
        self._numbers = itertools.count(1)
        self._stopping = False
        self._limit_s = math.inf

    def call(self, call: QueuedCall) -> Plain:
        """Send the call and return its reply.

        Raises:
            TimeoutError: No reply came until `call.deadline_s`.
            Unavailable: Too many calls are queued, or the batcher was stopped.
            Exception: What `send` raised.
        """
        with self._lock:
            if self._stopping or len(self._waiting) >= MAX_WAITING:
                raise errors.Unavailable("Too many calls are queued")
            self._waiting.append(call)
            self._add_sender_if_needed()
            self._lock.notify()
        while (remaining_s := self._deadline_s(call) - time.monotonic()) > self._slow_s:
            try:
                return call.reply.result(timeout=self._slow_s)
            except TimeoutError:
                if call.reply.done():
                    raise
                with self._lock:
                    self._add_sender_if_needed()
        return call.reply.result(timeout=max(0.0, remaining_s))

    def _deadline_s(self, call: QueuedCall) -> float:
        return min(call.deadline_s, self._limit_s)

    def limit(self, limit_s: float) -> None:
        """Let every call end by a moment of time.monotonic(), the running ones too."""
        self._limit_s = limit_s

    def stop(self) -> None:
        """Fail the queued calls; those that were sent end by themselves."""
        with self._lock:
            self._stopping = True
            waiting, self._waiting = list(self._waiting), deque()
            self._lock.notify_all()
        for call in waiting:
            call.reply.set_exception(errors.Unavailable("The service is shutting down"))

    def _add_sender_if_needed(self) -> None:
        if self._idle or not self._waiting or len(self._busy_since_s) >= MAX_SENDERS:
            return
        if self._soon_free() < self._limits.senders:
            name = f"{self._name}-{next(self._numbers)}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._busy_since_s[thread] = time.monotonic()
            thread.start()

    def _soon_free(self) -> int:
        """Return how many senders are idle or not slow yet."""
        slow = time.monotonic() - self._slow_s
        return self._idle + sum(since_s > slow for since_s in self._busy_since_s.values())

    def _run(self) -> None:
        while calls := self._take():
            live = [call for call in calls if time.monotonic() < call.deadline_s]
            try:
                replies = self._send(live) if live else []
                for call, reply in zip(live, replies, strict=True):
                    call.reply.set_result(reply)
            except Exception as error:
                for call in live:
                    if not call.reply.done():
                        call.reply.set_exception(error)

    def _take(self) -> list[QueuedCall]:
        """Return the next batch; an empty one when this sender is not needed any more."""
        with self._lock:
            self._busy_since_s.pop(threading.current_thread(), None)
            if self._soon_free() >= self._limits.senders:
                return []
            self._idle += 1
            try:
                self._lock.wait_for(lambda: self._waiting or self._stopping, timeout=IDLE_S)
            finally:
                self._idle -= 1
            if not self._waiting:
                return []
            self._busy_since_s[threading.current_thread()] = time.monotonic()
            size = min(self._limits.max_batch, len(self._waiting))
            return [self._waiting.popleft() for _ in range(size)]


class BatchRunner:
    """Runs the calls of a message on the server's side."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._threads = futures.ThreadPoolExecutor(MAX_SENDERS, "batch")

    def run(self, calls: Sequence[Plain]) -> list[Plain]:
        """Run the calls and return a reply for each, in order, when the last one has ended."""
        kind = self._dispatcher.kind
        prompt: list[int] = []
        others: list[int] = []
        for n, call in enumerate(calls):
            is_prompt = kind(call["namespace"], call["method"]) is CallKind.PROMPT
            (prompt if is_prompt else others).append(n)
        parallel = {n: self._threads.submit(self._dispatch, calls[n]) for n in others[1:]}
        with self._dispatcher.batch_scope() if len(prompt) > 1 else contextlib.nullcontext():
            here = {n: self._dispatch(calls[n]) for n in prompt}
        # The first of the others runs in this thread: one thread less to wake.
        here |= {n: self._dispatch(calls[n]) for n in others[:1]}
        return [here[n] if n in here else parallel[n].result() for n in range(len(calls))]

    def _dispatch(self, call: Plain) -> Plain:
        return self._dispatcher.dispatch(
            call["namespace"], call["version"], call["method"], call["message"], call.get("until")
        )
