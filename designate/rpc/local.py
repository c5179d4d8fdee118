"""The bus within one process: calls run in the caller's thread, casts in a few background threads.

Messages pass through the codec as on a broker, so what works here works there.
"""

from __future__ import annotations

import logging
import queue
import threading
from typing import Any

from designate import errors
from designate.rpc.bus import Dispatcher
from designate.rpc.interfaces import CallKind

LOG = logging.getLogger(__name__)

CAST_QUEUE_SIZE = 20_000
CAST_THREADS = 4

Message = tuple[str, str, str, dict[str, Any]]


class LocalBus:
    """The Bus within one process. Drops and counts casts while the queue is full."""

    def __init__(self, cast_threads: int = CAST_THREADS, queue_size: int = CAST_QUEUE_SIZE) -> None:
        self._dispatchers: dict[str, Dispatcher] = {}
        self._casts: queue.Queue[Message | None] = queue.Queue(queue_size)
        self._threads = [
            threading.Thread(target=self._deliver, name=f"cast-{n}", daemon=True)
            for n in range(cast_threads)
        ]
        self.dropped = 0

    def serve(self, topic: str, dispatcher: Dispatcher) -> None:
        """Let the dispatcher run the calls for the topic."""
        self._dispatchers[topic] = dispatcher

    def start(self) -> None:
        """Start the threads that run casts."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Run the queued casts and end the threads, within some seconds."""
        for _ in self._threads:
            try:
                self._casts.put(None, timeout=5)
            except queue.Full:
                LOG.warning(
                    "cast queue: not drained, remaining casts deferred to periodic recovery"
                )
                return
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=10)

    def call(
        self,
        topic: str,
        namespace: str,
        version: str,
        method: str,
        message: dict[str, Any],
        kind: CallKind = CallKind.OTHER,
        within_s: float | None = None,
    ) -> Any:
        """Run the method in this thread; see Bus.call."""
        del version, kind, within_s  # without meaning within one process
        dispatcher = self._dispatchers.get(topic)
        if dispatcher is None:
            raise errors.Unavailable(f"No process serves {topic}")
        return dispatcher.run(namespace, method, message)

    def cast(
        self,
        topic: str,
        namespace: str,
        version: str,
        method: str,
        message: dict[str, Any],
    ) -> None:
        """Queue the method for the background threads; see Bus.cast."""
        del version  # without meaning within one process
        try:
            self._casts.put_nowait((topic, namespace, method, message))
        except queue.Full:
            self.dropped += 1
            if self.dropped == 1 or self.dropped % 1000 == 0:
                LOG.warning("cast queue: full, %d messages dropped so far", self.dropped)

    fanout = cast

    def _deliver(self) -> None:
        while (message := self._casts.get()) is not None:
            topic, namespace, method, arguments = message
            dispatcher = self._dispatchers.get(topic)
            if dispatcher is None:
                continue
            try:
                dispatcher.run(namespace, method, arguments)
            except errors.DesignateError as error:
                LOG.warning("cast %s.%s: refused: %s", namespace, method, error)
