"""Drives each zone until its nameservers are proven to have it.

Nothing here blocks: a zone is a small state that answers, hints and timers advance. Requests that take
time run on executors, one per endpoint. `worker.publish` announces changes to the servers, `worker.polling`
queries them, and the SOA answer is the only proof that counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from designate import errors, metrics
from designate.context import admin_context
from designate.model.pools import Nameserver
from designate.model.zones import Action, Outcome, ZoneAnnouncement, ZoneId, ZoneReport, newest
from designate.rpc.clients import CentralClient
from designate.wire import resolver
from designate.worker.polling import OnAnswer, Poller
from designate.worker.pools import LivePool
from designate.worker.publish import Publisher
from designate.worker.scheduling.admission import AdmissionLimit
from designate.worker.scheduling.convergence import ConvergenceScheduler
from designate.worker.scheduling.priority import Priority
from designate.worker.server_state import ServerState
from designate.worker.settings import ConvergenceSettings
from designate.worker.zone_state import ConvergenceState, new_state

LOG = logging.getLogger(__name__)

# How long a later change may take to arrive here after its serial was found on a nameserver.
LATER_CHANGE_S = 1.0


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What a zone's nameservers are to have.

    Attributes:
        change: the newest change.
        pool: the pool whose nameservers are to have it.
        repair: the zone was served before and has drifted.
    """

    change: ZoneAnnouncement
    pool: LivePool
    repair: bool


