"""Looks whether nameservers still serve what they were once proven to serve, and has it repaired.

A server may be rebuilt empty, restored from an old copy, or written to by somebody else; no change of
ours tells of it. The reconciliation sweep hands every zone to a worker now and then, which asks each of
its nameservers for the SOA. What is right costs one query and nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic

from designate import errors, metrics
from designate.context import admin_context
from designate.model.pools import Nameserver
from designate.model.zones import NameserverAnswer, Outcome, ZoneAnnouncement, ZoneReport, ZoneType
from designate.rpc.clients import CentralClient
from designate.wire.client import SoaAnswer, SoaState
from designate.wire.names import serial_gt
from designate.worker.converge import Converger
from designate.worker.pools import LivePool, PoolCache
from designate.worker.zone_state import ConvergenceSettings, needed

LOG = logging.getLogger(__name__)

NAMED = 3
LOOK_S = 5.0


@dataclass(slots=True)
class _Batch:
    """What was found about zones that were asked for together, so that a server that lost thousands
    of zones is told of in a few lines. found: names by pool, server and kind."""

    left: int
    found: dict[tuple[str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _Zone:
    change: ZoneAnnouncement
    pool: LivePool
    left: int
    serving: int = 0
    unknown: int = 0
    faults: list[str] = field(default_factory=list)
    newest: int = 0


class DriftChecker:
    """Thread-safe. Holds no more zones than were handed over and are not answered for yet."""

    def __init__(
        self,
        central: CentralClient,
        pools: PoolCache,
        converger: Converger,
        settings: ConvergenceSettings,
    ) -> None:
        self._central = central
        self._pools = pools
        self._converger = converger
        self._settings = settings
        self._lock = threading.Lock()

    def check(self, changes: Sequence[ZoneAnnouncement]) -> None:
        """Ask about zones; returns before there are answers. A zone that is on its way to its
        nameservers anyway is left out."""
        wanted = []
        for change in changes:
            if self._converger.waits(change.zone_id):
                continue
            try:
                pool = self._pools.get(change.pool_id, change.pool_version)
            except errors.DesignateError as error:
                LOG.warning("zone %s is not checked: %s", change.zone_id, error)
                continue
            if pool.nameservers:
                wanted.append(_Zone(change, pool, len(pool.nameservers)))
        batch = _Batch(len(wanted))
        for zone in wanted:
            for nameserver in zone.pool.nameservers:
                tell = partial(self._answered, batch, zone, nameserver)
                self._converger.ask(zone.change, zone.pool, nameserver, tell, later=True)

    def look(self, change: ZoneAnnouncement) -> tuple[NameserverAnswer, ...]:
        """What each of the zone's nameservers says now, in the pool's order; waits for LOOK_S at most.
        Raises as PoolCache.get."""
        pool = self._pools.get(change.pool_id, change.pool_version)
        answers: dict[int, SoaAnswer] = {}
        told = threading.Semaphore(0)

        def tell(place: int, answer: SoaAnswer) -> None:
            answers[place] = answer
            told.release()

        for place, nameserver in enumerate(pool.nameservers):
            self._converger.ask(change, pool, nameserver, partial(tell, place))
        until_s = monotonic() + LOOK_S
        for _ in pool.nameservers:
            told.acquire(timeout=max(0.0, until_s - monotonic()))
        return tuple(
            _seen(nameserver, answers.get(place))
            for place, nameserver in enumerate(pool.nameservers)
        )

    def _answered(
        self, batch: _Batch, zone: _Zone, nameserver: Nameserver, answer: SoaAnswer
    ) -> None:
        label = nameserver.label
        with self._lock:
            if answer.unreachable:
                zone.unknown += 1
            else:
                metrics.CHECKED.labels(zone.pool.name, label).inc()
                kind = fault_of(zone.change, answer)
                if kind:
                    metrics.DRIFTED.labels(zone.pool.name, label, kind).inc()
                    batch.found[zone.pool.name, label, kind].append(zone.change.name)
                    zone.faults.append(f"nameserver {label}: {kind}: {answer}")
                    zone.newest = answer.serial if kind == "ahead" else zone.newest
                else:
                    zone.serving += 1
            zone.left -= 1
            whole = zone.left == 0
            batch.left -= whole
            last = whole and batch.left == 0
        if whole and zone.faults:
            self._repair(zone)
        if last:
            _tell(batch)

    def _repair(self, zone: _Zone) -> None:
        """Enough nameservers with the zone are enough for its status; the others are repaired all the
        same."""
        change = zone.change
        required = needed(len(zone.pool.nameservers), self._settings)
        if zone.newest or zone.serving + zone.unknown < required:
            report = ZoneReport(
                zone_id=change.zone_id,
                revision=change.revision,
                serial=zone.newest or change.serial,
                outcome=Outcome.DRIFTED,
                error="; ".join(zone.faults),
                pool_id=zone.pool.id,
            )
            try:
                self._central.status.report(admin_context(), report)
            except errors.DesignateError as error:
                LOG.warning("zone %s: its report was refused: %s", change.zone_id, error)
                return
        if not zone.newest:
            self._converger.want(replace(change, again=True), zone.pool, repair=True)


def fault_of(change: ZoneAnnouncement, answer: SoaAnswer) -> str:
    """What is wrong with a nameserver's answer for a zone that it was proven to serve: missing,
    failing, behind or ahead; nothing where it is right or says nothing."""
    if answer.state is SoaState.ABSENT:
        # A server may refuse queries for a catalog zone, which lists everybody's zones.
        return "" if change.type is ZoneType.CATALOG else "missing"
    if answer.state is SoaState.FAILED:
        return "failing"
    if answer.state is not SoaState.SERIAL or answer.serial == change.serial:
        return ""
    return "ahead" if serial_gt(answer.serial, change.serial) else "behind"


def _seen(nameserver: Nameserver, answer: SoaAnswer | None) -> NameserverAnswer:
    serves = answer is not None and answer.state is SoaState.SERIAL
    return NameserverAnswer(
        host=nameserver.host,
        port=nameserver.port,
        serial=answer.serial if answer is not None and serves else None,
        failing=answer is None or answer.state in (SoaState.FAILED, SoaState.UNKNOWN),
        text=str(answer) if answer is not None else "no answer yet",
    )


def _tell(batch: _Batch) -> None:
    for (pool, label, kind), names in sorted(batch.found.items()):
        LOG.warning(
            "pool %s: nameserver %s: %d zones are %s, and are repaired: %s%s",
            pool,
            label,
            len(names),
            kind,
            ", ".join(sorted(names)[:NAMED]),
            ", ..." if len(names) > NAMED else "",
        )
