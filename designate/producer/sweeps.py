"""The producer: asks central for the periodic work, in bounded batches."""

from __future__ import annotations

from oslo_config import cfg

from designate.context import admin_context
from designate.producer.timer import Periodic
from designate.rpc.clients import CentralClient

RECOVERY = "producer_task:worker_periodic_recovery"
PURGE = "producer_task:zone_purge"
SECONDARY = "producer_task:periodic_secondary_refresh"
LAST_SHARD = 4095

OPTIONS_BY_GROUP = {
    "service:producer": [
        cfg.IntOpt("workers", min=1, help="Processes of designate-producer. Unset: one."),
    ],
    RECOVERY: [
        cfg.FloatOpt(
            "interval",
            default=2,
            min=0.1,
            help="Seconds between sweeps for changes whose message to a worker was lost. A sweep "
            "that finds nothing costs one indexed query.",
        ),
        cfg.IntOpt("per_page", default=1000, min=1, help="Zones that one sweep hands out at most."),
    ],
    SECONDARY: [
        cfg.FloatOpt(
            "interval",
            default=5,
            min=0.1,
            help="Seconds between sweeps for secondary zones whose primaries are to be asked, or whose "
            "data has expired. When that is says each zone's SOA; a sweep that finds nothing costs two "
            "indexed queries.",
        ),
        cfg.IntOpt("per_page", default=1000, min=1, help="Zones that one sweep hands out at most."),
    ],
    PURGE: [
        cfg.FloatOpt(
            "interval",
            default=3600,
            min=1,
            help="Seconds between sweeps that remove deleted zones and old journal steps for good.",
        ),
        cfg.IntOpt("batch_size", default=1000, min=1, help="Rows that one sweep removes at most."),
    ],
}


class Producer:
    """Starts with a recovery sweep: after a restart the workers know nothing."""

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient) -> None:
        self._conf = conf
        self._central = central
        self._timers = [
            Periodic("worker_periodic_recovery", conf[RECOVERY].interval, self._recover),
            Periodic("periodic_secondary_refresh", conf[SECONDARY].interval, self._refresh),
            Periodic("zone_purge", conf[PURGE].interval, self._purge),
        ]

    def start(self) -> None:
        for timer in self._timers:
            timer.start()

    def stop(self) -> None:
        for timer in self._timers:
            timer.stop()

    def _recover(self) -> None:
        limit = self._conf[RECOVERY].per_page
        self._central.status.recover(admin_context(), 0, LAST_SHARD, limit)

    def _refresh(self) -> None:
        limit = self._conf[SECONDARY].per_page
        self._central.inbound.refresh(admin_context(), 0, LAST_SHARD, limit)

    def _purge(self) -> None:
        limit = self._conf[PURGE].batch_size
        while self._central.status.purge(admin_context(), 0, LAST_SHARD, limit) >= limit:
            pass