class Converger:
    """Converges zones. Thread-safe.

    Attributes:
        dropped: changes refused because there were too many zones; periodic recovery sends them again.
    """

    def __init__(
        self,
        central: CentralClient,
        settings: ConvergenceSettings,
        scheduler: ConvergenceScheduler | None = None,
    ) -> None:
        """Create the converger; `start` starts it."""
        self._central = central
        self._settings = settings
        self._scheduler = scheduler or ConvergenceScheduler(settings.polls_per_s)
        self._states: dict[str, ConvergenceState] = {}
        self._admission = AdmissionLimit(self._begin, clock=self._scheduler.clock)
        self._poller = Poller(settings, self._scheduler, self._evaluate, self._send)
        self._publisher = Publisher(
            settings, self._scheduler, self._poller.target_done, self._states.get, self._send
        )
        self.dropped = 0

    def start(self) -> None:
        """Start the timers and the check for expired states."""
        self._scheduler.start()
        self._expire()

    def stop(self) -> None:
        """Stop converging; periodic recovery hands out what is unfinished."""
        self._scheduler.stop()

    def call_later(self, delay_s: float, step: Callable[[], object]) -> None:
        """Run a short step after a delay, on the timers' thread."""
        self._scheduler.after(delay_s, step)

    def __len__(self) -> int:
        """Return the number of zones that converge or wait for their admission."""
        return len(self._states) + len(self._admission)

    def is_converging(self, zone_id: ZoneId) -> bool:
        """Return whether the zone converges or waits for its admission."""
        return zone_id in self._states or self._admission.queued(zone_id) is not None

    def converge(self, change: ZoneAnnouncement, pool: LivePool, *, repair: bool = False) -> None:
        """Make this the zone's desired state, unless a newer one is known.

        A repeated change continues the zone's state: recovery hands changes out again and again, and
        only a limited number of recovered zones converge at once.
        """
        if not pool.nameservers:
            state = new_state(change, pool, self._settings, self._scheduler.now())
            self._send(state.failure("the pool has no nameservers, so nothing proves the change"))
            return
        with self._scheduler.lock:
            old = self._states.get(change.zone_id)
            queued = self._admission.queued(change.zone_id)
            if old is None and queued is None and not self._has_room(change):
                self._drop()
                return
            if queued is not None:
                change, repair = newest(queued.change, change), repair or queued.repair
            if old is not None:
                change = newest(old.change, change)
                if _continues(old, change, pool):
                    self._follow(old, change)
                    return
                self._close(old)
            self._admit(DesiredState(change, pool, repair))

    def _has_room(self, change: ZoneAnnouncement) -> bool:
        return len(self) < Priority.of(change).room(self._settings.max_zones)

    def _drop(self) -> None:
        self.dropped += 1
        metrics.QUEUE_DROPPED.labels("zones").inc()
        if self.dropped == 1 or self.dropped % 1000 == 0:
            LOG.warning(
                "too many zones converge; %d changes deferred to periodic recovery so far",
                self.dropped,
            )

    def _admit(self, desired: DesiredState) -> None:
        """Begin at once, or for a recovery when the admission limit allows it."""
        zone_id = desired.change.zone_id
        if Priority.of(desired.change) is Priority.CHANGE:
            self._admission.release(zone_id)
            self._begin(desired)
        elif self._admission.admit(desired.pool.id, zone_id, desired):
            self._begin(desired)

    def _begin(self, desired: DesiredState) -> None:
        now = self._scheduler.now()
        state = new_state(desired.change, desired.pool, self._settings, now)
        state.repair = desired.repair
        self._states[desired.change.zone_id] = state
        self._scheduler.backoff.add(desired.pool.id, desired.change.zone_id)
        self._publisher.publish(state)
        self._poller.start(state)

    def _follow(self, state: ConvergenceState, change: ZoneAnnouncement) -> None:
        """Continue the state with a newer change.

        Its deadline stays that of the oldest change that is not served; only progress extends it.
        """
        if change.revision == state.change.revision:
            state.change = change
            return
        state.since = self._scheduler.now()
        if state.settled_by_central:
            state.deadline = state.since + self._settings.deadline_s
        state.change, state.reported_ahead = change, None
        state.steps.append((change.serial, change.revision))
        self._publisher.publish_newer(state)
        self._poller.start(state)

    def hint(self, zone_id: str, peer: str) -> None:
        """Poll the nameserver with the address `peer`, which has just transferred the zone."""
        with self._scheduler.lock:
            state = self._states.get(zone_id)
            servers = list(state.servers) if state is not None else []
        # Without the lock, because names may have to be resolved.
        matching = [s for s in servers if peer in resolver.addresses(s.nameserver.host)]
        with self._scheduler.lock:
            for server in matching or servers:
                if state is not None and not state.closed:
                    self._poller.poll_hinted(state, server, known=bool(matching))

    def reconcile(self, change: ZoneAnnouncement, pool: LivePool) -> None:
        """Bring a zone that is in order to options of its targets; never blocks."""
        with self._scheduler.lock:
            self._publisher.reconcile(change, pool)

    def query(
        self,
        change: ZoneAnnouncement,
        pool: LivePool,
        nameserver: Nameserver,
        on_answer: OnAnswer,
        priority: Priority = Priority.CHANGE,
        *,
        with_data: bool = False,
    ) -> None:
        """Query a nameserver once; see `Poller.query`."""
        self._poller.query(change, pool, nameserver, on_answer, priority, with_data=with_data)

    def _send(self, report: ZoneReport) -> None:
        try:
            self._central.status.report(admin_context(), report)
        except errors.DesignateError as error:
            LOG.warning("zone %s: report refused by central: %s", report.zone_id, error)

    def _evaluate(self, state: ConvergenceState, server: ServerState) -> ZoneReport | None:
        """Return what the nameservers' answers prove, after a new one from `server`."""
        report = state.outcome()
        if report is not None:
            self._advance(state, report)
        if not (state.closed or state.deleting) and server.absent:
            self._publisher.recreate(state)
        return report

    def _advance(self, state: ConvergenceState, report: ZoneReport) -> None:
        if report.outcome is Outcome.LATE:
            state.reported_other = report.revision
            return
        if report.newest is not None:
            # Whether that is progress, only central knows. Wait for the later change, if there is one.
            state.reported_ahead = report.revision, report.newest
            if state.settled_by_central:
                state.deadline = min(state.deadline, self._scheduler.now() + LATER_CHANGE_S)
            return
        if report.outcome is Outcome.ABSENT or report.revision >= state.change.revision:
            self._close(state)
            if state.repair and report.outcome is Outcome.SERVED:
                metrics.REPAIRED.labels(state.pool.name).inc()
        state.deadline = self._scheduler.now() + self._settings.deadline_s
        while state.steps and state.steps[0][1] <= report.revision:
            state.steps.popleft()

    def _expire(self) -> None:
        """Give up the states past their deadline, and repeat.

        One pass over all states costs less than a timer for each, most of which would long outlive
        their zone's state.
        """
        self.call_later(min(1.0, self._settings.deadline_s / 10), self._expire)
        with self._scheduler.lock:
            now = self._scheduler.now()
            expired = [state for state in self._states.values() if state.deadline <= now]
            for state in expired:
                self._close(state)
            unserved = [state for state in expired if not state.settled_by_central]
            for state in unserved:
                metrics.UNSERVED.labels(state.pool.name).inc()
            self._scheduler.breakers.tick()
            self._admission.expire()
        for state in unserved:
            self._send(state.given_up())

    def _close(self, state: ConvergenceState) -> None:
        state.closed = True
        zone_id = state.change.zone_id
        if self._states.get(zone_id) is state:
            del self._states[zone_id]
            self._scheduler.backoff.discard(state.pool.id, zone_id)
            self._scheduler.breakers.forget(zone_id)
            self._admission.release(zone_id)


def _continues(state: ConvergenceState, change: ZoneAnnouncement, pool: LivePool) -> bool:
    """Return whether the change needs the same steps on the same servers as the state."""
    return (
        state.pool == pool
        and state.change.withdrawn == change.withdrawn
        and state.deleting == (change.action is Action.DELETE)
    )
