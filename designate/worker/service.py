"""The worker: takes changes from central and makes the pools' nameservers agree with them."""

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
from designate.worker.converge import Converger
from designate.worker.pools import PoolCache
from designate.worker.reconcile import DriftChecker
from designate.worker.scheduling.zone_queue import ZoneQueue
from designate.worker.secondary import SecondaryRefresher
from designate.worker.zone_state import ConvergenceSettings

LOG = logging.getLogger(__name__)

GROUP = "service:worker"
OPTS = [
    cfg.IntOpt(
        "threads",
        default=200,
        min=1,
        help="Upper bound of threads that publish changes; no more than eight are used, for a "
        "waiting zone needs none.",
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
        help="Seconds that one SOA query or NOTIFY may take; no more than 2 are used, for a lost "
        "datagram is better asked again.",
    ),
    cfg.FloatOpt(
        "poll_retry_interval",
        default=15,
        min=0.1,
        help="Seconds between attempts at a backend that fails, at most. The first ones come sooner, "
        "and no more than 5 are used, so that a server that is back is not kept waiting.",
    ),
    cfg.IntOpt(
        "poll_max_retries",
        default=10,
        min=1,
        help="Kept for old configurations: how long to go on is said by convergence_deadline.",
    ),
    cfg.FloatOpt(
        "poll_delay",
        default=0,
        min=0,
        help="Seconds between a NOTIFY and the first SOA query where nothing tells when the "
        "nameserver has transferred. 0: 0.05 s.",
    ),
    cfg.FloatOpt(
        "convergence_deadline",
        default=60,
        min=1,
        help="Seconds after which a change that too few nameservers serve is reported: the zone is in "
        "ERROR if a target did not take it, and stays PENDING if nameservers are slow. The recovery "
        "sweep goes on trying.",
    ),
    cfg.BoolOpt("all_tcp", default=False, help="Send SOA queries and NOTIFY over TCP."),
    cfg.IntOpt("workers", min=1, help="Processes of designate-worker. Unset: one."),
]

PUBLISHERS = 8
PUBLISH_GAP_S = 0.02
# Under a stream of changes of one zone, publishing more often would only take time from them.
MAX_PUBLISH_GAP_S = 0.1
MAX_QUERY_S = 2.0
MAX_RETRY_S = 5.0
FIRST_POLL_S = 0.05


class Worker:
    """See rpc.interfaces.WorkerApi. What it holds is memory only: the database is the truth."""

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient) -> None:
        group = conf[GROUP]
        self._central = central
        self._zone_queue = ZoneQueue()
        self._pools = PoolCache(central, backends.load)
        settings = ConvergenceSettings(
            threshold_percentage=group.threshold_percentage,
            deadline_s=group.convergence_deadline,
            query_timeout_s=min(float(group.poll_timeout), MAX_QUERY_S),
            first_poll_s=group.poll_delay or FIRST_POLL_S,
            retry_s=min(0.25, group.poll_retry_interval),
            max_retry_s=min(MAX_RETRY_S, group.poll_retry_interval),
            all_tcp=group.all_tcp,
        )
        self._converger = Converger(central, settings)
        self._checker = DriftChecker(central, self._pools, self._converger, settings)
        self._secondary = SecondaryRefresher(conf, central)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._publish, name=f"publisher-{n}", daemon=True)
            for n in range(min(PUBLISHERS, group.threads))
        ]

    def start(self) -> None:
        self._converger.start()
        self._secondary.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What is not finished is left to the sweep."""
        self._stopping.set()
        self._secondary.stop()
        self._zone_queue.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=5)
        self._converger.stop()

    def zone_changed(self, context: Context, change: ZoneAnnouncement) -> None:
        self._zone_queue.put(change)

    def refresh_zone(self, context: Context, zone_id: str, source: str | None = None) -> None:
        self._secondary.refresh_zone(zone_id, source)

    def check_zones(self, context: Context, changes: tuple[ZoneAnnouncement, ...]) -> None:
        self._checker.check(changes)

    def look(self, context: Context, change: ZoneAnnouncement) -> tuple[NameserverAnswer, ...]:
        return self._checker.look(change)

    def zone_served(self, context: Context, zone_id: str, serial: int, peer: str) -> None:
        self._converger.hint(zone_id, peer)

    def _publish(self) -> None:
        while not self._stopping.is_set():
            taken = self._zone_queue.take(timeout_s=1.0)
            if taken is None:
                continue
            change, merged = taken
            try:
                self._hand_over(change)
            except errors.DesignateError as error:
                LOG.warning("zone %s is left to the sweep: %s", change.zone_id, error)
            finally:
                # What comes for this zone in the meantime waits in its slot and is published as one.
                gap_s = min(MAX_PUBLISH_GAP_S, PUBLISH_GAP_S * max(1, merged))
                self._converger.later(gap_s, partial(self._zone_queue.done, change.zone_id))

    def _hand_over(self, change: ZoneAnnouncement) -> None:
        try:
            pool = self._pools.get(change.pool_id, change.pool_version)
            if change.kept_in is not None:
                pool = pool.without(self._pools.get(change.kept_in, change.kept_version))
        except (errors.NotFound, errors.ConfigurationError) as error:
            reason = f"pool {change.pool_id}: {error.message or error.type}"
            self._report(change, Outcome.FAILED, reason)
            return
        if change.kept_in is not None and not (pool.targets and pool.nameservers):
            # All that the old pool has is the new one's too.
            self._report(change, Outcome.ABSENT)
            return
        self._converger.want(change, pool)

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
