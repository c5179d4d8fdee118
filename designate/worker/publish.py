"""Tells a zone's targets what is new: backend calls, and NOTIFY until the nameservers follow.

What comes of it is proven by `worker.converge` alone; this half never decides that a zone is served.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from functools import partial
from time import monotonic

from designate import errors
from designate.model.zones import ZoneAnnouncement, ZoneId
from designate.runtime.backoff import jittered
from designate.wire import client
from designate.wire.tsig_keys import SigningKey
from designate.worker.pools import LiveTarget
from designate.worker.scheduling.circuit_breaker import CircuitBreakers, Endpoint
from designate.worker.scheduling.executors import EndpointExecutors
from designate.worker.scheduling.poll_backoff import PollBackoff
from designate.worker.scheduling.timers import Timers
from designate.worker.zone_state import ConvergenceSettings, TargetState, ZoneState

LOG = logging.getLogger(__name__)

NOTIFY_GAP_S = 0.01
NOTIFY_AGAIN_S = (0.2, 0.5, 1.0, 2.0, 4.0)
# For whom only the NOTIFY is known, and nothing of what comes of it.
OTHERS_AGAIN_S = (1.0, 4.0)
CREATE_GRACE_S = 5.0
MAX_RESTORATIONS = 6


class Publisher:
    """Public methods are called with `lock` held and never block.

    reached: called, with the lock held, when a target's backend has done its part.
    current: the state that a zone has now. backoff: how many are on their way.
    """

    def __init__(
        self,
        settings: ConvergenceSettings,
        executors: EndpointExecutors,
        timers: Timers,
        lock: threading.RLock,
        breakers: CircuitBreakers,
        reached: Callable[[ZoneState], None],
        current: Callable[[ZoneId], ZoneState | None],
        backoff: PollBackoff,
    ) -> None:
        self._settings = settings
        self._executors = executors
        self._timers = timers
        self._lock = lock
        self._breakers = breakers
        self._reached = reached
        self._current = current
        self._backoff = backoff
        # At most one call per zone and target, whatever state it belongs to: a server that is told
        # two things about a zone at once may end up with the older one.
        self._calling: set[tuple[ZoneId, Hashable]] = set()

    def begin(self, state: ZoneState) -> None:
        """Tell every target of a new state."""
        self._call_targets(state)
        if not state.calls:
            self._notify(state)

    def follow(self, state: ZoneState) -> None:
        """Tell every target that knows the zone of a newer change."""
        state.notify_rounds = 0
        if not state.calls_needed or any(target.done for target in state.targets):
            self._notify(state)

    def restore(self, state: ZoneState) -> None:
        """A server that should have the zone does not know it (it was rebuilt, or a creation was
        lost): create it there again, less often each time."""
        if state.pool.by_catalog:
            return  # The server makes its zones by itself, sooner or later.
        under_way = state.calls and not all(target.done for target in state.targets)
        if under_way or monotonic() < state.restore_after:
            return
        state.restorations = min(state.restorations + 1, MAX_RESTORATIONS)
        state.calls, state.calls_needed = "create", False
        for target in state.targets:
            target.done = False
        LOG.info("zone %s is missing on a nameserver and is created again", state.change.zone_id)
        self._call_targets(state)

    def _call_targets(self, state: ZoneState) -> None:
        for target in state.targets:
            if state.calls and not target.done:
                self._submit_call(state, target, state.calls)

    def _submit_call(self, state: ZoneState, target: TargetState, verb: str) -> None:
        call = (state.change.zone_id, target.live.executor)
        if state.closed or call in self._calling or self._holds_call(state, target, verb):
            return
        self._calling.add(call)
        step = partial(self._call, state, target, verb)
        if not self._executors.submit(target.live.executor, step, later=state.change.again):
            self._calling.discard(call)
            target.error, target.refused = "too much is waiting for this target", False
            again = monotonic() + jittered(self._settings.max_retry_s)
            self._timers.at(again, partial(self._call_again, state))

    def _holds_call(self, state: ZoneState, target: TargetState, verb: str) -> bool:
        """Whether nobody answers the target's calls, so that the zone waits until somebody does."""
        resume = partial(self._submit_call, state, target, verb)
        why = self._breakers.holds(_call_endpoint(state, target), state.change.zone_id, resume)
        if why:
            target.error, target.refused = why, False
        return bool(why)

    def _call(self, state: ZoneState, target: TargetState, verb: str) -> None:
        endpoint = _call_endpoint(state, target)
        with self._lock:
            waits = state.closed or self._holds_call(state, target, verb)
            probe = not waits and self._breakers.asks(endpoint)
        error = None if waits else _tell_backend(target.live, verb, state.change)
        with self._lock:
            self._calling.discard((state.change.zone_id, target.live.executor))
            if isinstance(error, errors.BackendUnavailable):
                self._breakers.silent(endpoint, _text(error), probe=probe)
            elif not waits:
                self._breakers.answered(endpoint)
            if not (waits or state.closed):
                self._called(state, target, verb, error)
            # What had to wait for this call: that of a later state, or another verb.
            current = self._current(state.change.zone_id)
            if current is not None and (current is not state or verb != state.calls):
                self._call_targets(current)

    def _called(
        self, state: ZoneState, target: TargetState, verb: str, error: errors.DesignateError | None
    ) -> None:
        problem = _text(error)
        if problem and problem != target.error:
            LOG.warning("zone %s: %s: %s", state.change.zone_id, target.live.label, problem)
        target.error = problem
        target.refused = bool(problem) and not isinstance(error, errors.BackendUnavailable)
        if problem and verb != "update":
            target.attempts = min(target.attempts + 1, 16)
            delay_s = min(self._settings.max_retry_s, self._settings.retry_s * 2**target.attempts)
            self._timers.at(monotonic() + jittered(delay_s), partial(self._call_again, state))
        elif not problem:
            target.done = True
            state.restore_after = monotonic() + CREATE_GRACE_S * 2**state.restorations
            if not state.deleting:
                self._notify(state)
            self._reached(state)

    def _call_again(self, state: ZoneState) -> None:
        with self._lock:
            self._call_targets(state)

    def _renew(self, state: ZoneState) -> None:
        """The nameservers know the zone and do not follow: their settings for it may be old."""
        state.renewed = True
        for target in state.targets:
            self._submit_call(state, target, "update")

    def _notify(self, state: ZoneState) -> None:
        """Tell the targets, at most once per NOTIFY_GAP_S, so that quick changes share one."""
        now = monotonic()
        if now - state.notify_at < NOTIFY_GAP_S:
            if state.notify_due is None:
                state.notify_due = state.notify_at + NOTIFY_GAP_S
                self._timers.at(state.notify_due, partial(self._notify_due, state))
            return
        state.notify_at = now
        waits = False
        for target in state.targets:
            if target.live.notify is None or (state.calls_needed and not target.done):
                continue
            waits = True
            if target.notifying:
                target.notify_again = True
                continue
            self._submit_notify(state, target)
        if state.notified_serial != state.change.serial:
            state.notified_serial = state.change.serial
            for other in state.pool.also_notifies:
                self._submit_other(state, (other.host, other.port))
        if waits:
            again_s = NOTIFY_AGAIN_S[min(state.notify_rounds, len(NOTIFY_AGAIN_S) - 1)]
            if state.notify_rounds:
                again_s = max(again_s, self._backoff.pace_s(state.pool.id))
            state.notify_rounds += 1
            self._timers.at(now + jittered(again_s), partial(self._notify_lost, state, now))

    def _notify_due(self, state: ZoneState) -> None:
        with self._lock:
            state.notify_due = None
            if not state.closed:
                self._notify(state)

    def _notify_lost(self, state: ZoneState, sent_at: float) -> None:
        """A datagram may be lost: while a nameserver lags, tell it again."""
        with self._lock:
            if state.closed or state.notify_at != sent_at:
                return
            if any(state.lags(server) for server in state.servers):
                self._notify(state)
                if state.notify_rounds >= len(NOTIFY_AGAIN_S) and not (
                    state.calls or state.renewed
                ):
                    self._renew(state)

    def _submit_notify(self, state: ZoneState, target: TargetState) -> None:
        if self._holds(state, target):
            return
        step = partial(self._notify_target, state, target)
        executor = ("notify", target.live.notify)
        target.notifying = self._executors.submit(executor, step, later=state.change.again)

    def _holds(self, state: ZoneState, target: TargetState) -> bool:
        """Whether the server is silent, so that the zone waits until it is not."""
        resume = None if state.closed else partial(self._notify_held, state, target)
        why = self._breakers.holds(_endpoint(state, target), state.change.zone_id, resume)
        target.notify_text = why or target.notify_text
        return bool(why)

    def _notify_held(self, state: ZoneState, target: TargetState) -> None:
        lags = any(state.lags(server) for server in state.servers)
        if lags and not (state.closed or target.notifying):
            self._submit_notify(state, target)

    def _notify_target(self, state: ZoneState, target: TargetState) -> None:
        assert target.live.notify is not None  # noqa: S101 - only such targets are told
        endpoint = _endpoint(state, target)
        with self._lock:
            if self._holds(state, target):
                target.notifying = False
                return
            probe = self._breakers.asks(endpoint)
        serial = state.change.serial
        try:
            answer = self._tell(state, target.live.notify, target.live.key)
            self._trigger_transfer(state, target)
        finally:
            with self._lock:
                target.notifying = False
        with self._lock:
            if answer.rcode is None:
                self._breakers.silent(endpoint, answer.text, probe=probe)
            else:
                self._breakers.answered(endpoint)
            target.notify_text = str(answer)
            if answer.accepted:
                target.told = serial
            if target.notify_again and not state.closed:
                target.notify_again = False
                if state.change.serial != serial:
                    self._notify(state)

    def _submit_other(self, state: ZoneState, address: tuple[str, int], round_: int = 0) -> None:
        tell = partial(self._tell_other, state, address, state.notified_serial, round_)
        self._executors.submit(("notify", address), tell, later=state.change.again)

    def _tell_other(
        self, state: ZoneState, address: tuple[str, int], serial: int | None, round_: int
    ) -> None:
        """Once more if no answer comes, whether or not the zone is served meanwhile."""
        answer = self._tell(state, address)
        if answer.rcode is not None or round_ == len(OTHERS_AGAIN_S) or state.change.again:
            return

        def again() -> None:
            with self._lock:
                now = self._current(state.change.zone_id) or state
                if now.notified_serial == serial:
                    self._submit_other(state, address, round_ + 1)

        self._timers.at(monotonic() + jittered(OTHERS_AGAIN_S[round_]), again)

    def _trigger_transfer(self, state: ZoneState, target: TargetState) -> None:
        """Nothing depends on it, so zones that nobody waits for go without."""
        backend = target.live.backend
        if not backend.TRIGGERS_TRANSFER or state.change.again or state.pool.by_catalog:
            return
        endpoint = "trigger_transfer", state.pool.name, target.live.label
        with self._lock:
            if state.closed or self._breakers.holds(endpoint, state.change.zone_id, None):
                return
            probe = self._breakers.asks(endpoint)
        error = _tell_backend(target.live, "trigger_transfer", state.change)
        if error is not None:
            LOG.debug("zone %s: %s: %s", state.change.zone_id, target.live.label, _text(error))
        with self._lock:
            if isinstance(error, errors.BackendUnavailable):
                self._breakers.silent(endpoint, _text(error), probe=probe)
            else:
                self._breakers.answered(endpoint)

    def _tell(
        self, state: ZoneState, address: tuple[str, int], key: SigningKey | None = None
    ) -> client.NotifyAnswer:
        return client.send_notify(
            address[0],
            address[1],
            state.change.name,
            timeout_s=self._settings.query_timeout_s,
            tcp=self._settings.all_tcp,
            key=key,
        )


def _endpoint(state: ZoneState, target: TargetState) -> Endpoint:
    host, port = target.live.notify or ("", 0)
    return "notify", state.pool.name, f"{host}:{port}"


def _call_endpoint(state: ZoneState, target: TargetState) -> Endpoint:
    return "call", state.pool.name, target.live.label


def _text(error: errors.DesignateError | None) -> str:
    return "" if error is None else error.message or error.type


def _tell_backend(
    target: LiveTarget, verb: str, change: ZoneAnnouncement
) -> errors.DesignateError | None:
    """What went wrong."""
    backend = target.backend
    try:
        if verb == "delete":
            backend.delete_zone(change, hard_delete=change.hard_delete)
        elif verb == "create":
            backend.create_zone(change)
        elif verb == "trigger_transfer":
            backend.trigger_transfer(change)
        else:
            backend.update_zone(change)
    except errors.DesignateError as error:
        return error
    except Exception as error:
        # Backends are plug-ins: what they let through must not end the zone's retries.
        LOG.exception("zone %s: %s failed", change.zone_id, target.label)
        return errors.BackendError(f"{verb} failed with {type(error).__name__}")
    return None
