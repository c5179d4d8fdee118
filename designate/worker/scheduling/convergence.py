"""The scheduling parts that all steps of converging zones share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from designate.runtime.clock import SYSTEM_CLOCK, Clock
from designate.worker.scheduling.circuit_breaker import CircuitBreakers
from designate.worker.scheduling.executors import EndpointExecutors
from designate.worker.scheduling.poll_backoff import PollBackoff
from designate.worker.scheduling.timers import Timers


class ConvergenceScheduler:
    """Holds the clock, timers, executors, circuit breakers and poll backoff, and the lock of them all.

    Attributes:
        lock: protects the zones' states, the breakers and the backoff.
    """

    def __init__(
        self,
        polls_per_s: float,
        clock: Clock = SYSTEM_CLOCK,
        timers: Timers | None = None,
        executors: EndpointExecutors | None = None,
    ) -> None:
        """Create the parts; `start` starts the timers.

        Args:
            polls_per_s: see `PollBackoff`.
            clock: measures all times.
            timers: replace the timers, in tests.
            executors: replace the executors, in tests.
        """
        self.clock = clock
        self.timers = timers or Timers(clock)
        self.executors = executors or EndpointExecutors(clock=clock)
        self.lock = threading.RLock()
        self.breakers = CircuitBreakers(self.timers, self.lock, clock)
        self.backoff = PollBackoff(polls_per_s)

    def start(self) -> None:
        """Start the timers' thread."""
        self.timers.start()

    def stop(self) -> None:
        """Drop all timed steps and queued jobs and wait at most 5 s for the running jobs."""
        self.timers.stop()
        self.executors.stop(timeout_s=5)

    def now(self) -> float:
        """Return the clock's monotonic time."""
        return self.clock.monotonic()

    def after(self, delay_s: float, step: Callable[[], object]) -> None:
        """Run a short step after a delay, on the timers' thread."""
        self.timers.after(delay_s, step)
