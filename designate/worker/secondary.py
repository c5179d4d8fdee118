"""Secondary zones: asks their primaries what is new and brings it to central.

One zone is looked after by one thread at a time; what comes for it meanwhile waits as one request. What
is lost here, a zone's refresh timer brings back.
"""

from __future__ import annotations

import logging
import random
import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

from oslo_config import cfg

from designate import errors
from designate.context import admin_context
from designate.model.secondary import TransferInContent, TransferInOutcome, TransferInPlan
from designate.model.zones import PrimaryAddress
from designate.rpc.clients import CentralClient
from designate.rpc.interfaces import SecondaryApi
from designate.wire import client, resolver, tsig_keys
from designate.wire.client import SoaAnswer, SoaState
from designate.wire.names import serial_gt
from designate.wire.transfer_assembler import TransferFailed, TransferKind
from designate.wire.transfer_in import Primary, ReceivedTransfer, TransferLimits, fetch

LOG = logging.getLogger(__name__)

GROUP = "service:worker"
OPTS = [
    cfg.IntOpt(
        "xfr_timeout",
        default=10,
        min=1,
        help="Seconds that one message of a transfer from a primary may take.",
    ),
    cfg.IntOpt(
        "xfr_deadline",
        default=600,
        min=1,
        help="Seconds that a whole transfer from a primary may take.",
    ),
    cfg.IntOpt(
        "xfr_threads",
        default=8,
        min=1,
        help="Secondary zones that one worker looks after at the same time.",
    ),
    cfg.IntOpt("serial_timeout", default=1, min=1, help="Seconds that one SOA query may take."),
]

MAX_ZONES = 10_000
MAX_PRIMARIES = 16
QUERIES = 16
# What NOTIFY may ask for: one look at a zone's primaries in this time.
GAP_S = 0.5
LATE_S = 60.0
LATE_LOOK_S = 2.0


@dataclass(slots=True)
class _Slot:
    """A zone that is wanted. source: whose news it is. after: not before this moment of monotonic()."""

    source: str | None
    after: float


class RefreshQueue:
    """Bounded and thread-safe. One slot per zone; dropped counts what found no room."""

    def __init__(self, max_zones: int = MAX_ZONES, gap_s: float = GAP_S) -> None:
        self._max_zones = max_zones
        self._gap_s = gap_s
        self._waiting: OrderedDict[str, _Slot] = OrderedDict()
        self._busy: dict[str, _Slot | None] = {}
        # Zones that were just looked after, and until when they rest; in that order.
        self._resting: OrderedDict[str, float] = OrderedDict()
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, zone_id: str, source: str | None, after: float) -> bool:
        """Never blocks. False: there was no room, or the queue is closed."""
        with self._changed:
            if self._closed:
                return False
            if zone_id in self._busy:
                self._busy[zone_id] = _Slot(source, after)
                return True
            after = max(after, self._resting.get(zone_id, after))
            waiting = self._waiting.get(zone_id)
            if waiting is not None:
                waiting.source = source or waiting.source
                return True
            if len(self._waiting) >= self._max_zones:
                self.dropped += 1
                if self.dropped == 1 or self.dropped % 1000 == 0:
                    LOG.warning("%d secondary zones are left to their timers so far", self.dropped)
                return False
            self._waiting[zone_id] = _Slot(source, after)
            self._changed.notify()
            return True

    def take(self) -> tuple[str, str | None] | None:
        """The zone that waits longest among those whose time has come, and the source; None: closed.
        The caller calls done() for the zone."""
        with self._changed:
            while not self._closed:
                now = monotonic()
                first: float | None = None
                for zone_id, slot in self._waiting.items():
                    if slot.after <= now:
                        del self._waiting[zone_id]
                        self._busy[zone_id] = None
                        return zone_id, slot.source
                    first = slot.after if first is None else min(first, slot.after)
                self._changed.wait(None if first is None else first - now)
            return None

    def done(self, zone_id: str) -> None:
        """The zone's thread is free; what came meanwhile may be taken after a moment."""
        with self._changed:
            now = monotonic()
            while self._resting and next(iter(self._resting.values())) <= now:
                self._resting.popitem(last=False)
            self._resting[zone_id] = now + self._gap_s
            again = self._busy.pop(zone_id, None)
            if again is not None and not self._closed:
                again.after = now + self._gap_s
                self._waiting[zone_id] = again
                self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()


