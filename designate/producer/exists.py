"""The task that tells which zones exist: what a cloud bills by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from oslo_config import cfg

from designate.context import admin_context
from designate.model.codec import timestamp
from designate.model.shards import Shards
from designate.notifications import Event, Notifier
from designate.producer.task import Task, group, paging
from designate.rpc.clients import CentralClient

EXISTS = "periodic_exists"

OPTIONS_BY_GROUP = {
    group(EXISTS): paging(
        3600,
        "Seconds of an audit period, counted from 1970-01-01 on, so that all producers agree. After "
        "each one every zone that existed then is told of once.",
        "Zones that one batch tells of. As many may go untold when a producer is killed meanwhile.",
    ),
}

EPOCH = datetime(1970, 1, 1)
# Not at the very end of a period, as clocks differ a little.
SETTLE_S = 1.0
BATCH_PAUSE_S = 0.01


class PeriodicExists(Task):
    """dns.zone.exists for every live zone, once for each period, whoever works on its shard and
    however often a producer starts: central gives a zone out once for a period."""

    NAME = EXISTS
    OPTIONS = OPTIONS_BY_GROUP[group(EXISTS)]

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient) -> None:
        super().__init__(conf, central)
        self._notifier = Notifier(conf, "producer")
        # Up to where the period of these shards is told.
        self._at: tuple[datetime, Shards] | None = None
        self._after = ""
        self._done = False

    def start(self) -> None:
        self._notifier.start()

    def stop(self) -> None:
        self._notifier.stop()

    def run(self, shards: Shards) -> float | None:
        if not self._notifier.enabled:
            return None
        until, left_s = self._period()
        if self._at != (until, shards):
            self._at, self._after, self._done = (until, shards), "", False
        if self._done:
            return left_s
        limit = self.options.per_page
        found = self.central.sweeps.audit(
            admin_context(), shards.first, shards.last, limit, self._after, until, shards.generation
        )
        more = {
            "audit_period_beginning": timestamp(until - timedelta(seconds=self.interval_s)),
            "audit_period_ending": timestamp(until),
        }
        for zone in found:
            self._notifier.send(admin_context(), Event("dns.zone.exists", zone, more=more))
        if len(found) >= limit:
            self._after = found[-1].id
            return BATCH_PAUSE_S
        self._done = True
        return left_s

    def _period(self) -> tuple[datetime, float]:
        """(end of the newest period that is over, seconds until the next one is)."""
        now_s = datetime.now(UTC).timestamp() - SETTLE_S
        ended_s = now_s // self.interval_s * self.interval_s
        return EPOCH + timedelta(seconds=ended_s), ended_s + self.interval_s - now_s
