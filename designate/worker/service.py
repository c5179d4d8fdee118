"""The worker: receives changes from central and makes the pools' nameservers agree with them."""

from __future__ import annotations

import logging
import threading
from functools import partial

from oslo_config import cfg

from designate import errors
from designate.backend import base as backends
from designate.context import Context, admin_context
from designate.model.zones import NameserverAnswer, Outcome, ZoneAnnouncement, ZoneReport
from designate.rpc.clients import CentralClient
from designate.runtime.clock import SYSTEM_CLOCK, Clock
from designate.worker.converge import Converger
from designate.worker.pools import PoolCache
from designate.worker.reconcile import DriftChecker
from designate.worker.scheduling.convergence import ConvergenceScheduler
from designate.worker.scheduling.zone_queue import ZoneQueue
from designate.worker.secondary import SecondaryRefresher
from designate.worker.settings import ConvergenceSettings

LOG = logging.getLogger(__name__)

GROUP = "service:worker"
OPTS = [
    cfg.IntOpt(
        "threads",
        default=200,
        min=1,
        help="Threads that publish changes; more than 8 have no effect because a zone that waits "
        "for its nameservers needs no thread.",
    ),
    cfg.IntOpt(
        "threshold_percentage",
        default=100,
        min=1,
        max=100,
        help="Share of a pool's nameservers that must serve a change before it is ACTIVE, and of "
        "its targets that must take a new or deleted zone.",
    ),
    cfg.IntOpt(
        "poll_timeout",
        default=30,
        min=1,
        help="Seconds that one SOA query or NOTIFY may take. More than 2 have no effect because it is "
        "better to repeat a lost datagram.",
    ),
    cfg.FloatOpt(
        "poll_retry_interval",
        default=15,
        min=0.1,
        help="Longest time in seconds between attempts of a failing back end call. The first attempts "
        "follow sooner; more than 5 have no effect, so that a recovered server is used soon.",
    ),
    cfg.IntOpt(
        "poll_max_retries",
        default=10,
        min=1,
        help="Accepted for old configurations and ignored; see convergence_deadline.",
    ),
    cfg.FloatOpt(
        "poll_delay",
        default=0,
        min=0,
        help="Seconds between a NOTIFY and the first SOA query where no finished transfer is reported. "
        "0 stands for 0.05.",
    ),
    cfg.FloatOpt(
        "convergence_deadline",
        default=60,
        min=1,
        help="Seconds after which a change that too few nameservers serve is reported. The zone goes to "
        "ERROR if a target refused it, and stays PENDING if nameservers are slow or unreachable. "
        "Periodic recovery continues to try.",
    ),
    cfg.BoolOpt("all_tcp", default=False, help="Send SOA queries and NOTIFY over TCP."),
    cfg.IntOpt("workers", min=1, help="Processes of designate-worker. Unset: one."),
]

MAX_PUBLISHERS = 8
PUBLISH_GAP_S = 0.02
# Under a stream of changes of one zone, publishing more often would only take time from them.
MAX_PUBLISH_GAP_S = 0.1
MAX_QUERY_S = 2.0
FIRST_RETRY_S = 0.25
MAX_RETRY_S = 5.0
FIRST_POLL_S = 0.05


