"""What is known about one zone on its way to the nameservers. No threads, no clock, no network."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from designate.model.pools import Nameserver
from designate.model.zones import Action, Outcome, ZoneAnnouncement, ZoneReport, ZoneType
from designate.wire.client import SoaAnswer, SoaState
from designate.wire.names import serial_ge
from designate.worker.pools import LivePool, LiveTarget

MAX_STEPS = 256
MAX_ERROR_CHARS = 900


@dataclass(frozen=True, slots=True)
class ConvergenceSettings:
    """Of a worker. Times in seconds. first_poll_s: the wait before nameservers are asked for the
    first time where nothing tells that they have transferred. retry_s, max_retry_s: the first
    and the longest wait before a failing backend is called again. max_zones: bound of the states
    held at once. polls_per_s: how many zones of a pool are asked about, and how many told again, per
    second."""

    threshold_percentage: int
    deadline_s: float
    query_timeout_s: float
    first_poll_s: float
    retry_s: float
    all_tcp: bool
    max_retry_s: float = 5.0
    max_zones: int = 10_000
    polls_per_s: float = 500.0


@dataclass(slots=True)
class TargetState:
    """done: the backend call that the zone needs has succeeded. error: of the last call; refused: the
    server said no, so that waiting alone will not help. notifying: a NOTIFY is on its way;
    notify_again: and another is wanted after it. notify_text: what the server said to the last one;
    told: the newest serial whose NOTIFY it accepted."""

    live: LiveTarget
    done: bool = False
    attempts: int = 0
    error: str = ""
    refused: bool = False
    notifying: bool = False
    notify_again: bool = False
    notify_text: str = ""
    told: int | None = None


@dataclass(slots=True)
class ServerState:
    """asking: a query is on its way. again: something happened meanwhile, so ask once more at once.
    delay_s: the wait before the next query."""

    nameserver: Nameserver
    delay_s: float
    answer: SoaAnswer | None = None
    asking: bool = False
    again: bool = False
    due: float | None = None

    @property
    def serial(self) -> int:
        """Of the last answer; 0 when that had none."""
        return self.answer.serial if self.answer is not None else 0

    def serves(self, serial: int) -> bool:
        answer = self.answer
        return (
            answer is not None
            and answer.state is SoaState.SERIAL
            and serial_ge(answer.serial, serial)
        )

    @property
    def absent(self) -> bool:
        return self.answer is not None and self.answer.state is SoaState.ABSENT


@dataclass(slots=True)
class ZoneState:
    """change: the wanted state. steps: (serial, revision) of the changes not yet reported, oldest
    first, so that a stream of changes shows progress. calls: what each target's backend is to do
    ("create", "delete" or ""). calls_needed: the zone is not done before enough of them did it; a
    repair is not needed, for there the nameservers' answers are proof enough. renewed: the targets'
    settings were compared with the servers' once. repair: the zone was found to have drifted. since:
    when the change was heard of. Moments are those of time.monotonic()."""

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

    @property
    def deleting(self) -> bool:
        return self.change.action is Action.DELETE

    @property
    def servers_needed(self) -> int:
        """Of the nameservers."""
        return needed(len(self.servers), self.settings)

    def targets_done(self) -> bool:
        """Enough backends have done what the zone needs of them."""
        if not self.calls_needed:
            return True
        needed = math.ceil(len(self.targets) * self.settings.threshold_percentage / 100)
        return sum(target.done for target in self.targets) >= needed

    def gone(self, server: ServerState) -> bool:
        """The nameserver does not serve the zone. Expired content is not served either by one that
        has the zone and answers SERVFAIL."""
        answer = server.answer
        return server.absent or (
            self.change.withdrawn and answer is not None and answer.state is SoaState.FAILED
        )

    def lags(self, server: ServerState) -> bool:
        """The nameserver is not known to have the wanted state."""
        if self.deleting:
            return not self.gone(server)
        return self._has(server, self.change.serial) is None

    def _has(self, server: ServerState, serial: int) -> int | None:
        """The serial that proves that the server has this one; None: nothing proves it.

        A server may answer queries for a catalog zone with REFUSED, for it lists everybody's zones (RFC
        9432 section 7). Then that the targets have taken the NOTIFY of the serial must do: that its
        members come and go is proven for each of them.
        """
        if server.serves(serial):
            return server.serial
        told = bool(self.targets) and all(
            target.told is not None and serial_ge(target.told, serial) for target in self.targets
        )
        is_catalog = self.change.type is ZoneType.CATALOG
        return serial if is_catalog and server.absent and told else None

    def outcome(self) -> ZoneReport | None:
        """What the answers prove and has not been reported; revision of `change`: the end."""
        if not self.targets_done():
            return None
        if self.deleting:
            if sum(self.gone(server) for server in self.servers) < self.servers_needed:
                return None
            return self._report(Outcome.ABSENT, self.change.serial, self.change.revision)
        for serial, revision in reversed(self.steps):
            found = [self._has(server, serial) for server in self.servers]
            counted = [one for one in found if one is not None]
            if len(counted) < self.servers_needed:
                continue
            lowest = counted[0]
            for other in counted[1:]:
                if serial_ge(lowest, other):
                    lowest = other
            return self._report(Outcome.SERVED, lowest, revision)
        return None

    def given_up(self) -> ZoneReport:
        """The report at the deadline: a target refuses its part, or servers are slow or away."""
        refused = any(target.refused and not target.done for target in self.targets)
        failed = refused and not self.targets_done()
        return self.failure("not served in time", Outcome.FAILED if failed else Outcome.LATE)

    def failure(self, reason: str, outcome: Outcome = Outcome.FAILED) -> ZoneReport:
        """The report that gives up, with what every server said."""
        parts = [
            f"nameserver {server.nameserver.label}: {server.answer or 'not asked'}"
            for server in self.servers
            if self.lags(server)
        ]
        for target in self.targets:
            if self.calls_needed and not target.done:
                parts.append(f"{target.live.label}: {target.error or 'no answer yet'}")
            elif target.error:
                parts.append(f"{target.live.label}: {target.error}")
            if target.notify_text not in ("", "NOERROR"):
                parts.append(f"{target.live.label}: NOTIFY: {target.notify_text}")
        text = "; ".join([reason, *parts])
        if len(text) > MAX_ERROR_CHARS:
            text = text[: MAX_ERROR_CHARS - 3] + "..."
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


def needed(servers: int, settings: ConvergenceSettings) -> int:
    """How many of so many nameservers must serve a zone; never none, for without a proof nothing is
    known."""
    return max(1, math.ceil(servers * settings.threshold_percentage / 100))


def new_state(
    change: ZoneAnnouncement, pool: LivePool, settings: ConvergenceSettings, now: float
) -> ZoneState:
    """The state in which a change starts: nothing called, nobody asked."""
    if change.action is Action.DELETE:
        calls = "delete"
    elif change.action is Action.CREATE or not change.created:
        calls = "create"
    else:
        calls = ""
    delay_s = first_delay_s(pool, settings)
    state = ZoneState(
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
    """Where nothing has to be transferred there is nothing to wait for."""
    return settings.first_poll_s if transfers(pool) else 0.0


def transfers(pool: LivePool) -> bool:
    """Whether a nameserver learns of a change by NOTIFY, and transfers it by itself."""
    return any(target.notify is not None for target in pool.targets)
