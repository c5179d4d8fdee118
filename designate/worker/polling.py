"""Polls nameservers for SOA records until a zone's state is proven."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from designate import metrics
from designate.model.pools import Nameserver
from designate.model.zones import ZoneAnnouncement, ZoneReport, ZoneType
from designate.runtime.backoff import jittered
from designate.wire import client, comparison
from designate.worker.pools import LivePool
from designate.worker.proof import DataProof, JudgingRules, is_ahead, needs_data
from designate.worker.scheduling.circuit_breaker import Endpoint
from designate.worker.scheduling.convergence import ConvergenceScheduler
from designate.worker.scheduling.priority import Priority
from designate.worker.server_state import ServerState
from designate.worker.settings import ConvergenceSettings
from designate.worker.zone_state import ConvergenceState, first_delay_s, transfers

OnAnswer = Callable[[client.SoaAnswer, DataProof | None], object]
HINTED_DELAY_S = 0.004
MAX_DELAY_S = 5.0


class Poller:
    """Sends SOA queries; polls of one zone and nameserver never overlap.

    Methods that take a state are called with the scheduler's lock held and never block.
    """

    def __init__(
        self,
        settings: ConvergenceSettings,
        scheduler: ConvergenceScheduler,
        evaluate: Callable[[ConvergenceState, ServerState], ZoneReport | None],
        send: Callable[[ZoneReport], None],
    ) -> None:
        """Create the poller.

        Args:
            settings: the worker's settings.
            scheduler: the shared scheduling parts.
            evaluate: called with the lock held after each answer; returns what the answers prove.
            send: called without the lock with what `evaluate` returned.
        """
        self._settings = settings
        self._scheduler = scheduler
        self._breakers = scheduler.breakers
        self._evaluate = evaluate
        self._send = send

    def start(self, state: ConvergenceState) -> None:
        """Poll all nameservers, at first after the delay in which they can transfer the zone."""
        for server in state.servers:
            server.delay_s = first_delay_s(state.pool, self._settings)
            self._poll_in(state, server, server.delay_s)

    def target_done(self, state: ConvergenceState) -> None:
        """Poll early: a target's back end call succeeded, so nameservers may have the zone."""
        transfer_follows = not state.deleting and transfers(state.pool)
        for server in state.servers:
            server.delay_s = min(server.delay_s, HINTED_DELAY_S)
            if transfer_follows:
                self._poll_in(state, server, self._next_delay_s(state, server))
            else:
                self._poll(state, server)

    def poll_hinted(self, state: ConvergenceState, server: ServerState, *, known: bool) -> None:
        """Poll now: the zone has just been transferred, by this server if `known`."""
        if known:
            self._breakers.allow_next(_endpoint(state.pool, server.nameserver))
        server.delay_s = HINTED_DELAY_S
        self._poll(state, server)

    def query(
        self,
        change: ZoneAnnouncement,
        pool: LivePool,
        nameserver: Nameserver,
        on_answer: OnAnswer,
        priority: Priority,
        *,
        with_data: bool,
    ) -> None:
        """Query a nameserver once, whatever the zone's state; never blocks.

        Args:
            change: names the zone.
            pool: the nameserver's pool.
            nameserver: the server to query.
            on_answer: called once with the answer, which is a unreachable one where the server is known
                to be unreachable or its queue is full, and with the comparison with the change's
                sample, if it was made.
            priority: CHANGE where a caller waits for the answer.
            with_data: compare the sample too, where the answer allows it.
        """
        job = partial(self._query_once, change, pool, nameserver, on_answer, with_data=with_data)
        if not self._scheduler.executors.submit(_executor_key(nameserver), job, priority):
            on_answer(_not_queried("query queue full"), None)

    def _query_once(
        self,
        change: ZoneAnnouncement,
        pool: LivePool,
        nameserver: Nameserver,
        on_answer: OnAnswer,
        *,
        with_data: bool,
    ) -> None:
        endpoint = _endpoint(pool, nameserver)
        with self._scheduler.lock:
            reason = self._breakers.blocked(endpoint, change.zone_id, None)
            probe = not reason and self._breakers.begin(endpoint)
        if reason:
            on_answer(_not_queried(reason), None)
            return
        asker = self._asker(pool, nameserver)
        answer = _soa(asker, change)
        data = (
            _compare(asker, change, pool.rules_of(nameserver, change), answer)
            if with_data
            else None
        )
        with self._scheduler.lock:
            self._record(endpoint, answer, probe=probe)
        on_answer(answer, data)

    def _asker(self, pool: LivePool, nameserver: Nameserver) -> comparison.Asker:
        return comparison.Asker(
            nameserver.host,
            nameserver.port,
            pool.key_of(nameserver),
            self._settings.query_timeout_s,
            self._settings.all_tcp,
        )

    def _record(self, endpoint: Endpoint, answer: client.SoaAnswer, *, probe: bool) -> None:
        if answer.unreachable:
            self._breakers.timed_out(endpoint, answer.text, probe=probe)
        else:
            self._breakers.replied(endpoint)

    def _poll_in(self, state: ConvergenceState, server: ServerState, delay_s: float) -> None:
        due = self._scheduler.now() + delay_s
        if server.due is not None and server.due <= due and not server.querying:
            return
        server.due = due
        self._scheduler.timers.at(due, partial(self._poll_due, state, server, due))

    def _poll_due(self, state: ConvergenceState, server: ServerState, due: float) -> None:
        with self._scheduler.lock:
            if server.due == due:
                server.due = None
                self._poll(state, server)

    def _poll(self, state: ConvergenceState, server: ServerState) -> None:
        if state.closed:
            return
        if server.querying:
            server.repoll = True
            return
        server.due = None
        if self._blocked(state, server):
            return
        key = _executor_key(server.nameserver)
        job = partial(self._query_for, state, server)
        server.querying = self._scheduler.executors.submit(key, job, Priority.of(state.change))
        if not server.querying:
            self._poll_in(state, server, MAX_DELAY_S)

    def _blocked(self, state: ConvergenceState, server: ServerState) -> bool:
        """Return whether the circuit is open; the zone is polled when it closes."""
        resume = partial(self._poll, state, server)
        endpoint = _endpoint(state.pool, server.nameserver)
        reason = self._breakers.blocked(endpoint, state.change.zone_id, resume)
        if reason and server.answer is None:
            server.answer = client.SoaAnswer(state=client.SoaState.UNKNOWN, text=reason)
        return bool(reason)

    def _query_for(self, state: ConvergenceState, server: ServerState) -> None:
        endpoint = _endpoint(state.pool, server.nameserver)
        with self._scheduler.lock:
            if state.closed:
                return
            if self._blocked(state, server):
                server.querying = False
                return
            probe = self._breakers.begin(endpoint)
            change = state.change
        asker = self._asker(state.pool, server.nameserver)
        answer = _soa(asker, change)
        data = server.data_of(change)
        if data is None or not data.is_final or answer != server.answer:
            data = _compare(asker, change, state.pool.rules_of(server.nameserver, change), answer)
        with self._scheduler.lock:
            server.querying = False
            self._record(endpoint, answer, probe=probe)
            if state.closed:
                return
            lagged = state.lags(server)
            server.answer, server.data = answer, data
            if lagged:
                self._measure(state, server)
            report = self._evaluate(state, server)
            if not state.closed:
                self._continue(state, server)
        if report is not None:
            self._send(report)

    def _continue(self, state: ConvergenceState, server: ServerState) -> None:
        if server.repoll:
            server.repoll = False
            self._poll(state, server)
        elif state.lags(server):
            server.delay_s = min(MAX_DELAY_S, max(HINTED_DELAY_S, server.delay_s * 2))
            self._poll_in(state, server, jittered(self._next_delay_s(state, server)))

    def _next_delay_s(self, state: ConvergenceState, server: ServerState) -> float:
        return max(server.delay_s, self._scheduler.backoff.min_interval_s(state.pool.id))

    def _measure(self, state: ConvergenceState, server: ServerState) -> None:
        """Record the answer of a nameserver that lagged behind in the metrics."""
        labels = (state.pool.name, server.nameserver.label)
        rules = state.pool.rules_of(server.nameserver, state.change)
        if not state.lags(server):
            elapsed_s = self._scheduler.now() - state.since
            metrics.CONVERGENCE_SECONDS.labels(*labels).observe(elapsed_s)
            metrics.SERIAL_LAG.labels(*labels).set(0)
        elif not (rules.signs or is_ahead(state.change, server.answer)) and server.serial:
            lag = (state.change.serial - server.serial) % 2**32
            metrics.SERIAL_LAG.labels(*labels).set(lag)