class Worker:
    """Implements rpc.interfaces.WorkerApi. All its state is in memory; the database is authoritative."""

    def __init__(
        self, conf: cfg.ConfigOpts, central: CentralClient, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Create a worker with the options of its group; `start` starts its threads."""
        group = conf[GROUP]
        self._central = central
        self._zone_queue = ZoneQueue(clock=clock)
        self._pools = PoolCache(central, backends.load)
        settings = ConvergenceSettings(
            threshold_percentage=group.threshold_percentage,
            deadline_s=group.convergence_deadline,
            query_timeout_s=min(float(group.poll_timeout), MAX_QUERY_S),
            first_poll_s=group.poll_delay or FIRST_POLL_S,
            retry_s=min(FIRST_RETRY_S, group.poll_retry_interval),
            max_retry_s=min(MAX_RETRY_S, group.poll_retry_interval),
            all_tcp=group.all_tcp,
        )
        scheduler = ConvergenceScheduler(settings.polls_per_s, clock)
        self._converger = Converger(central, settings, scheduler)
        self._checker = DriftChecker(central, self._pools, self._converger, settings, clock)
        self._secondary = SecondaryRefresher(conf, central, clock)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._publish, name=f"publisher-{n}", daemon=True)
            for n in range(min(MAX_PUBLISHERS, group.threads))
        ]

    def start(self) -> None:
        """Start all threads."""
        self._converger.start()
        self._secondary.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all threads; periodic recovery hands out what is unfinished."""
        self._stopping.set()
        self._secondary.stop()
        self._zone_queue.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=5)
        self._converger.stop()

    def zone_changed(
        self,
        context: Context,  # noqa: ARG002 - part of the interface
        change: ZoneAnnouncement,
    ) -> None:
        """Queue a change; see rpc.interfaces.WorkerApi."""
        self._zone_queue.put(change)

    def refresh_zone(
        self,
        context: Context,  # noqa: ARG002 - part of the interface
        zone_id: str,
        source: str | None = None,
    ) -> None:
        """Queue a refresh of a secondary zone; see rpc.interfaces.WorkerApi."""
        self._secondary.refresh_zone(zone_id, source)

    def check_zones(
        self,
        context: Context,  # noqa: ARG002 - part of the interface
        changes: tuple[ZoneAnnouncement, ...],
    ) -> None:
        """Check zones for drift; see rpc.interfaces.WorkerApi."""
        self._checker.check(changes)

    def look(
        self,
        context: Context,  # noqa: ARG002 - part of the interface
        change: ZoneAnnouncement,
    ) -> tuple[NameserverAnswer, ...]:
        """Query a zone's nameservers; see rpc.interfaces.WorkerApi."""
        return self._checker.query_nameservers(change)

    def zone_served(
        self,
        context: Context,  # noqa: ARG002 - part of the interface
        zone_id: str,
        serial: int,  # noqa: ARG002 - part of the interface
        peer: str,
    ) -> None:
        """Poll the nameserver that transferred a zone; see rpc.interfaces.WorkerApi."""
        self._converger.hint(zone_id, peer)

    def _publish(self) -> None:
        while not self._stopping.is_set():
            taken = self._zone_queue.take(timeout_s=1.0)
            if taken is None:
                continue
            change, merged = taken
            try:
                self._converge(change)
            except errors.DesignateError as error:
                LOG.warning("zone %s: deferred to periodic recovery: %s", change.zone_id, error)
            finally:
                # Changes of the zone that arrive in the meantime are merged and published as one.
                gap_s = min(MAX_PUBLISH_GAP_S, PUBLISH_GAP_S * max(1, merged))
                self._converger.call_later(gap_s, partial(self._zone_queue.done, change.zone_id))

    def _converge(self, change: ZoneAnnouncement) -> None:
        try:
            pool = self._pools.get(change.pool_id, change.pool_version)
            if change.kept_in is not None:
                pool = pool.without(self._pools.get(change.kept_in, change.kept_version))
        except (errors.NotFound, errors.ConfigurationError) as error:
            reason = f"pool {change.pool_id}: {error.message or error.type}"
            self._report(change, Outcome.FAILED, reason)
            return
        if change.kept_in is not None and not (pool.targets and pool.nameservers):
            # All servers of the old pool belong to the new one too.
            self._report(change, Outcome.ABSENT)
            return
        self._converger.converge(change, pool)

    def _report(self, change: ZoneAnnouncement, outcome: Outcome, error: str | None = None) -> None:
        report = ZoneReport(
            zone_id=change.zone_id,
            revision=change.revision,
            serial=change.serial,
            outcome=outcome,
            error=error,
            pool_id=change.pool_id,
        )
        self._central.status.report(admin_context(), report)
