"""Secondary zones: asks their primaries for newer content and brings it to central.

One thread at a time refreshes a zone; requests that arrive meanwhile wait as one. What is lost here is made
up for by the zone's refresh timer.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from oslo_config import cfg

from designate import errors
from designate.context import admin_context
from designate.model.secondary import TransferInContent, TransferInOutcome, TransferInPlan
from designate.model.zones import PrimaryAddress
from designate.rpc.clients import CentralClient
from designate.rpc.interfaces import SecondaryApi
from designate.runtime.clock import SYSTEM_CLOCK, Clock
from designate.wire import client, tsig_keys
from designate.wire.client import SoaAnswer, SoaState
from designate.wire.primary_rules import PrimaryRules
from designate.wire.transfer_assembler import TransferFailed, TransferKind
from designate.wire.transfer_in import Primary, ReceivedTransfer, TransferLimits, fetch
from designate.worker.primaries import signing_keys, transfer_order
from designate.worker.scheduling.refresh_queue import RefreshQueue

LOG = logging.getLogger(__name__)

GROUP = "service:worker"
OPTS = [
    cfg.IntOpt(
        "xfr_timeout",
        default=10,
        min=1,
        help="Seconds to wait for one message of a transfer from a primary.",
    ),
    cfg.IntOpt(
        "xfr_deadline",
        default=600,
        min=1,
        help="Seconds after which a transfer from a primary is aborted.",
    ),
    cfg.IntOpt(
        "xfr_threads",
        default=8,
        min=1,
        help="Secondary zones that one worker refreshes at the same time.",
    ),
    cfg.IntOpt(
        "serial_timeout",
        default=1,
        min=1,
        help="Seconds to wait for the answer to one SOA query to a primary.",
    ),
]

MAX_PRIMARIES = 16
QUERY_THREADS = 16
QUERIES_DEADLINE_S = 60
MAX_ERROR_CHARS = 900
# How long a large zone may take central after its RPC timed out, and how often that is checked.
MAX_STORING_S = 60.0
STORING_CHECK_S = 2.0


class _Staging:
    """The sink of one transfer: stages at central what exceeds one RPC message.

    Attributes:
        id: identifies the transfer at central.
        staged: number of the staged parts.
        tail: the last part, which is not staged.
    """

    def __init__(self, central: SecondaryApi, zone_id: str) -> None:
        self._central = central
        self._zone_id = zone_id
        self.id = ""
        self.staged = 0
        self.tail = b""
        self.reset()

    def put(self, chunk: bytes) -> None:
        """Add a part; the one before it is staged."""
        if self.tail:
            self._central.stage(admin_context(), self._zone_id, self.id, self.staged, self.tail)
            self.staged += 1
        self.tail = chunk

    def reset(self) -> None:
        """Start over with a new transfer."""
        self.drop()
        self.id, self.staged, self.tail = str(uuid.uuid4()), 0, b""

    def drop(self) -> None:
        """Delete the staged parts at central."""
        if self.staged:
            self._central.discard(admin_context(), self.id)


class SecondaryRefresher:
    """Threads that refresh secondary zones from their primaries."""

    def __init__(
        self, conf: cfg.ConfigOpts, central: CentralClient, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Create the threads; `start` starts them."""
        group = conf[GROUP]
        self._central = central.secondary
        self._clock = clock
        self._limits = TransferLimits(
            deadline_s=group.xfr_deadline,
            read_s=group.xfr_timeout,
            records=group.xfr_max_records,
            size_bytes=group.xfr_max_bytes,
        )
        self._rules = PrimaryRules.from_conf(conf)
        self._soa_timeout_s = float(group.serial_timeout)
        self._queue = RefreshQueue(clock=clock)
        self._queries = ThreadPoolExecutor(QUERY_THREADS, "primary")
        self._threads = [
            threading.Thread(target=self._run, name=f"secondary-{n}", daemon=True)
            for n in range(group.xfr_threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads without waiting for running transfers; the zones keep their content."""
        self._queue.close()
        self._queries.shutdown(wait=False, cancel_futures=True)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=2)

    def refresh_zone(self, zone_id: str, source: str | None) -> None:
        """Queue a refresh; see rpc.interfaces.WorkerApi. Never blocks."""
        self._queue.put(zone_id, source)

    def _run(self) -> None:
        while (taken := self._queue.take()) is not None:
            zone_id, source = taken
            try:
                self._refresh(zone_id, source)
            except errors.DesignateError as error:
                LOG.warning("zone %s: refresh deferred to its timer: %s", zone_id, error)
            except Exception:
                LOG.exception("zone %s: refresh failed, deferred to its timer", zone_id)
            finally:
                self._queue.done(zone_id)

    def _refresh(self, zone_id: str, source: str | None) -> None:
        try:
            plan = self._central.plan(admin_context(), zone_id)
        except errors.NotFound:
            return
        try:
            keys = signing_keys(plan)
        except errors.BadRequest as error:
            self._central.failed(admin_context(), zone_id, str(error.message))
            return
        answers = self._query_primaries(plan, keys)
        is_current = any(
            answer.state is SoaState.SERIAL and answer.serial == plan.newer_than
            for answer in answers.values()
        )
        ordered = transfer_order(answers, plan.newer_than, source, is_current)
        problems: list[str] = []
        if self._transfer_from_any(plan, ordered, keys, problems):
            return
        if is_current and plan.newer_than is not None:
            self._central.checked(admin_context(), zone_id, plan.newer_than)
            return
        problems += [
            f"{m.host}:{m.port}: {a}" for m, a in answers.items() if a.refused or not problems
        ]
        refused = all(answer.refused for answer in answers.values())
        # In one order, whatever that of the attempts was: an unchanged reason is no news.
        reason = "; ".join(sorted(set(problems)))[:MAX_ERROR_CHARS]
        self._central.failed(admin_context(), zone_id, reason, refused)

    def _query_primaries(
        self, plan: TransferInPlan, keys: Sequence[tsig_keys.SigningKey | None]
    ) -> dict[PrimaryAddress, SoaAnswer]:
        """Return the SOA answers of the primaries (RFC 1034 section 4.3.5).

        Queries are signed with the newest key. A primary that knows only an older key gives no serial
        and is tried with a transfer.
        """
        masters = plan.masters[:MAX_PRIMARIES]
        key = keys[0]
        futures = [
            self._queries.submit(
                client.query_soa,
                master.host,
                master.port,
                plan.name,
                self._soa_timeout_s,
                key=key,
                rules=self._rules,
            )
            for master in masters
        ]
        return {
            master: future.result(timeout=QUERIES_DEADLINE_S)
            for master, future in zip(masters, futures, strict=True)
        }

    def _transfer_from_any(
        self,
        plan: TransferInPlan,
        masters: Sequence[PrimaryAddress],
        keys: Sequence[tsig_keys.SigningKey | None],
        problems: list[str],
    ) -> bool:
        """Transfer from the first primary that works; append the others' problems."""
        for master in masters:
            for key in keys:
                primary = Primary(host=master.host, port=master.port, key=key, rules=self._rules)
                try:
                    self._transfer(plan, primary)
                except (TransferFailed, errors.BadRequest) as error:
                    problems.append(f"{primary}: {error.message}")
                else:
                    return True
        return False

    def _transfer(self, plan: TransferInPlan, primary: Primary) -> None:
        """Bring the primary's content to central, by AXFR where a difference does not apply.

        Raises:
            TransferFailed: the primary sent no usable transfer.
            BadRequest: central refused the content.
        """
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
                    return
                taken = self._store(plan, got, sink)
            except BaseException:
                sink.drop()
                raise
            if taken is not TransferInOutcome.UNFIT or since is None:
                return
            since = None

    def _store(
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
            if not self._stored_after_timeout(plan, got.serial):
                raise
            return TransferInOutcome.STORED
        if taken is not TransferInOutcome.STORED:
            sink.drop()
        return taken

    def _stored_after_timeout(self, plan: TransferInPlan, serial: int) -> bool:
        """Return whether central stored the zone after the RPC timed out, as it may with a large one."""
        deadline = self._clock.monotonic() + MAX_STORING_S
        while self._clock.monotonic() < deadline and not self._queue.wait_closed(STORING_CHECK_S):
            try:
                newest = self._central.plan(admin_context(), plan.zone_id).newer_than
            except errors.Unavailable:
                continue
            if newest == serial:
                return True
        return False
