"""Casts of this process: queued, batched and sent by threads of their own."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from designate import metrics
from designate.rpc.batching import MAX_BATCH
from designate.runtime.backoff import jittered

CAST_QUEUE_SIZE = 20_000
CAST_THREADS = 2
CAST_LIFETIME_S = 60.0
CAST_RETRY_S = 0.5
STOP_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedCast:
    """A call without a reply.

    fanout: to every process of the topic. expires_s: by time.monotonic().
    """

    topic: str
    namespace: str
    version: str
    method: str
    message: dict[str, Any]
    fanout: bool
    expires_s: float

    def to_plain(self) -> dict[str, Any]:
        """Return the cast as a member of a batch on the wire."""
        return {
            "namespace": self.namespace,
            "version": self.version,
            "method": self.method,
            "message": self.message,
        }


class CastQueue:
    """Sends casts in background threads, with retries until they expire. Bounded; thread-safe.

    Args:
        send: Sends casts of one topic and kind in one message; returns False when the bus is
        unavailable.
        drop: Called with a count and a reason for casts that are dropped.
    """

    def __init__(
        self, send: Callable[[Sequence[QueuedCast]], bool], drop: Callable[[int, str], object]
    ) -> None:
        self._send = send
        self._drop = drop
        self._waiting: queue.Queue[QueuedCast | None] = queue.Queue(CAST_QUEUE_SIZE)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._gauge = metrics.QUEUED.labels("casts")
        self._gauge.set(0)

    def __len__(self) -> int:
        return self._waiting.qsize()

    def put(self, cast: QueuedCast) -> None:
        """Queue the cast; drop it when the queue is full. Never blocks."""
        try:
            self._waiting.put_nowait(cast)
        except queue.Full:
            self._drop(1, "the queue is full")
        self._gauge.set(len(self))

    def start(self) -> None:
        """Start the threads."""
        for number in range(CAST_THREADS):
            thread = threading.Thread(target=self._run, name=f"cast-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Send the queued casts without retries and end the threads, within STOP_S."""
        self._stopping.set()
        end_s = time.monotonic() + STOP_S
        for _ in self._threads:
            with contextlib.suppress(queue.Full):
                self._waiting.put(None, timeout=STOP_S / 2)
        for thread in self._threads:
            thread.join(timeout=max(0.0, end_s - time.monotonic()))

    def _run(self) -> None:
        stop_requested = False
        while not stop_requested:
            first = self._waiting.get()
            if first is None:
                return
            batch, stop_requested = self._batch_after(first)
            self._gauge.set(len(self))
            groups: dict[tuple[str, bool], list[QueuedCast]] = {}
            for cast in batch:
                groups.setdefault((cast.topic, cast.fanout), []).append(cast)
            for group in groups.values():
                self._deliver(group)

    def _batch_after(self, first: QueuedCast) -> tuple[list[QueuedCast], bool]:
        """Return the queued casts in order, and whether stop() was called behind them."""
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                cast = self._waiting.get_nowait()
            except queue.Empty:
                break
            if cast is None:
                return batch, True
            batch.append(cast)
        return batch, False

    def _deliver(self, casts: list[QueuedCast]) -> None:
        while casts and not self._send(casts):
            now_s = time.monotonic()
            live = [] if self._stopping.is_set() else [c for c in casts if c.expires_s > now_s]
            if len(live) < len(casts):
                self._drop(len(casts) - len(live), "the message bus is unavailable")
            casts = live
            if casts:
                self._stopping.wait(jittered(CAST_RETRY_S, 0.5))
