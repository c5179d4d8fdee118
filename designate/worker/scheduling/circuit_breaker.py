"""Which servers say nothing at all: they are asked by single probes, not once for every zone.

A server that refuses datagrams costs no time, so without this each of ten thousand zones that wait for
it would ask every few seconds; one that swallows them would keep all threads of its executor in timeouts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from designate import metrics
from designate.model.zones import ZoneId
from designate.runtime.backoff import jittered
from designate.worker.scheduling.timers import Timers

LOG = logging.getLogger(__name__)

OPENS_AFTER = 8
FIRST_PROBE_S = 0.25
MAX_PROBE_S = 2.0
FORGOTTEN_S = 60.0

# What the server is asked ("query", "notify", or a backend's "call" or "trigger_transfer"), the
# pool's name, the server's or the target's. Of a pool, since another pool's key may be the one that
# the server takes.
Endpoint = tuple[str, str, str]


@dataclass(slots=True)
class _Circuit:
    """silences: calls without an answer since the last answer. held: what goes on when the server
    answers again, by zone, the first to wait first."""

    silences: int = 0
    silent_at: float = 0.0
    text: str = ""
    delay_s: float = FIRST_PROBE_S
    probe_at: float = 0.0
    probing: bool = False
    held: dict[ZoneId, Callable[[], object]] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.silences >= OPENS_AFTER


class CircuitBreakers:
    """All methods are called with `lock` held and never block; what was held is run with it too.

    Bounded: a circuit per server that is silent, and in each one entry per zone that waits.
    """

    def __init__(self, timers: Timers, lock: threading.RLock) -> None:
        self._timers = timers
        self._lock = lock
        self._breakers: dict[Endpoint, _Circuit] = {}

    def holds(
        self, endpoint: Endpoint, zone_id: ZoneId, resume: Callable[[], object] | None
    ) -> str:
        """Why the server is not to be asked now, or nothing. resume: run when it is to be, unless the
        zone is forgotten before."""
        circuit = self._breakers.get(endpoint)
        if circuit is None or not circuit.open:
            return ""
        if not circuit.probing and monotonic() >= circuit.probe_at:
            circuit.held.pop(zone_id, None)
            return ""
        if resume is not None:
            circuit.held[zone_id] = resume
        return circuit.text

    def asks(self, endpoint: Endpoint) -> bool:
        """The server is asked now. True: as a probe, while all others wait."""
        circuit = self._breakers.get(endpoint)
        if circuit is None or not circuit.open:
            return False
        circuit.probing = True
        metrics.PROBES.labels(*endpoint).inc()
        return True

    def answered(self, endpoint: Endpoint) -> None:
        """Whatever the server said, it is there: all that waited for it goes on."""
        circuit = self._breakers.pop(endpoint, None)
        if circuit is None or not circuit.open:
            return
        metrics.SILENT.labels(*endpoint).set(0)
        LOG.info("%s: answers again, and %d zones go on", _name(endpoint), len(circuit.held))
        for resume in circuit.held.values():
            resume()

    def silent(self, endpoint: Endpoint, text: str, *, probe: bool) -> None:
        """The server did not answer. probe: as `asks` said."""
        circuit = self._breakers.setdefault(endpoint, _Circuit())
        circuit.silences += 1
        circuit.silent_at = monotonic()
        circuit.text = text
        if probe:
            circuit.probing = False
            circuit.delay_s = min(MAX_PROBE_S, circuit.delay_s * 2)
        if circuit.silences == OPENS_AFTER:
            metrics.SILENT.labels(*endpoint).set(1)
            LOG.warning("%s: does not answer and is only probed: %s", _name(endpoint), text)
        elif not (probe and circuit.open):
            return
        circuit.probe_at = monotonic() + jittered(circuit.delay_s)
        self._timers.at(circuit.probe_at, partial(self._probe, endpoint, circuit))

    def alive(self, endpoint: Endpoint) -> None:
        """The server was heard of by other means: the next call is not held up."""
        if circuit := self._breakers.get(endpoint):
            circuit.probe_at = 0.0

    def forget(self, zone_id: ZoneId) -> None:
        """The zone waits no more."""
        for circuit in self._breakers.values():
            circuit.held.pop(zone_id, None)

    def look(self) -> None:
        """To be called every second or so. Servers for which nothing waits are forgotten: they may be
        those of a pool that was changed. A probe whose zone went before its turn is made up for."""
        now = monotonic()
        for endpoint, circuit in list(self._breakers.items()):
            if circuit.held:
                if now > circuit.probe_at:
                    self._probe(endpoint, circuit)
            elif circuit.silent_at < now - FORGOTTEN_S and not circuit.probing:
                del self._breakers[endpoint]
                if circuit.open:
                    metrics.SILENT.labels(*endpoint).set(0)

    def _probe(self, endpoint: Endpoint, circuit: _Circuit) -> None:
        with self._lock:
            if self._breakers.get(endpoint) is circuit and not circuit.probing and circuit.held:
                circuit.held.pop(next(iter(circuit.held)))()


def _name(endpoint: Endpoint) -> str:
    kind, pool, server = endpoint
    return f"pool {pool}: server {server} ({kind})"
