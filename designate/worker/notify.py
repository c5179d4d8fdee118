"""Sends NOTIFY (RFC 1996) to targets until their nameservers have a zone's change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from designate import errors
from designate.model.zones import ZoneId
from designate.runtime.backoff import jittered
from designate.wire import client
from designate.wire.tsig_keys import SigningKey
from designate.worker.backend_calls import call_backend, error_text
from designate.worker.pools import Address
from designate.worker.scheduling.circuit_breaker import Endpoint
from designate.worker.scheduling.convergence import ConvergenceScheduler
from designate.worker.scheduling.priority import Priority
from designate.worker.settings import ConvergenceSettings
from designate.worker.target_state import TargetState
from designate.worker.zone_state import ConvergenceState

LOG = logging.getLogger(__name__)

NOTIFY_GAP_S = 0.01
NOTIFY_RETRIES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
# For the pool's also_notifies, which are never polled.
ALSO_NOTIFY_RETRIES_S = (1.0, 4.0)


class NotifySender:
    """Public methods are called with the scheduler's lock held and never block."""

    def __init__(
        self,
        settings: ConvergenceSettings,
        scheduler: ConvergenceScheduler,
        current_state: Callable[[ZoneId], ConvergenceState | None],
        update_targets: Callable[[ConvergenceState], None],
    ) -> None:
        """Create the notifier.

        Args:
            settings: the worker's settings.
            scheduler: the shared scheduling parts.
            current_state: returns the zone's present state.
            update_targets: called with the lock held when nameservers ignore NOTIFYs for long, for
                their settings of the zone may be old.
        """
        self._settings = settings
        self._scheduler = scheduler
        self._breakers = scheduler.breakers
        self._current_state = current_state
        self._update_targets = update_targets

    def notify(self, state: ConvergenceState) -> None:
        """Notify the targets, at most once per NOTIFY_GAP_S, so that quick changes share a NOTIFY."""
        now = self._scheduler.now()
        if now - state.notify_at < NOTIFY_GAP_S:
            if state.notify_due is None:
                state.notify_due = state.notify_at + NOTIFY_GAP_S
                self._scheduler.timers.at(state.notify_due, partial(self._notify_due, state))
            return
        state.notify_at = now
        notified = [target for target in state.targets if _takes_notify(state, target)]
        for target in notified:
            if target.notifying:
                target.renotify = True
            else:
                self._submit(state, target)
        if state.notified_serial != state.change.serial:
            state.notified_serial = state.change.serial
            for other in state.pool.also_notifies:
                self._submit_also(state, (other.host, other.port))
        if notified:
            delay_s = NOTIFY_RETRIES_S[min(state.notify_rounds, len(NOTIFY_RETRIES_S) - 1)]
            if state.notify_rounds:
                delay_s = max(delay_s, self._scheduler.backoff.min_interval_s(state.pool.id))
            state.notify_rounds += 1
            retry = partial(self._retry, state, now)
            self._scheduler.timers.at(now + jittered(delay_s), retry)

    def _notify_due(self, state: ConvergenceState) -> None:
        with self._scheduler.lock:
            state.notify_due = None
            if not state.closed:
                self.notify(state)

    def _retry(self, state: ConvergenceState, sent_at: float) -> None:
        """Notify again while a nameserver lags: a datagram may be lost."""
        with self._scheduler.lock:
            if state.closed or state.notify_at != sent_at or not state.lagging:
                return
            self.notify(state)
            exhausted = state.notify_rounds >= len(NOTIFY_RETRIES_S)
            if exhausted and not (state.calls or state.renewed):
                self._update_targets(state)

    def _submit(self, state: ConvergenceState, target: TargetState) -> None:
        if self._blocked(state, target):
            return
        key = ("notify", target.live.notify)
        job = partial(self._notify_target, state, target)
        priority = Priority.of(state.change)
        target.notifying = self._scheduler.executors.submit(key, job, priority)

    def _blocked(self, state: ConvergenceState, target: TargetState) -> bool:
        """Return whether the circuit is open; the target is notified when it closes."""
        resume = None if state.closed else partial(self._resume, state, target)
        reason = self._breakers.blocked(_endpoint(state, target), state.change.zone_id, resume)
        target.notify_text = reason or target.notify_text
        return bool(reason)

    def _resume(self, state: ConvergenceState, target: TargetState) -> None:
        if state.lagging and not (state.closed or target.notifying):
            self._submit(state, target)

    def _notify_target(self, state: ConvergenceState, target: TargetState) -> None:
        assert target.live.notify is not None  # noqa: S101 - others are never submitted
        endpoint = _endpoint(state, target)
        with self._scheduler.lock:
            if self._blocked(state, target):
                target.notifying = False
                return
            probe = self._breakers.begin(endpoint)
        serial = state.change.serial
        try:
            answer = self._send(state, target.live.notify, target.live.key)
            self._trigger_transfer(state, target)
        finally:
            with self._scheduler.lock:
                target.notifying = False
        with self._scheduler.lock:
            if answer.rcode is None:
                self._breakers.timed_out(endpoint, answer.text, probe=probe)
            else:
                self._breakers.replied(endpoint)
            target.notify_text = str(answer)
            if answer.accepted:
                target.accepted_serial = serial
            if target.renotify and not state.closed:
                target.renotify = False
                if state.change.serial != serial:
                    self.notify(state)

    def _submit_also(self, state: ConvergenceState, address: Address, attempt: int = 0) -> None:
        job = partial(self._notify_also, state, address, state.notified_serial, attempt)
        priority = Priority.of(state.change)
        self._scheduler.executors.submit(("notify", address), job, priority)

    def _notify_also(
        self, state: ConvergenceState, address: Address, serial: int | None, attempt: int
    ) -> None:
        """Notify one of the also_notifies, and again without a reply, also once the zone is served."""
        answer = self._send(state, address)
        is_recovery = Priority.of(state.change) is Priority.RECOVERY
        if answer.rcode is not None or attempt == len(ALSO_NOTIFY_RETRIES_S) or is_recovery:
            return

        def retry() -> None:
            with self._scheduler.lock:
                current = self._current_state(state.change.zone_id) or state
                if current.notified_serial == serial:
                    self._submit_also(state, address, attempt + 1)

        self._scheduler.after(jittered(ALSO_NOTIFY_RETRIES_S[attempt]), retry)

    def _trigger_transfer(self, state: ConvergenceState, target: TargetState) -> None:
        """Have the server transfer the zone now; an optional speed-up that recovery does without."""
        is_recovery = Priority.of(state.change) is Priority.RECOVERY
        if not target.live.backend.TRIGGERS_TRANSFER or is_recovery or state.pool.by_catalog:
            return
        endpoint = "trigger_transfer", state.pool.name, target.live.label
        with self._scheduler.lock:
            if state.closed or self._breakers.blocked(endpoint, state.change.zone_id, None):
                return
            probe = self._breakers.begin(endpoint)
        error = call_backend(target.live, "trigger_transfer", state.change)
        text = error_text(error)
        if text:
            LOG.debug("zone %s: %s: %s", state.change.zone_id, target.live.label, text)
        with self._scheduler.lock:
            if isinstance(error, errors.BackendUnavailable):
                self._breakers.timed_out(endpoint, text, probe=probe)
            else:
                self._breakers.replied(endpoint)

    def _send(
        self, state: ConvergenceState, address: Address, key: SigningKey | None = None
    ) -> client.NotifyAnswer:
        return client.send_notify(
            address[0],
            address[1],
            state.change.name,
            timeout_s=self._settings.query_timeout_s,
            tcp=self._settings.all_tcp,
            key=key,
        )


def _takes_notify(state: ConvergenceState, target: TargetState) -> bool:
    """Return whether the target wants NOTIFYs and has the zone as far as known."""
    return target.live.notify is not None and (target.done or not state.calls_needed)


def _endpoint(state: ConvergenceState, target: TargetState) -> Endpoint:
    host, port = target.live.notify or ("", 0)
    return "notify", state.pool.name, f"{host}:{port}"
