"""The state of one zone while its nameservers converge: no threads, no clock, no network.

Over 300 lines, since what proves a state is decided in one place.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace

from designate.model.zones import Action, Outcome, ZoneAnnouncement, ZoneReport, ZoneType
from designate.wire.client import SoaState
from designate.wire.names import newest_serial, oldest_serial, serial_ge, serial_gt
from designate.worker.pools import LivePool
from designate.worker.proof import (  # fmt: skip
    AHEAD,
    OTHER_DATA,
    Fault,
    find_fault,
    is_ahead,
    is_of_others,
    proven_serial,
)
from designate.worker.server_state import ServerState
from designate.worker.settings import ConvergenceSettings
from designate.worker.target_state import TargetState

MAX_STEPS = 256
MAX_ERROR_CHARS = 900
# The delay between polls at which other data is no longer a matter of moments.
PERSISTENT_DELAY_S = 1.0
PERSISTENT_SIGNER_DELAY_S = 4.0


@dataclass(slots=True)
class ConvergenceState:
    """A zone whose nameservers converge. Moments are those of the clock's monotonic time.

    Attributes:
        change: the desired state.
        pool: the servers.
        settings: the worker's settings.
        deadline: when the zone is given up.
        targets: the pool's targets.
        servers: the pool's nameservers.
        calls: what each target's back end has to do: "create", "update", "delete" or nothing.
        calls_needed: the zone is not done before enough back ends did it. Not so in a repair, where
            the nameservers' answers prove enough.
        steps: (serial, revision) of the changes not yet reported, oldest first, so that a stream of
            changes shows progress.
        closed: the zone is done or given up, or another state has replaced this one.
        notify_due: when a delayed NOTIFY is due.
        notify_rounds: NOTIFYs since the newest change, for the growing delay.
        notify_at: when the last NOTIFY was sent.
        notified_serial: the serial that the also_notifies were notified of.
        restore_after: not before this moment is the zone created again where it is missing.
        restorations: how often it was, for the growing delay.
        renewed: the servers' settings of the zone were compared with the targets'.
        repair: the zone was served before and has drifted.
        since: when the worker received the change.
        reported_ahead: revision and serial of the last report of a serial ahead of the change.
        reported_other: revision of the last report of other data.
    """

    change: ZoneAnnouncement
    pool: LivePool
    settings: ConvergenceSettings
    deadline: float
    targets: list[TargetState]
    servers: list[ServerState]
    calls: str
    calls_needed: bool
    steps: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MAX_STEPS))
    closed: bool = False
    notify_due: float | None = None
    notify_rounds: int = 0
    notify_at: float = -math.inf
    notified_serial: int | None = None
    restore_after: float = -math.inf
    restorations: int = 0
    renewed: bool = False
    repair: bool = False
    since: float = 0.0
    reported_ahead: tuple[int, int] | None = None
    reported_other: int = 0

    @property
    def deleting(self) -> bool:
        """Whether the nameservers are to lose the zone."""
        return self.change.action is Action.DELETE

    @property
    def servers_needed(self) -> int:
        """How many nameservers must prove the desired state."""
        return self.settings.servers_needed(len(self.servers))

    def targets_done(self) -> bool:
        """Return whether enough back ends made the call that the zone needs, on zones that are ours."""
        done = [
            (target.done or not self.calls_needed) and (self.deleting or not target.foreign)
            for target in self.targets
        ]
        return sum(done) >= self.settings.share(len(self.targets))

    def gone(self, server: ServerState) -> bool:
        """Return whether the server is proven not to serve the zone; SERVFAIL if that has expired."""
        answer = server.answer
        expired = self.change.withdrawn and answer is not None and answer.state is SoaState.FAILED
        return server.absent or expired or self._has_foreign(server)

    def _has_foreign(self, server: ServerState) -> bool:
        """Return whether a back end found a zone of others where this nameserver serves from, or it tells.

        A nameserver is a target's by its address; without such a target it may be any target's.
        """
        address = server.nameserver.host, server.nameserver.port
        own = [target for target in self.targets if target.live.notify == address]
        targets = own or self.targets
        rules = self.pool.rules_of(server.nameserver, self.change)
        emptied = bool(targets) and all(target.emptied for target in targets)
        if is_of_others(self.change, server.answer, rules, emptied=emptied):
            return True
        return any(target.foreign for target in targets)

    @property
    def lagging(self) -> bool:
        """Whether any nameserver lags."""
        return any(self.lags(server) for server in self.servers)

    @property
    def settled_by_central(self) -> bool:
        """Whether central has the report of a serial that is ahead of the change."""
        return self.reported_ahead is not None and self.reported_ahead[0] == self.change.revision

    def lags(self, server: ServerState) -> bool:
        """Return whether the nameserver is not proven to have the desired state."""
        if self.deleting:
            return not self.gone(server)
        if self._proven_serial(server, self.change.serial) is None:
            return True
        return self._is_ahead(server)

    def _is_ahead(self, server: ServerState) -> bool:
        return is_ahead(
            self.change, server.answer, self.pool.rules_of(server.nameserver, self.change)
        )

    def _fault(self, server: ServerState) -> Fault | None:
        if self.deleting or server.answer is None:
            return None
        rules = self.pool.rules_of(server.nameserver, self.change)
        return find_fault(self.change, server.answer, rules, server.data_of(self.change))

    def _proven_serial(self, server: ServerState, serial: int) -> int | None:
        """Return the serial that proves that the server has this one; None without proof.

        A server may refuse queries for a catalog zone (RFC 9432 section 7). Then the proof is that the
        targets accepted the NOTIFY of the serial; each member zone is proven on its own.
        """
        rules = self.pool.rules_of(server.nameserver, self.change)
        data = server.data_of(self.change)
        proven = proven_serial(self.change, serial, server.answer, rules, data)
        if proven is not None:
            return proven
        if self.change.type is ZoneType.CATALOG and server.absent and self._accepted(serial):
            return serial
        return None

    def _accepted(self, serial: int) -> bool:
        """Return whether all targets accepted a NOTIFY of this serial or a newer one."""
        serials = [target.accepted_serial for target in self.targets]
        return bool(serials) and all(s is not None and serial_ge(s, serial) for s in serials)

    def outcome(self) -> ZoneReport | None:
        """Return what the answers prove and was not reported; None if there is nothing new.

        A report of the change's own revision ends the state, unless it names other data or a serial
        that is ahead.
        """
        if not self.targets_done():
            return None
        if self.deleting:
            if sum(self.gone(server) for server in self.servers) < self.servers_needed:
                return None
            return self._report(Outcome.ABSENT, self.change.serial, self.change.revision)
        for serial, revision in reversed(self.steps):
            found = [(server, self._proven_serial(server, serial)) for server in self.servers]
            proven = [one for _, one in found if one is not None]
            if len(proven) < self.servers_needed:
                continue
            known = [one for server, one in found if one is not None and not self._is_ahead(server)]
            if len(known) >= self.servers_needed:
                return self._report(Outcome.SERVED, oldest_serial(known), revision)
            # Of a later change that this worker has not heard of, or never assigned: central knows.
            newest = newest_serial(proven)
            if self.reported_ahead == (revision, newest):
                return None
            report = self._report(
                Outcome.SERVED, oldest_serial(proven), revision, self._ahead_text()
            )
            return replace(report, newest=newest)
        return self._other_data()

    def _other_data(self) -> ZoneReport | None:
        """Return a report, once for each change, of nameservers that persist in having other data."""
        if self.reported_other == self.change.revision:
            return None
        if not any(map(self._persists_in_other_data, self.servers)):
            return None
        return self._late("not served")

    def _late(self, reason: str) -> ZoneReport:
        """Return a report of nameservers that do not follow.

        A signer whose serial is ahead of the change's may have its data from a database that was lost,
        with a newer serial than this service's: then it does not transfer the change.
        """
        report = self.failure(reason, Outcome.LATE)
        other = [server.serial for server in self.servers if self._has_other_data(server)]
        ahead = [serial for serial in other if serial_gt(serial, self.change.serial)]
        return replace(report, newest=newest_serial(ahead)) if ahead else report

    def _has_other_data(self, server: ServerState) -> bool:
        fault = self._fault(server)
        return fault is not None and fault.kind == OTHER_DATA

    def _persists_in_other_data(self, server: ServerState) -> bool:
        # A signer has other data until it has transferred the change.
        signs = self.pool.rules_of(server.nameserver, self.change).signs
        delay_s = PERSISTENT_SIGNER_DELAY_S if signs else PERSISTENT_DELAY_S
        return server.delay_s >= delay_s and self._has_other_data(server)

    def _ahead_text(self) -> str:
        ahead = [server for server in self.servers if self._is_ahead(server)]
        return _shortened("; ".join(map(self._text, ahead)))

    def _text(self, server: ServerState) -> str:
        text = str(server.answer or "not queried")
        fault, data = self._fault(server), server.data_of(self.change)
        if fault is not None and fault.kind in (AHEAD, OTHER_DATA):
            text = fault.text
        elif data is not None and data.text:
            text = f"{text}, {data.text}"
        return f"nameserver {server.nameserver.label}: {text}"

    def foreign(self) -> ZoneReport | None:
        """Return a failure if zones of others stand in the way on too many targets."""
        found = [target for target in self.targets if target.foreign]
        possible = len(self.targets) - len(found)
        if not found or self.deleting or possible >= self.settings.share(len(self.targets)):
            return None
        text = "; ".join(f"{target.live.label}: {target.error}" for target in found)
        return self._report(
            Outcome.FAILED, self.change.serial, self.change.revision, _shortened(text)
        )

    def given_up(self) -> ZoneReport:
        """Return the report at the deadline: FAILED if a target refuses its call, else LATE."""
        refused = any(target.refused and not target.done for target in self.targets)
        reason = "not served in time"
        if (refused or self.foreign() is not None) and not self.targets_done():
            return self.failure(reason)
        return self._late(reason)

    def failure(self, reason: str, outcome: Outcome = Outcome.FAILED) -> ZoneReport:
        """Return a report that gives up, with the last reply of every server."""
        parts = [self._text(server) for server in self.servers if self.lags(server)]
        for target in self.targets:
            if self.calls_needed and not target.done:
                parts.append(f"{target.live.label}: {target.error or 'no reply yet'}")
            elif target.error:
                parts.append(f"{target.live.label}: {target.error}")
            if target.notify_text not in ("", "NOERROR"):
                parts.append(f"{target.live.label}: NOTIFY: {target.notify_text}")
        text = _shortened("; ".join([reason, *parts]))
        return self._report(outcome, self.change.serial, self.change.revision, text)

    def _report(
        self, outcome: Outcome, serial: int, revision: int, error: str | None = None
    ) -> ZoneReport:
        return ZoneReport(
            zone_id=self.change.zone_id,
            revision=revision,
            serial=serial,
            outcome=outcome,
            error=error,
            pool_id=self.pool.id,
        )


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_ERROR_CHARS else text[: MAX_ERROR_CHARS - 3] + "..."


def new_state(
    change: ZoneAnnouncement, pool: LivePool, settings: ConvergenceSettings, now: float
) -> ConvergenceState:
    """Return the state in which a change starts: nothing called, no server queried."""
    if change.action is Action.DELETE:
        calls = "delete"
    elif change.action is Action.CREATE or not change.created:
        calls = "create"
    elif change.verify:
        calls = "update"
    else:
        calls = ""
    delay_s = first_delay_s(pool, settings)
    state = ConvergenceState(
        change=change,
        pool=pool,
        settings=settings,
        deadline=now + settings.deadline_s,
        targets=[TargetState(live=target) for target in pool.targets],
        servers=[ServerState(nameserver=ns, delay_s=delay_s) for ns in pool.nameservers],
        calls=calls,
        calls_needed=bool(calls),
        since=now,
    )
    state.steps.append((change.serial, change.revision))
    return state


def first_delay_s(pool: LivePool, settings: ConvergenceSettings) -> float:
    """Return the wait before the first poll: none where no transfer has to happen."""
    return settings.first_poll_s if transfers(pool) else 0.0


def transfers(pool: LivePool) -> bool:
    """Return whether nameservers learn of changes by NOTIFY and transfer them."""
    return any(target.notify is not None for target in pool.targets)
