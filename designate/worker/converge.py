"""Drives each zone until its nameservers are proven to have it: backend calls, NOTIFY, SOA polls.

Nothing here blocks: a zone is a small state, moved on by answers, hints and timers. The calls that
take time run in lanes, one per destination. The SOA answer is the only proof that counts.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic

from designate import errors
from designate.context import admin_context
from designate.model.zones import Action, Outcome, ZoneChange, ZoneReport
from designate.rpc.clients import CentralClient
from designate.wire import client
from designate.worker.lanes import Lanes
from designate.worker.mailbox import newest
from designate.worker.pools import LivePool
from designate.worker.timers import Timers
from designate.worker.zonestate import ServerState, TargetState, ZoneState, new_state

LOG = logging.getLogger(__name__)

HINTED_DELAY_S = 0.004
LONGEST_DELAY_S = 5.0
NOTIFY_GAP_S = 0.01
NOTIFY_AGAIN_S = (0.2, 0.5, 1.0, 2.0, 4.0)
CREATE_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds."""

    threshold_percentage: int
    deadline_s: float
    query_timeout_s: float
    first_poll_s: float
    retry_s: float
    all_tcp: bool


def _jitter(delay_s: float) -> float:
    return delay_s * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing


class Converger:
    """Thread-safe."""

    def __init__(self, central: CentralClient, settings: Settings) -> None:
        self._central = central
        self._settings = settings
        self._lanes = Lanes()
        self._timers = Timers()
        self._lock = threading.RLock()
        self._states: dict[str, ZoneState] = {}

    def start(self) -> None:
        self._timers.start()

    def stop(self) -> None:
        self._timers.stop()
        self._lanes.stop(timeout_s=5)

    def later(self, delay_s: float, step: Callable[[], object]) -> None:
        """Run a short step after a while."""
        self._timers.at(monotonic() + delay_s, step)

    def __len__(self) -> int:
        return len(self._states)

    def want(self, change: ZoneChange, pool: LivePool) -> None:
        """Make this the zone's wanted state, unless a newer one is wanted already."""
        with self._lock:
            old = self._states.get(change.zone_id)
            if old is not None:
                change = newest(old.change, change)
            same = (
                old is not None
                and old.pool is pool
                and old.deleting == (change.action is Action.DELETE)
            )
            if old is not None and same:
                state = old
                state.steps.append((change.serial, change.revision))
                state.change = change
            else:
                if old is not None:
                    old.closed = True
                state = self._new(change, pool)
                self._states[change.zone_id] = state
            state.deadline = monotonic() + self._settings.deadline_s
            state.notify_rounds = 0
            self._timers.at(state.deadline, partial(self._expire, state))
            self._call_targets(state)
            if not state.calls:
                self._notify(state)
            for server in state.servers:
                server.delay_s = self._first_delay(pool)
                self._poll_in(state, server, server.delay_s)

    def _new(self, change: ZoneChange, pool: LivePool) -> ZoneState:
        return new_state(
            change,
            pool,
            threshold_percentage=self._settings.threshold_percentage,
            deadline=0.0,
            first_delay_s=self._first_delay(pool),
        )

    def _first_delay(self, pool: LivePool) -> float:
        """Where nothing has to be transferred there is nothing to wait for."""
        transfers = any(target.notify is not None for target in pool.targets)
        return self._settings.first_poll_s if transfers else 0.0

    def hint(self, zone_id: str, peer: str) -> None:
        """A nameserver has just been given the zone: ask it now."""
        with self._lock:
            state = self._states.get(zone_id)
            if state is None:
                return
            addressed = [
                server
                for server in state.servers
                if server.nameserver.host == peer
                or peer in client.addresses(server.nameserver.host)
            ]
            for server in addressed or state.servers:
                server.delay_s = HINTED_DELAY_S
                self._poll(state, server)

    # -- backends --------------------------------------------------------------------------------

    def _call_targets(self, state: ZoneState) -> None:
        for target in state.targets:
            if state.calls and not target.done and not target.calling:
                target.calling = True
                if not self._lanes.submit(target.live.lane, partial(self._call, state, target)):
                    target.calling = False
                    target.error = "too much is waiting for this target"

    def _call(self, state: ZoneState, target: TargetState) -> None:
        change, backend, problem = state.change, target.live.backend, ""
        try:
            if state.closed:
                return
            if state.calls == "delete":
                backend.delete_zone(change, hard_delete=change.hard_delete)
            else:
                backend.create_zone(change)
        except errors.DesignateError as error:
            problem = error.message or error.type
        finally:
            with self._lock:
                target.calling = False
                target.error = problem
        with self._lock:
            if problem:
                target.attempts += 1
                delay_s = min(30.0, self._settings.retry_s * 2**target.attempts)
                LOG.warning("zone %s: %s: %s", change.zone_id, target.live.label, problem)
                self._timers.at(monotonic() + _jitter(delay_s), partial(self._call_again, state))
                return
            target.done = True
            state.created_at = monotonic()
            if not state.deleting:
                self._notify(state)
            for server in state.servers:
                server.delay_s = min(server.delay_s, HINTED_DELAY_S)
                self._poll(state, server)

    def _call_again(self, state: ZoneState) -> None:
        with self._lock:
            if not state.closed:
                self._call_targets(state)

    # -- NOTIFY ----------------------------------------------------------------------------------

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
            if target.live.notify is None or (state.calls and not target.done):
                continue
            waits = True
            if target.notifying:
                target.call_again = True
                continue
            target.notifying = True
            self._submit_notify(state, target)
        if state.notified_serial != state.change.serial:
            state.notified_serial = state.change.serial
            for other in state.pool.also_notifies:
                address = (other.host, other.port)
                self._lanes.submit(("notify", address), partial(self._tell, state, address))
        if waits:
            rounds = min(state.notify_rounds, len(NOTIFY_AGAIN_S) - 1)
            state.notify_rounds += 1
            self._timers.at(
                now + _jitter(NOTIFY_AGAIN_S[rounds]), partial(self._notify_lost, state, now)
            )

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

    def _submit_notify(self, state: ZoneState, target: TargetState) -> None:
        step = partial(self._notify_target, state, target)
        if not self._lanes.submit(("notify", target.live.notify), step):
            target.notifying = False

    def _notify_target(self, state: ZoneState, target: TargetState) -> None:
        assert target.live.notify is not None  # noqa: S101 - only such targets are told
        serial = state.change.serial
        try:
            answer = self._tell(state, target.live.notify)
        finally:
            with self._lock:
                target.notifying = False
        with self._lock:
            target.notify_text = str(answer)
            target.notified = serial
            if target.call_again and not state.closed:
                target.call_again = False
                if state.change.serial != serial:
                    self._notify(state)

    def _tell(self, state: ZoneState, address: tuple[str, int]) -> client.NotifyAnswer:
        return client.send_notify(
            address[0],
            address[1],
            state.change.name,
            timeout_s=self._settings.query_timeout_s,
            tcp=self._settings.all_tcp,
        )

    # -- polling ---------------------------------------------------------------------------------

    def _poll_in(self, state: ZoneState, server: ServerState, delay_s: float) -> None:
        due = monotonic() + delay_s
        if server.due is not None and server.due <= due and not server.asking:
            return
        server.due = due
        self._timers.at(due, partial(self._poll_due, state, server, due))

    def _poll_due(self, state: ZoneState, server: ServerState, due: float) -> None:
        with self._lock:
            if server.due == due:
                server.due = None
                self._poll(state, server)

    def _poll(self, state: ZoneState, server: ServerState) -> None:
        if state.closed:
            return
        if server.asking:
            server.again = True
            return
        server.asking = True
        server.due = None
        nameserver = server.nameserver
        lane = ("query", nameserver.host, nameserver.port)
        if not self._lanes.submit(lane, partial(self._ask, state, server)):
            server.asking = False
            self._poll_in(state, server, LONGEST_DELAY_S)

    def _ask(self, state: ZoneState, server: ServerState) -> None:
        if state.closed:
            return
        answer = client.query_soa(
            server.nameserver.host,
            server.nameserver.port,
            state.change.name,
            self._settings.query_timeout_s,
            tcp=self._settings.all_tcp,
        )
        report: ZoneReport | None = None
        with self._lock:
            server.asking = False
            if state.closed:
                return
            server.answer = answer
            report = state.outcome()
            if report is not None:
                self._reported(state, report)
            if not state.closed:
                self._go_on(state, server)
        if report is not None:
            self._central.status.report(admin_context(), report)

    def _reported(self, state: ZoneState, report: ZoneReport) -> None:
        if report.outcome is Outcome.ABSENT or report.revision >= state.change.revision:
            self._close(state)
        while state.steps and state.steps[0][1] <= report.revision:
            state.steps.popleft()

    def _go_on(self, state: ZoneState, server: ServerState) -> None:
        if not state.deleting and server.absent:
            self._restore(state)
        if server.again:
            server.again = False
            self._poll(state, server)
        elif state.lags(server):
            server.delay_s = min(LONGEST_DELAY_S, max(HINTED_DELAY_S, server.delay_s * 2))
            self._poll_in(state, server, _jitter(server.delay_s))

    def _restore(self, state: ZoneState) -> None:
        """A server that should have the zone does not know it (it was rebuilt, or a creation was
        lost): create it there again, less often each time."""
        now = monotonic()
        if any(target.calling for target in state.targets):
            return
        if state.calls and (
            not all(target.done for target in state.targets)
            or now - state.created_at < CREATE_GRACE_S * 2**state.recreations
        ):
            return
        if state.calls:
            state.recreations = min(state.recreations + 1, 6)
        state.calls = "create"
        for target in state.targets:
            target.done = False
        LOG.info("zone %s is missing on a nameserver and is created again", state.change.zone_id)
        self._call_targets(state)

    def _expire(self, state: ZoneState) -> None:
        with self._lock:
            if state.closed or monotonic() < state.deadline:
                return
            self._close(state)
        why = "the pool has no nameservers" if not state.servers else "not served in time"
        self._central.status.report(admin_context(), state.failure(why))

    def _close(self, state: ZoneState) -> None:
        state.closed = True
        if self._states.get(state.change.zone_id) is state:
            del self._states[state.change.zone_id]
