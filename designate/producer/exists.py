"""The task that sends dns.zone.exists notifications, which clouds use for billing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from oslo_config import cfg

from designate.context import admin_context
from designate.model.codec import timestamp
from designate.model.shards import Shards
from designate.notifications import Notification, NotificationEmitter
from designate.producer.task import Task, group, paging
from designate.rpc.clients import CentralClient

EXISTS = "periodic_exists"

OPTIONS_BY_GROUP = {
    group(EXISTS): paging(
        3600,
        "Length of an audit period in seconds; periods are counted from 1970-01-01, so that all "
        "producers agree. After each period, one notification is sent for every zone that existed at "
        "its end.",
        "Maximum zones of one batch. If a producer is killed, as many notifications may be lost.",
    ),
}

EPOCH = datetime(1970, 1, 1)
# Delay after the end of a period, as clocks differ slightly.
CLOCK_SKEW_S = 1.0
BATCH_PAUSE_S = 0.01


class PeriodicExists(Task):
    """Sends dns.zone.exists for every zone, once per period.

    Central hands out each zone once per period, so restarts and reassigned shards repeat nothing.
    """

    NAME = EXISTS
    OPTIONS = OPTIONS_BY_GROUP[group(EXISTS)]

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient) -> None:
        super().__init__(conf, central)
        self._notifier = NotificationEmitter(conf, "producer")
        # The end of the period that is in progress, and its shards.
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
        until, remaining_s = self._period()
        if self._at != (until, shards):
            self._at, self._after, self._done = (until, shards), "", False
        if self._done:
            return remaining_s
        limit = self.options.per_page
        found = self.central.sweeps.audit(
            admin_context(), shards.first, shards.last, limit, self._after, until, shards.generation
        )
        more = {
            "audit_period_beginning": timestamp(until - timedelta(seconds=self.interval_s)),
            "audit_period_ending": timestamp(until),
        }
        for zone in found:
            self._notifier.send(admin_context(), Notification("dns.zone.exists", zone, more=more))
        if len(found) >= limit:
            self._after = found[-1].id
            return BATCH_PAUSE_S
        self._done = True
        return remaining_s

    def _period(self) -> tuple[datetime, float]:
        """Return the end of the last complete period, and the seconds until the next end."""
        now_s = datetime.now(UTC).timestamp() - CLOCK_SKEW_S
        ended_s = now_s // self.interval_s * self.interval_s
        return EPOCH + timedelta(seconds=ended_s), ended_s + self.interval_s - now_s
