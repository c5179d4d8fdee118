"""The task that continuously compares all zones with what their nameservers serve."""

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
            "Minimum seconds between the starts of two passes over all zones. A server that lost a "
            "zone is found within one pass, whose length also depends on the rate.",
            "Zones in one batch for a worker.",
        ),
        cfg.FloatOpt(
            "rate",
            default=50,
            min=0.1,
            help="Zones per second that each producer has checked, with one SOA query to each of "
            "their nameservers.",
        ),
    ],
}
# Pause after a pass that took longer than the interval.
PASS_PAUSE_S = 1.0


class PeriodicReconciliation(Task):
    """Hands batches of zones to a worker at a steady rate, in passes over its shards.

    A zone that was changed on a nameserver is found in the first pass that starts afterwards.
    """

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
        return max(PASS_PAUSE_S, self.interval_s - (time.monotonic() - self._began_s))
