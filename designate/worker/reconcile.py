"""Checks whether nameservers still serve what they were proven to serve, and repairs what drifted.

A server may be rebuilt empty, restored from an old copy, or changed by others, without a change of the
zone. The reconciliation task hands every zone to a worker from time to time, which queries each of its
nameservers for the SOA. A zone that is in order costs one query per nameserver.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from designate import errors, metrics
from designate.context import admin_context
from designate.model.pools import Nameserver
from designate.model.zones import (
    NameserverAnswer,
    Outcome,
    ZoneAnnouncement,
    ZoneReport,
    ZoneType,
)
from designate.rpc.clients import CentralClient
from designate.runtime.clock import SYSTEM_CLOCK, Clock
from designate.wire.client import SoaAnswer, SoaState
from designate.wire.comparison import Comparison
from designate.worker.converge import Converger
from designate.worker.pools import LivePool, PoolCache
from designate.worker.proof import (
    AHEAD,
    OTHER_DATA,
    DataProof,
    find_fault,
)
from designate.worker.scheduling.priority import Priority
from designate.worker.settings import ConvergenceSettings

LOG = logging.getLogger(__name__)

MAX_NAMES_LOGGED = 3
QUERY_DEADLINE_S = 5.0


@dataclass(slots=True)
class _Batch:
    """The zones of one request, logged together: a server may have lost thousands of zones.

    Attributes:
        remaining: zones without all answers.
        found: zone names by pool name, nameserver and kind of fault.
    """

    remaining: int
    found: dict[tuple[str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _Zone:
    """A zone that is being checked.

    Attributes:
        change: what the nameservers were proven to serve.
        pool: the zone's pool.
        remaining: nameservers that have not answered.
        serving: nameservers that are in order.
        unknown: nameservers that did not reply.
        faults: texts for people.
        in_doubt: a nameserver has a serial ahead of the zone's, or other data.
    """

    change: ZoneAnnouncement
    pool: LivePool
    remaining: int
    serving: int = 0
    unknown: int = 0
    faults: list[str] = field(default_factory=list)
    in_doubt: bool = False


class DriftChecker:
    """Checks zones against their nameservers. Thread-safe; holds only zones that wait for answers."""

    def __init__(
        self,
        central: CentralClient,
        pools: PoolCache,
        converger: Converger,
        settings: ConvergenceSettings,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Create a checker that queries nameservers through the converger."""
        self._central = central
        self._pools = pools
        self._converger = converger
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()

    def check(self, changes: Sequence[ZoneAnnouncement]) -> None:
        """Start to check zones; returns before there are answers. Skips zones that converge anyway."""
        zones = []
        for change in changes:
            if self._converger.is_converging(change.zone_id):
                continue
            try:
                pool = self._pools.get(change.pool_id, change.pool_version)
            except errors.DesignateError as error:
                LOG.warning("zone %s: not checked: %s", change.zone_id, error)
                continue
            if pool.nameservers:
                zones.append(_Zone(change, pool, len(pool.nameservers)))
        batch = _Batch(len(zones))
        for zone in zones:
            for nameserver in zone.pool.nameservers:
                on_answer = partial(self._record, batch, zone, nameserver)
                self._converger.query(
                    zone.change, zone.pool, nameserver, on_answer, Priority.RECOVERY
                )

    def query_nameservers(self, change: ZoneAnnouncement) -> tuple[NameserverAnswer, ...]:
        """Return what each of the zone's nameservers answers now, in the pool's order.

        Waits for QUERY_DEADLINE_S at most. Raises what PoolCache.get raises.
        """
        pool = self._pools.get(change.pool_id, change.pool_version)
        answers: dict[int, tuple[SoaAnswer, DataProof | None]] = {}
        answered = threading.Condition()

        def on_answer(place: int, answer: SoaAnswer, data: DataProof | None) -> None:
            with answered:
                answers[place] = answer, data
                answered.notify()

        for place, nameserver in enumerate(pool.nameservers):
            self._converger.query(
                change, pool, nameserver, partial(on_answer, place), with_data=True
            )
        deadline = self._clock.monotonic() + QUERY_DEADLINE_S
        with answered:
            while len(answers) < len(pool.nameservers) and self._clock.monotonic() < deadline:
                self._clock.wait_until(answered, deadline)
            return tuple(
                _nameserver_answer(change, pool, nameserver, *answers.get(place, (None, None)))
                for place, nameserver in enumerate(pool.nameservers)
            )

    def _record(
        self,
        batch: _Batch,
        zone: _Zone,
        nameserver: Nameserver,
        answer: SoaAnswer,
        data: DataProof | None,
    ) -> None:
        label = nameserver.label
        with self._lock:
            if answer.unreachable:
                zone.unknown += 1
            else:
                metrics.CHECKED.labels(zone.pool.name, label).inc()
                fault = find_fault(
                    zone.change, answer, zone.pool.rules_of(nameserver, zone.change), data
                )
                if fault is not None:
                    metrics.DRIFTED.labels(zone.pool.name, label, fault.kind).inc()
                    batch.found[zone.pool.name, label, fault.kind].append(zone.change.name)
                    zone.faults.append(f"nameserver {label}: {fault.text}")
                    zone.in_doubt = zone.in_doubt or fault.kind in (AHEAD, OTHER_DATA)
                else:
                    zone.serving += 1
            zone.remaining -= 1
            complete = zone.remaining == 0
            batch.remaining -= complete
            last = complete and batch.remaining == 0
        if complete and zone.faults:
            self._repair(zone)
        elif complete:
            self._converger.reconcile(zone.change, zone.pool)
        if last:
            _log(batch)

    def _repair(self, zone: _Zone) -> None:
        """Report the drift where too few nameservers serve the zone, and repair all that drifted.

        A zone with a serial ahead or other data may be another's, which the targets say. If it is not,
        the repair finds it again and reports it.
        """
        change = zone.change
        required = self._settings.servers_needed(len(zone.pool.nameservers))
        if zone.in_doubt or zone.serving + zone.unknown < required:
            report = ZoneReport(
                zone_id=change.zone_id,
                revision=change.revision,
                serial=change.serial,
                outcome=Outcome.DRIFTED,
                error="; ".join(zone.faults),
                pool_id=zone.pool.id,
            )
            try:
                self._central.status.report(admin_context(), report)
            except errors.DesignateError as error:
                LOG.warning("zone %s: report refused by central: %s", change.zone_id, error)
                return
        desired = replace(change, again=True, verify=zone.in_doubt)
        self._converger.converge(desired, zone.pool, repair=True)


