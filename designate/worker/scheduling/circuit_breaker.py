"""Circuit breakers: an endpoint that never replies is probed once at a time, not once for every zone.

A server that refuses datagrams costs no time, so without this each of ten thousand zones that wait for it
would query it every few seconds; one that drops them would keep all threads of its executor in timeouts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from designate import metrics
from designate.model.zones import ZoneId
from designate.runtime.backoff import jittered
from designate.runtime.clock import SYSTEM_CLOCK, Clock
from designate.worker.scheduling.timers import Timers

LOG = logging.getLogger(__name__)

OPENS_AFTER = 8
FIRST_PROBE_S = 0.25
MAX_PROBE_S = 2.0
FORGET_AFTER_S = 60.0

# The kind of request ("query", "notify", or a back end's "call" or "trigger"), the pool's name, and the
# label of the server or target. The pool is part of it because a server may know only one pool's key.
Endpoint = tuple[str, str, str]
Resume = Callable[[], object]


@dataclass(slots=True)
class _Breaker:
    """The state of one endpoint.

    Attributes:
        timeouts: requests without a reply since the last reply.
        failed_at: when the last of them ended.
        text: what went wrong then.
        delay_s: the wait before the next probe.
        probe_at: when the next request may go out as a probe.
        waiting: what to run when the endpoint replies again, by zone, in the order of arrival.
    """

    timeouts: int = 0
    failed_at: float = 0.0
    text: str = ""
    delay_s: float = FIRST_PROBE_S
    probe_at: float = 0.0
    probing: bool = False
    waiting: dict[ZoneId, Resume] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.timeouts >= OPENS_AFTER


class CircuitBreakers:
    """The circuit breakers of all endpoints.

    All methods are called with `lock` held and never block; waiting zones are resumed with it held too.
    Bounded: one breaker per endpoint that times out, and in each one entry per waiting zone.
    """

    def __init__(self, timers: Timers, lock: threading.RLock, clock: Clock = SYSTEM_CLOCK) -> None:
        """Create the breakers, all closed."""
        self._timers = timers
        self._lock = lock
        self._clock = clock
        self._breakers: dict[Endpoint, _Breaker] = {}

    def blocked(self, endpoint: Endpoint, zone_id: ZoneId, resume: Resume | None) -> str:
        """Return why no request may be sent now, or an empty text.

        Args:
            endpoint: where the request would go.
            zone_id: the zone of the request.
            resume: run once a request may be sent, unless the zone is forgotten before.
        """
        breaker = self._breakers.get(endpoint)
        if breaker is None or not breaker.open:
            return ""
        if not breaker.probing and self._clock.monotonic() >= breaker.probe_at:
            breaker.waiting.pop(zone_id, None)
            return ""
        if resume is not None:
            breaker.waiting[zone_id] = resume
        return breaker.text

    def begin(self, endpoint: Endpoint) -> bool:
        """Record that a request is being sent; return whether it is a probe, for which others wait."""
        breaker = self._breakers.get(endpoint)
        if breaker is None or not breaker.open:
            return False
        breaker.probing = True
        metrics.PROBES.labels(*endpoint).inc()
        return True

    def replied(self, endpoint: Endpoint) -> None:
        """Record a reply, whatever it says, and resume all zones that wait for the endpoint."""
        breaker = self._breakers.pop(endpoint, None)
        if breaker is None or not breaker.open:
            return
        metrics.CIRCUIT_OPEN.labels(*endpoint).set(0)
        LOG.info(
            "%s: replies again, circuit closed, %d zones resumed",
            _describe(endpoint),
            len(breaker.waiting),
        )
        for resume in breaker.waiting.values():
            resume()

    def timed_out(self, endpoint: Endpoint, text: str, *, probe: bool) -> None:
        """Record that a request got no reply; probe: as returned by `begin`."""
        breaker = self._breakers.setdefault(endpoint, _Breaker())
        now = self._clock.monotonic()
        breaker.timeouts += 1
        breaker.failed_at = now
        breaker.text = text
        if probe:
            breaker.probing = False
            breaker.delay_s = min(MAX_PROBE_S, breaker.delay_s * 2)
        if breaker.timeouts == OPENS_AFTER:
            metrics.CIRCUIT_OPEN.labels(*endpoint).set(1)
            LOG.warning(
                "%s: circuit open after %d timeouts, probing: %s",
                _describe(endpoint),
                breaker.timeouts,
                text,
            )
        elif not (probe and breaker.open):
            return
        breaker.probe_at = now + jittered(breaker.delay_s)
        self._timers.at(breaker.probe_at, partial(self._probe, endpoint, breaker))

    def allow_next(self, endpoint: Endpoint) -> None:
        """Let the next request through: the server was heard of by other means."""
        if breaker := self._breakers.get(endpoint):
            breaker.probe_at = 0.0

    def forget(self, zone_id: ZoneId) -> None:
        """Remove the zone from those that wait."""
        for breaker in self._breakers.values():
            breaker.waiting.pop(zone_id, None)

    def tick(self) -> None:
        """Probe where a zone was forgotten before its probe; call it about once per second.

        Endpoints for which no zone waits are forgotten: they may belong to a pool that was changed.
        """
        now = self._clock.monotonic()
        for endpoint, breaker in list(self._breakers.items()):
            if breaker.waiting:
                if now > breaker.probe_at:
                    self._probe(endpoint, breaker)
            elif breaker.failed_at < now - FORGET_AFTER_S and not breaker.probing:
                del self._breakers[endpoint]
                if breaker.open:
                    metrics.CIRCUIT_OPEN.labels(*endpoint).set(0)

    def _probe(self, endpoint: Endpoint, breaker: _Breaker) -> None:
        with self._lock:
            current = self._breakers.get(endpoint) is breaker
            if current and not breaker.probing and breaker.waiting:
                breaker.waiting.pop(next(iter(breaker.waiting)))()


def _describe(endpoint: Endpoint) -> str:
    kind, pool, server = endpoint
    return f"pool {pool}: server {server} ({kind})"
