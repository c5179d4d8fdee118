"""The task that has all zones compared with what their nameservers serve, over and over."""

from __future__ import annotations

import time

from oslo_config import cfg

from designate.context import admin_context
from designate.model.shards import Shards
from designate.producer.task import Task, group, paging
from designate.rpc.clients import CentralClient

RECONCILIATION = "periodic_reconciliation"

OPTIONS_BY_GROUP = {
    group(RECONCILIATION): [
        *paging(
            600,
            "Seconds from the beginning of one look at all zones to that of the next one: after so "
            "long at most, and what the rate makes of it, a server that lost a zone is found.",
            "Zones that one batch hands to a worker.",
        ),
        cfg.FloatOpt(
            "rate",
            default=50,
            min=0.1,
            help="Zones that each producer has looked at in a second, one SOA query to each of "
            "their nameservers.",
        ),
    ],
}
# Before a pass begins anew that took longer than the interval.
REST_S = 1.0


class PeriodicReconciliation(Task):
    """Hands one batch of zones after the other to a worker, at a steady rate, and begins anew when it
    has been through its shards. A zone that was changed behind our back is found in the first pass
    that begins after it."""

    NAME = RECONCILIATION
    OPTIONS = OPTIONS_BY_GROUP[group(RECONCILIATION)]

    def __init__(self, conf: cfg.ConfigOpts, central: CentralClient) -> None:
        super().__init__(conf, central)
        self._shards: Shards | None = None
        self._after = ""
        self._began_s = 0.0

    def run(self, shards: Shards) -> float | None:
        if self._shards != shards or not self._after:
            self._shards, self._after, self._began_s = shards, "", time.monotonic()
        limit = self.options.per_page
        self._after = self.central.sweeps.reconcile(
            admin_context(), shards.first, shards.last, limit, self._after, shards.generation
        )
        if self._after:
            return float(limit / self.options.rate)
        return max(REST_S, self.interval_s - (time.monotonic() - self._began_s))