def _nameserver_answer(
    change: ZoneAnnouncement,
    pool: LivePool,
    nameserver: Nameserver,
    answer: SoaAnswer | None,
    data: DataProof | None,
) -> NameserverAnswer:
    serves = answer is not None and answer.state is SoaState.SERIAL
    rules = pool.rules_of(nameserver, change)
    fault = None if answer is None else find_fault(change, answer, rules, data)
    problem = ""
    if fault is not None and answer is not None:
        # Central tells by itself that a serial is ahead of the zone's, or behind.
        is_other = fault.kind == AHEAD and answer.serial == change.serial
        problem = fault.text if is_other or fault.kind == OTHER_DATA else ""
    if answer is not None and data is not None and data.result is Comparison.AGAIN:
        problem = f"{answer}, {data.text or 'transferring'}"
    return NameserverAnswer(
        host=nameserver.host,
        port=nameserver.port,
        serial=answer.serial if answer is not None and serves else None,
        failing=answer is None or answer.state in (SoaState.FAILED, SoaState.UNKNOWN),
        text=_answer_text(change, answer),
        problem=problem,
        signs=rules.signs,
    )


def _answer_text(change: ZoneAnnouncement, answer: SoaAnswer | None) -> str:
    """Return the answer for people, with what to do where a consumer refuses that for a catalog zone."""
    if answer is None:
        return "no answer yet"
    if change.type is ZoneType.CATALOG and answer.state is SoaState.ABSENT:
        return f"{answer}: the serial there is unknown; let the worker query or transfer the catalog zone"
    return str(answer)


def _log(batch: _Batch) -> None:
    for (pool, label, kind), names in sorted(batch.found.items()):
        LOG.warning(
            "pool %s: nameserver %s: %d zones are %s, repairing: %s%s",
            pool,
            label,
            len(names),
            kind,
            ", ".join(sorted(names)[:MAX_NAMES_LOGGED]),
            ", ..." if len(names) > MAX_NAMES_LOGGED else "",
        )
