"""Announces a zone's changes to its targets: back end calls here, NOTIFY in `worker.notify`.

Only `worker.converge` decides from the nameservers' answers that a zone is served.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from functools import partial

from designate import errors
from designate.model.zones import ZoneAnnouncement, ZoneId, ZoneReport
from designate.runtime.backoff import jittered
from designate.worker.backend_calls import call_backend, error_text, has_no_zone
from designate.worker.notify import NotifySender
from designate.worker.pools import LivePool, LiveTarget
from designate.worker.scheduling.circuit_breaker import Endpoint
from designate.worker.scheduling.convergence import ConvergenceScheduler
from designate.worker.scheduling.priority import Priority
from designate.worker.settings import ConvergenceSettings
from designate.worker.target_state import TargetState
from designate.worker.zone_state import ConvergenceState

LOG = logging.getLogger(__name__)

CREATE_GRACE_S = 5.0
MAX_RESTORATIONS = 6
MAX_ATTEMPTS = 16


class Publisher:
    """Public methods are called with the scheduler's lock held and never block."""

    def __init__(
        self,
        settings: ConvergenceSettings,
        scheduler: ConvergenceScheduler,
        target_done: Callable[[ConvergenceState], None],
        current_state: Callable[[ZoneId], ConvergenceState | None],
        send: Callable[[ZoneReport], None],
    ) -> None:
        """Create the publisher.

        Args:
            settings: the worker's settings.
            scheduler: the shared scheduling parts.
            target_done: called with the lock held when a target's back end call succeeded.
            current_state: returns the zone's present state.
            send: called without the lock with a failure that waiting cannot end.
        """
        self._settings = settings
        self._scheduler = scheduler
        self._breakers = scheduler.breakers
        self._target_done = target_done
        self._current_state = current_state
        self._send = send
        self._notifier = NotifySender(settings, scheduler, current_state, self._update_targets)
        # At most one call per zone and target, whatever state it belongs to: a server that receives
        # two calls about a zone at once may end up with the older one.
        self._calling: set[tuple[ZoneId, Hashable]] = set()

    def publish(self, state: ConvergenceState) -> None:
        """Announce a new state to every target."""
        self._call_targets(state)
        if not state.calls:
            self._notifier.notify(state)

    def publish_newer(self, state: ConvergenceState) -> None:
        """Announce a newer change of the state to every target that has the zone."""
        state.notify_rounds = 0
        if not state.calls_needed or any(target.done for target in state.targets):
            self._notifier.notify(state)

    def recreate(self, state: ConvergenceState) -> None:
        """Create the zone again where a server lost it, less often each time.

        The server was rebuilt, or a creation was lost.
        """
        if state.pool.by_catalog:
            return  # The server creates its zones by itself, with a delay.
        running = state.calls and not all(target.done for target in state.targets)
        if running or self._scheduler.now() < state.restore_after:
            return
        state.restorations = min(state.restorations + 1, MAX_RESTORATIONS)
        state.calls, state.calls_needed = "create", False
        for target in state.targets:
            target.done = False
        LOG.info("zone %s: missing on a nameserver, creating it again", state.change.zone_id)
        self._call_targets(state)

    def reconcile(self, change: ZoneAnnouncement, pool: LivePool) -> None:
        """Bring a zone that is served to options of its targets that it does not follow by itself."""
        for target in pool.targets:
            if target.backend.RECONCILES:
                job = partial(self._reconcile, change, pool, target)
                self._scheduler.executors.submit(target.executor_key, job, Priority.RECOVERY)

    def _reconcile(self, change: ZoneAnnouncement, pool: LivePool, target: LiveTarget) -> None:
        endpoint = _endpoint(pool, target)
        with self._scheduler.lock:
            if self._breakers.blocked(endpoint, change.zone_id, None):
                return
            probe = self._breakers.begin(endpoint)
        error = call_backend(target, "reconcile", change)
        if error is not None:
            LOG.warning("zone %s: %s: %s", change.zone_id, target.label, error_text(error))
        with self._scheduler.lock:
            self._record(endpoint, error, probe=probe)

    def _record(
        self, endpoint: Endpoint, error: errors.DesignateError | None, *, probe: bool
    ) -> None:
        """Record for the circuit breaker whether a call got a reply."""
        if isinstance(error, errors.BackendUnavailable):
            self._breakers.timed_out(endpoint, error_text(error), probe=probe)
        else:
            self._breakers.replied(endpoint)

    def _call_targets(self, state: ConvergenceState) -> None:
        for target in state.targets:
            if state.calls and not target.done:
                self._submit_call(state, target, state.calls)

    def _submit_call(self, state: ConvergenceState, target: TargetState, verb: str) -> None:
        call = (state.change.zone_id, target.live.executor_key)
        if state.closed or call in self._calling or self._blocked(state, target, verb):
            return
        self._calling.add(call)
        job = partial(self._call, state, target, verb)
        priority = Priority.of(state.change)
        if not self._scheduler.executors.submit(target.live.executor_key, job, priority):
            self._calling.discard(call)
            target.error, target.refused = "the target's queue of calls is full", False
            self._retry_in(state, self._settings.max_retry_s)

    def _blocked(self, state: ConvergenceState, target: TargetState, verb: str) -> bool:
        """Return whether the circuit is open; the call is made when it closes."""
        resume = partial(self._submit_call, state, target, verb)
        reason = self._breakers.blocked(
            _endpoint(state.pool, target.live), state.change.zone_id, resume
        )
        if reason:
            target.error, target.refused = reason, False
        return bool(reason)

    def _call(self, state: ConvergenceState, target: TargetState, verb: str) -> None:
        endpoint = _endpoint(state.pool, target.live)
        with self._scheduler.lock:
            skipped = state.closed or self._blocked(state, target, verb)
            probe = not skipped and self._breakers.begin(endpoint)
        error = None if skipped else call_backend(target.live, verb, state.change)
        deleted = verb == "delete" and not skipped and error is None
        emptied = deleted and has_no_zone(target.live, state.change)
        report = None
        with self._scheduler.lock:
            self._calling.discard((state.change.zone_id, target.live.executor_key))
            if not skipped:
                self._record(endpoint, error, probe=probe)
            if not (skipped or state.closed):
                target.emptied = emptied
                report = self._called(state, target, verb, error)
            # Calls that waited for this one: those of a later state, or with another verb.
            current = self._current_state(state.change.zone_id)
            if current is not None and (current is not state or verb != state.calls):
                self._call_targets(current)
        if report is not None:
            self._send(report)

    def _called(
        self,
        state: ConvergenceState,
        target: TargetState,
        verb: str,
        error: errors.DesignateError | None,
    ) -> ZoneReport | None:
        """Record a call's result; return a failure to report at once."""
        target.foreign = isinstance(error, errors.ForeignZone)
        if target.foreign and verb == "delete":
            LOG.info("zone %s: %s: not deleted: %s", state.change.zone_id, target.live.label, error)
            error = None
        problem = error_text(error)
        is_news = problem != target.error
        if problem and is_news:
            LOG.warning("zone %s: %s: %s", state.change.zone_id, target.live.label, problem)
        target.error = problem
        target.refused = bool(problem) and not isinstance(error, errors.BackendUnavailable)
        if problem and verb == state.calls:
            target.attempts = min(target.attempts + 1, MAX_ATTEMPTS)
            delay_s = self._settings.retry_s * 2**target.attempts
            self._retry_in(state, min(self._settings.max_retry_s, delay_s))
        elif not problem:
            target.done = True
            grace_s = CREATE_GRACE_S * 2**state.restorations
            state.restore_after = self._scheduler.now() + grace_s
            if not state.deleting:
                self._notifier.notify(state)
            self._target_done(state)
        return state.foreign() if is_news else None

    def _retry_in(self, state: ConvergenceState, delay_s: float) -> None:
        self._scheduler.after(jittered(delay_s), partial(self._retry, state))

    def _retry(self, state: ConvergenceState) -> None:
        with self._scheduler.lock:
            self._call_targets(state)

    def _update_targets(self, state: ConvergenceState) -> None:
        """Have the servers' settings for the zone compared with the target's, once per state."""
        state.renewed = True
        for target in state.targets:
            self._submit_call(state, target, "update")


def _endpoint(pool: LivePool, target: LiveTarget) -> Endpoint:
    return "call", pool.name, target.label
