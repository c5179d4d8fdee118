"""The tasks that keep the list of services true. They belong to the holder of the first shards."""

from __future__ import annotations

from oslo_config import cfg

from designate.context import admin_context
from designate.model.shards import Shards
from designate.producer.sweeps import PAUSE_S
from designate.producer.task import Task, group, paging

CHECK = "periodic_check_service_status"
CLEAN_UP = "periodic_cleanup_stopped_service_status"

OPTIONS_BY_GROUP = {
    group(CHECK): [
        *paging(
            3600,
            "Seconds between sweeps that write down which services are DOWN. Lists show it within "
            "three heartbeats in any case.",
            "Services that one batch marks at most.",
        ),
        cfg.IntOpt(
            "time_threshold",
            default=1800,
            min=1,
            help="Seconds without a heartbeat after which a service is written down as DOWN.",
        ),
    ],
    group(CLEAN_UP): [
        *paging(
            172800,
            "Seconds between sweeps that forget services which stopped or are down.",
            "Services that one batch forgets at most.",
        ),
        cfg.IntOpt(
            "time_threshold",
            default=604800,
            min=0,
            help="Seconds without a heartbeat after which a service that is DOWN is forgotten. "
            "0: never.",
        ),
    ],
}


class CheckServiceStatus(Task):
    """Services that said nothing for long become DOWN in the database too."""

    NAME = CHECK
    OPTIONS = OPTIONS_BY_GROUP[group(CHECK)]

    def run(self, shards: Shards) -> float | None:
        if not shards.leads:
            return None
        limit = self.options.per_page
        marked = self.central.services.mark_down(
            admin_context(), self.options.time_threshold, limit
        )
        return PAUSE_S if marked >= limit else None


class CleanUpServiceStatus(Task):
    """Services that stopped, or are down for good, go from the list."""

    NAME = CLEAN_UP
    OPTIONS = OPTIONS_BY_GROUP[group(CLEAN_UP)]

    def run(self, shards: Shards) -> float | None:
        if not shards.leads:
            return None
        limit = self.options.per_page
        gone = self.central.services.clean_up(
            admin_context(), self.options.time_threshold or None, limit
        )
        return PAUSE_S if gone >= limit else None
