"""Which servers say nothing at all: they are asked by single probes, not once for every zone.

A server that refuses datagrams costs no time, so without this each of ten thousand zones that wait for
it would ask every few seconds; one that swallows them would keep all threads of its lane in timeouts.
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
from designate.worker.scheduling.timers import Timers, jittered

LOG = logging.getLogger(__name__)

OPENS_AFTER = 8
FIRST_PROBE_S = 0.25
LONGEST_PROBE_S = 2.0
FORGOTTEN_S = 60.0

# What the server is asked ("query", "notify", or a backend's "call" or "hasten"), the pool's name, the
# server's or the target's. Of a pool, since another pool's key may be the one that the server takes.
Way = tuple[str, str, str]


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


class Circuits:
    """All methods are called with `lock` held and never block; what was held is run with it too.

    Bounded: a circuit per server that is silent, and in each one entry per zone that waits.
    """

    def __init__(self, timers: Timers, lock: threading.RLock) -> None:
        self._timers = timers
        self._lock = lock
        self._circuits: dict[Way, _Circuit] = {}

    def holds(self, way: Way, zone_id: ZoneId, resume: Callable[[], object] | None) -> str:
        """Why the server is not to be asked now, or nothing. resume: run when it is to be, unless the
        zone is forgotten before."""
        circuit = self._circuits.get(way)
        if circuit is None or not circuit.open:
            return ""
        if not circuit.probing and monotonic() >= circuit.probe_at:
            circuit.held.pop(zone_id, None)
            return ""
        if resume is not None:
            circuit.held[zone_id] = resume
        return circuit.text

    def asks(self, way: Way) -> bool:
        """The server is asked now. True: as a probe, while all others wait."""
        circuit = self._circuits.get(way)
        if circuit is None or not circuit.open:
            return False
        circuit.probing = True
        metrics.PROBES.labels(*way).inc()
        return True

    def answered(self, way: Way) -> None:
        """Whatever the server said, it is there: all that waited for it goes on."""
        circuit = self._circuits.pop(way, None)
        if circuit is None or not circuit.open:
            return
        metrics.SILENT.labels(*way).set(0)
        LOG.info("%s: answers again, and %d zones go on", _name(way), len(circuit.held))
        for resume in circuit.held.values():
            resume()

    def silent(self, way: Way, text: str, *, probe: bool) -> None:
        """The server did not answer. probe: as `asks` said."""
        circuit = self._circuits.setdefault(way, _Circuit())
        circuit.silences += 1
        circuit.silent_at = monotonic()
        circuit.text = text
        if probe:
            circuit.probing = False
            circuit.delay_s = min(LONGEST_PROBE_S, circuit.delay_s * 2)
        if circuit.silences == OPENS_AFTER:
            metrics.SILENT.labels(*way).set(1)
            LOG.warning("%s: does not answer and is only probed: %s", _name(way), text)
        elif not (probe and circuit.open):
            return
        circuit.probe_at = monotonic() + jittered(circuit.delay_s)
        self._timers.at(circuit.probe_at, partial(self._probe, way, circuit))

    def alive(self, way: Way) -> None:
        """The server was heard of by other means: the next call is not held up."""
        if circuit := self._circuits.get(way):
            circuit.probe_at = 0.0

    def forget(self, zone_id: ZoneId) -> None:
        """The zone waits no more."""
        for circuit in self._circuits.values():
            circuit.held.pop(zone_id, None)

    def look(self) -> None:
        """To be called every second or so. Servers for which nothing waits are forgotten: they may be
        those of a pool that was changed. A probe whose zone went before its turn is made up for."""
        now = monotonic()
        for way, circuit in list(self._circuits.items()):
            if circuit.held:
                if now > circuit.probe_at:
                    self._probe(way, circuit)
            elif circuit.silent_at < now - FORGOTTEN_S and not circuit.probing:
                del self._circuits[way]
                if circuit.open:
                    metrics.SILENT.labels(*way).set(0)

    def _probe(self, way: Way, circuit: _Circuit) -> None:
        with self._lock:
            if self._circuits.get(way) is circuit and not circuit.probing and circuit.held:
                circuit.held.pop(next(iter(circuit.held)))()


def _name(way: Way) -> str:
    kind, pool, server = way
    return f"pool {pool}: server {server} ({kind})"