class _Staging:
    """A sink for one transfer: what does not fit into one message is staged at central."""

    def __init__(self, central: SecondaryApi, zone_id: str) -> None:
        self._central = central
        self._zone_id = zone_id
        self.id = ""
        self.staged = 0
        self.tail = b""
        self.reset()

    def put(self, chunk: bytes) -> None:
        if self.tail:
            self._central.stage(admin_context(), self._zone_id, self.id, self.staged, self.tail)
            self.staged += 1
        self.tail = chunk

    def reset(self) -> None:
        self.drop()
        self.id, self.staged, self.tail = str(uuid.uuid4()), 0, b""

    def drop(self) -> None:
        """Forget what was staged."""
        if self.staged:
            self._central.discard(admin_context(), self.id)


class SecondaryRefresher:
    """Threads that look after secondary zones."""

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient) -> None:
        group = conf[GROUP]
        self._central = central.secondary
        self._limits = TransferLimits(
            deadline_s=group.xfr_deadline,
            read_s=group.xfr_timeout,
            records=group.xfr_max_records,
            size_bytes=group.xfr_max_bytes,
        )
        self._soa_timeout_s = float(group.serial_timeout)
        self._queue = RefreshQueue()
        self._stopping = threading.Event()
        self._queries = ThreadPoolExecutor(QUERIES, "primary")
        self._threads = [
            threading.Thread(target=self._work, name=f"inbound-{n}", daemon=True)
            for n in range(group.xfr_threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What is under endpoint is given up; the zones keep what they have."""
        self._stopping.set()
        self._queue.close()
        self._queries.shutdown(wait=False, cancel_futures=True)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=2)

    def refresh_zone(self, zone_id: str, source: str | None) -> None:
        """See rpc.interfaces.WorkerApi. Never blocks."""
        self._queue.put(zone_id, source, monotonic())

    def _work(self) -> None:
        while (taken := self._queue.take()) is not None:
            zone_id, source = taken
            try:
                self._look_after(zone_id, source)
            except errors.DesignateError as error:
                LOG.warning("zone %s is left to its timer: %s", zone_id, error)
            except Exception:
                LOG.exception("zone %s failed and is left to its timer", zone_id)
            finally:
                self._queue.done(zone_id)

    def _look_after(self, zone_id: str, source: str | None) -> None:
        try:
            plan = self._central.plan(admin_context(), zone_id)
        except errors.NotFound:
            return
        problems: list[str] = []
        try:
            keys = _keys(plan)
        except errors.BadRequest as error:
            self._central.failed(admin_context(), zone_id, str(error.message))
            return
        answers = self._ask(plan, keys)
        current = any(
            answer.state is SoaState.SERIAL and answer.serial == plan.newer_than
            for answer in answers.values()
        )
        for master in _order(answers, plan.newer_than, source, current):
            for key in keys:
                primary = Primary(host=master.host, port=master.port, key=key)
                try:
                    if self._transfer(plan, primary):
                        return
                except (TransferFailed, errors.BadRequest) as error:
                    problems.append(f"{primary}: {error.message}")
        if current and plan.newer_than is not None:
            self._central.checked(admin_context(), zone_id, plan.newer_than)
            return
        problems += [f"{m.host}:{m.port}: {a}" for m, a in answers.items() if not problems]
        self._central.failed(admin_context(), zone_id, "; ".join(problems)[:900])

    def _ask(
        self, plan: TransferInPlan, keys: Sequence[tsig_keys.SigningKey | None]
    ) -> dict[PrimaryAddress, SoaAnswer]:
        """What each primary says to an SOA query (RFC 1034 section 4.3.5), signed by the newest key. A
        primary that knows an older one alone tells no serial then, and is asked for a transfer."""
        masters = plan.masters[:MAX_PRIMARIES]
        key = keys[0]
        asked = [
            self._queries.submit(
                client.query_soa, master.host, master.port, plan.name, self._soa_timeout_s, key=key
            )
            for master in masters
        ]
        return {
            master: answer.result(timeout=60) for master, answer in zip(masters, asked, strict=True)
        }

    def _transfer(self, plan: TransferInPlan, primary: Primary) -> bool:
        """Whether the zone has now what this primary has. Raises TransferFailed, BadRequest."""
        since = plan.since
        while True:
            sink = _Staging(self._central, plan.zone_id)
            try:
                got = fetch(
                    primary,
                    plan.name,
                    self._limits,
                    sink,
                    since=since,
                    newer_than=plan.newer_than,
                )
                if got.kind is TransferKind.CURRENT:
                    self._central.checked(admin_context(), plan.zone_id, got.serial)
                    return True
                taken = self._bring(plan, got, sink)
            except BaseException:
                sink.drop()
                raise
            if taken is not TransferInOutcome.UNFIT or since is None:
                return True
            since = None

    def _bring(
        self, plan: TransferInPlan, got: ReceivedTransfer, sink: _Staging
    ) -> TransferInOutcome:
        content = TransferInContent(
            id=sink.id,
            zone_id=plan.zone_id,
            serial=got.serial,
            difference=got.kind is TransferKind.DIFFERENCE,
            staged=sink.staged,
            tail=sink.tail,
        )
        try:
            taken = self._central.replace_content(admin_context(), content)
        except errors.Unavailable:
            if not self._stored_late(plan, got.serial):
                raise
            return TransferInOutcome.STORED
        if taken is not TransferInOutcome.STORED:
            sink.drop()
        return taken

    def _stored_late(self, plan: TransferInPlan, serial: int) -> bool:
        """A large zone may take central longer than a call may last, and then goes on without us."""
        until = monotonic() + LATE_S
        while monotonic() < until and not self._stopping.wait(LATE_LOOK_S):
            try:
                now = self._central.plan(admin_context(), plan.zone_id).newer_than
            except errors.Unavailable:
                continue
            if now == serial:
                return True
        return False


def _keys(plan: TransferInPlan) -> list[tsig_keys.SigningKey | None]:
    """What to sign with, one after the other; never without, once there is a key. Raises BadRequest
    when none of them can be used."""
    found: list[tsig_keys.SigningKey | None] = []
    for key in plan.keys:
        try:
            found.append(tsig_keys.make_key(key.name, key.algorithm, key.secret))
        except ValueError as error:
            LOG.warning("zone %s: %s", plan.zone_id, error)
    if plan.keys and not found:
        raise errors.BadRequest("None of the zone's TSIG keys can be used")
    return found or [None]


def _order(
    answers: dict[PrimaryAddress, SoaAnswer],
    newer_than: int | None,
    source: str | None,
    current: bool,
) -> list[PrimaryAddress]:
    """The primaries to transfer from: those with the newest serial first, whoever sent the NOTIFY first
    among equals, else in any order. Those that told no serial come last, as they may give transfers
    alone, and not at all when another one has confirmed what is there."""
    newest: list[tuple[int, bool, float, PrimaryAddress]] = []
    silent: list[tuple[bool, float, PrimaryAddress]] = []
    serials = [a.serial for a in answers.values() if a.state is SoaState.SERIAL]
    for master, answer in answers.items():
        other = source is None or source not in resolver.addresses(master.host)
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        if answer.state is SoaState.SERIAL:
            if newer_than is None or serial_gt(answer.serial, newer_than):
                rank = sum(serial_gt(serial, answer.serial) for serial in serials)
                newest.append((rank, other, chance, master))
        elif not current:
            silent.append((other, chance, master))
    ordered = [item[-1] for item in sorted(newest, key=lambda item: item[:-1])]
    return ordered + [item[-1] for item in sorted(silent, key=lambda item: item[:-1])]