def _soa(asker: comparison.Asker, change: ZoneAnnouncement) -> client.SoaAnswer:
    """Ask for the zone's SOA; for a catalog zone's over TCP where it is refused over UDP, as by Knot."""
    answer = asker.soa(change.name)
    if change.type is not ZoneType.CATALOG or answer.state is not client.SoaState.ABSENT:
        return answer
    over_tcp = replace(asker, tcp=True).soa(change.name)
    return over_tcp if over_tcp.state is client.SoaState.SERIAL else answer


def _compare(
    asker: comparison.Asker, change: ZoneAnnouncement, rules: JudgingRules, answer: client.SoaAnswer
) -> DataProof | None:
    """Compare the change's sample, if the answer needs that as a proof."""
    sample = change.sample
    if sample is None or not needs_data(change, answer, rules):
        return None
    expected = comparison.Expected(
        zone=change.name, name=sample.name, rtype=sample.rtype, digest=sample.digest
    )
    result, text = comparison.compare(asker, expected, answer)
    return DataProof(revision=change.revision, result=result, text=text)


def _not_queried(reason: str) -> client.SoaAnswer:
    return client.SoaAnswer(state=client.SoaState.UNKNOWN, text=reason, unreachable=True)


def _endpoint(pool: LivePool, nameserver: Nameserver) -> Endpoint:
    return "query", pool.name, nameserver.label


def _executor_key(nameserver: Nameserver) -> tuple[str, str, int]:
    return "query", nameserver.host, nameserver.port
