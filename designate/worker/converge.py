"""Drives each zone until its nameservers are proven to have it.

Nothing here blocks: a zone is a small state, moved on by answers, hints and timers. The calls that
take time run in executors, one per destination. `worker.publish` tells the servers; here they are asked,
and the SOA answer is the only proof that counts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic

from designate import errors, metrics
from designate.context import admin_context
from designate.model.pools import Nameserver
from designate.model.zones import Action, Outcome, ZoneAnnouncement, ZoneId, ZoneReport, newest
from designate.rpc.clients import CentralClient
from designate.runtime.backoff import jittered
from designate.wire import client, resolver
from designate.worker.pools import LivePool
from designate.worker.publish import Publisher
from designate.worker.scheduling.admission import AdmissionLimit
from designate.worker.scheduling.circuit_breaker import CircuitBreakers, Endpoint
from designate.worker.scheduling.executors import EndpointExecutors
from designate.worker.scheduling.poll_backoff import PollBackoff
from designate.worker.scheduling.timers import Timers
from designate.worker.zone_state import (
    ConvergenceSettings,
    ServerState,
    ZoneState,
    first_delay_s,
    new_state,
    transfers,
)

LOG = logging.getLogger(__name__)

HINTED_DELAY_S = 0.004
MAX_DELAY_S = 5.0


@dataclass(frozen=True, slots=True)
class DesiredState:
    """repair: the zone was served once and is found to have drifted."""

    change: ZoneAnnouncement
    pool: LivePool
    repair: bool


class Converger:
    """Thread-safe. dropped: changes of zones beyond the bound, which are left to the sweep."""

    def __init__(self, central: CentralClient, settings: ConvergenceSettings) -> None:
        self._central = central
        self._settings = settings
        self._executors = EndpointExecutors()
        self._timers = Timers()
        self._lock = threading.RLock()
        self._states: dict[str, ZoneState] = {}
        self._breakers = CircuitBreakers(self._timers, self._lock)
        self._backoff = PollBackoff(settings.polls_per_s)
        self._admission = AdmissionLimit(self._begin)
        self._publisher = Publisher(
            settings,
            self._executors,
            self._timers,
            self._lock,
            self._breakers,
            self._reached,
            self._states.get,
            self._backoff,
        )
        self.dropped = 0

    def start(self) -> None:
        self._timers.start()
        self._expire()

    def stop(self) -> None:
        self._timers.stop()
        self._executors.stop(timeout_s=5)

    def later(self, delay_s: float, step: Callable[[], object]) -> None:
        """Run a short step after a while."""
        self._timers.at(monotonic() + delay_s, step)

    def __len__(self) -> int:
        return len(self._states) + len(self._admission)

    def waits(self, zone_id: ZoneId) -> bool:
        """Whether the zone is on its way to its nameservers."""
        return zone_id in self._states or self._admission.waiting(zone_id) is not None

    def want(self, change: ZoneAnnouncement, pool: LivePool, *, repair: bool = False) -> None:
        """Make this the zone's wanted state, unless a newer one is wanted already.

        What is wanted already is not begun again: the recovery sweep repeats changes, and of these
        only so many are on their way at once.
        """
        if not pool.nameservers:
            state = new_state(change, pool, self._settings, monotonic())
            self._send(state.failure("the pool has no nameservers, so nothing proves the change"))
            return
        with self._lock:
            old, waiting = self._states.get(change.zone_id), self._admission.waiting(change.zone_id)
            most = self._settings.max_zones
            # Half of the room is kept for new changes.
            most = most // 2 if change.again else most
            if old is None and waiting is None and len(self) >= most:
                self._drop()
                return
            if waiting is not None:
                change, repair = newest(waiting.change, change), repair or waiting.repair
            if old is not None:
                change = newest(old.change, change)
                same_way = old.change.withdrawn == change.withdrawn
                if (
                    old.pool == pool
                    and same_way
                    and old.deleting == (change.action is Action.DELETE)
                ):
                    self._follow(old, change)
                    return
                self._close(old)
            wanted = DesiredState(change, pool, repair)
            if not change.again:
                self._admission.leaves(change.zone_id)
                self._begin(wanted)
            elif self._admission.enters(pool.id, change.zone_id, wanted):
                self._begin(wanted)

    def _drop(self) -> None:
        self.dropped += 1
        metrics.QUEUE_DROPPED.labels("zones").inc()
        if self.dropped == 1 or self.dropped % 1000 == 0:
            LOG.warning("too many zones wait; %d changes left to the sweep so far", self.dropped)

    def _begin(self, wanted: DesiredState) -> None:
        state = new_state(wanted.change, wanted.pool, self._settings, monotonic())
        state.repair = wanted.repair
        self._states[wanted.change.zone_id] = state
        self._backoff.enters(wanted.pool.id, wanted.change.zone_id)
        self._publisher.begin(state)
        for server in state.servers:
            self._poll_in(state, server, server.delay_s)

    def _follow(self, state: ZoneState, change: ZoneAnnouncement) -> None:
        """The state goes on with a newer change. Its deadline stays: it is that of the oldest
        change that is not served, which only progress puts off."""
        is_news = change.revision != state.change.revision
        state.change = change
        if not is_news:
            return
        state.since = monotonic()
        state.steps.append((change.serial, change.revision))
        self._publisher.follow(state)
        for server in state.servers:
            server.delay_s = first_delay_s(state.pool, self._settings)
            self._poll_in(state, server, server.delay_s)

    def hint(self, zone_id: str, peer: str) -> None:
        """A nameserver has just been given the zone: ask it now."""
        with self._lock:
            state = self._states.get(zone_id)
            servers = list(state.servers) if state is not None else []
        # Outside the lock, since names may have to be looked up.
        addressed = [s for s in servers if peer in resolver.addresses(s.nameserver.host)]
        with self._lock:
            for server in addressed or servers:
                if state is not None and not state.closed:
                    if addressed:
                        self._breakers.alive(_endpoint(state.pool, server.nameserver))
                    server.delay_s = HINTED_DELAY_S
                    self._poll(state, server)

    def ask(
        self,
        change: ZoneAnnouncement,
        pool: LivePool,
        nameserver: Nameserver,
        tell: Callable[[client.SoaAnswer], object],
        *,
        later: bool = False,
    ) -> None:
        """Ask a nameserver about a zone, whatever is wanted of it. tell: called once with the answer,
        which is a silent one where the server is known to be silent or too much waits. later: behind
        all that is on its way."""
        executor = ("query", nameserver.host, nameserver.port)
        job = partial(self._ask_once, change, pool, nameserver, tell)
        if not self._executors.submit(executor, job, later=later):
            tell(_unasked("too many queries wait"))

    def _ask_once(
        self,
        change: ZoneAnnouncement,
        pool: LivePool,
        nameserver: Nameserver,
        tell: Callable[[client.SoaAnswer], object],
    ) -> None:
        endpoint = _endpoint(pool, nameserver)
        with self._lock:
            held = self._breakers.holds(endpoint, change.zone_id, None)
            probe = not held and self._breakers.asks(endpoint)
        if held:
            tell(_unasked(held))
            return
        answer = self._query(change, pool, nameserver)
        with self._lock:
            self._heard(endpoint, answer, probe=probe)
        tell(answer)

    def _query(
        self, change: ZoneAnnouncement, pool: LivePool, nameserver: Nameserver
    ) -> client.SoaAnswer:
        return client.query_soa(
            nameserver.host,
            nameserver.port,
            change.name,
            self._settings.query_timeout_s,
            tcp=self._settings.all_tcp,
            key=pool.key_of(nameserver),
        )

    def _heard(self, endpoint: Endpoint, answer: client.SoaAnswer, *, probe: bool) -> None:
        if answer.unreachable:
            self._breakers.silent(endpoint, answer.text, probe=probe)
        else:
            self._breakers.answered(endpoint)

    def _reached(self, state: ZoneState) -> None:
        """A target has done what it was told, so the nameservers may know already, or soon where they
        have to transfer first."""
        later = not state.deleting and transfers(state.pool)
        for server in state.servers:
            server.delay_s = min(server.delay_s, HINTED_DELAY_S)
            if later:
                self._poll_in(state, server, self._paced_s(state, server))
            else:
                self._poll(state, server)

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
        server.due = None
        if self._holds(state, server):
            return
        server.asking = True
        nameserver = server.nameserver
        executor = ("query", nameserver.host, nameserver.port)
        if not self._executors.submit(
            executor, partial(self._ask, state, server), later=state.change.again
        ):
            server.asking = False
            self._poll_in(state, server, MAX_DELAY_S)

    def _holds(self, state: ZoneState, server: ServerState) -> bool:
        """Whether the server is silent, so that the zone waits until it is not."""
        resume = partial(self._poll, state, server)
        why = self._breakers.holds(
            _endpoint(state.pool, server.nameserver), state.change.zone_id, resume
        )
        if why and server.answer is None:
            server.answer = client.SoaAnswer(state=client.SoaState.UNKNOWN, text=why)
        return bool(why)

    def _ask(self, state: ZoneState, server: ServerState) -> None:
        endpoint = _endpoint(state.pool, server.nameserver)
        with self._lock:
            if state.closed:
                return
            if self._holds(state, server):
                server.asking = False
                return
            probe = self._breakers.asks(endpoint)
        answer = self._query(state.change, state.pool, server.nameserver)
        report: ZoneReport | None = None
        with self._lock:
            server.asking = False
            self._heard(endpoint, answer, probe=probe)
            if state.closed:
                return
            lagged = state.lags(server)
            server.answer = answer
            if lagged:
                measure(state, server)
            report = state.outcome()
            if report is not None:
                self._reported(state, report)
            if not state.closed:
                self._go_on(state, server)
        if report is not None:
            self._send(report)

    def _send(self, report: ZoneReport) -> None:
        try:
            self._central.status.report(admin_context(), report)
        except errors.DesignateError as error:
            LOG.warning("zone %s: its report was refused: %s", report.zone_id, error)

    def _reported(self, state: ZoneState, report: ZoneReport) -> None:
        if report.outcome is Outcome.ABSENT or report.revision >= state.change.revision:
            self._close(state)
            if state.repair and report.outcome is Outcome.SERVED:
                metrics.REPAIRED.labels(state.pool.name).inc()
        state.deadline = monotonic() + self._settings.deadline_s
        while state.steps and state.steps[0][1] <= report.revision:
            state.steps.popleft()

    def _go_on(self, state: ZoneState, server: ServerState) -> None:
        if not state.deleting and server.absent:
            self._publisher.restore(state)
        if server.again:
            server.again = False
            self._poll(state, server)
        elif state.lags(server):
            server.delay_s = min(MAX_DELAY_S, max(HINTED_DELAY_S, server.delay_s * 2))
            self._poll_in(state, server, jittered(self._paced_s(state, server)))

    def _paced_s(self, state: ZoneState, server: ServerState) -> float:
        return max(server.delay_s, self._backoff.pace_s(state.pool.id))

    def _expire(self) -> None:
        """Give up what is past its deadline, and look again. One look at all states costs less than
        a timer for each, most of which would outlive their zone's state by far."""
        self.later(min(1.0, self._settings.deadline_s / 10), self._expire)
        with self._lock:
            now = monotonic()
            expired = [state for state in self._states.values() if state.deadline <= now]
            for state in expired:
                metrics.UNSERVED.labels(state.pool.name).inc()
                self._close(state)
            self._breakers.look()
            self._admission.look()
        for state in expired:
            self._send(state.given_up())

    def _close(self, state: ZoneState) -> None:
        state.closed = True
        if self._states.get(state.change.zone_id) is state:
            del self._states[state.change.zone_id]
            self._backoff.leaves(state.pool.id, state.change.zone_id)
            self._breakers.forget(state.change.zone_id)
            self._admission.leaves(state.change.zone_id)


def _unasked(why: str) -> client.SoaAnswer:
    return client.SoaAnswer(state=client.SoaState.UNKNOWN, text=why, unreachable=True)


def _endpoint(pool: LivePool, nameserver: Nameserver) -> Endpoint:
    return "query", pool.name, nameserver.label


def measure(state: ZoneState, server: ServerState) -> None:
    """Record what the answer of a nameserver that was behind says."""
    labels = (state.pool.name, server.nameserver.label)
    if not state.lags(server):
        metrics.CONVERGENCE_SECONDS.labels(*labels).observe(monotonic() - state.since)
        metrics.SERIAL_LAG.labels(*labels).set(0)
    elif server.serial:
        metrics.SERIAL_LAG.labels(*labels).set((state.change.serial - server.serial) % 2**32)
