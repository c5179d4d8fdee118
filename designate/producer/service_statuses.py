"""The tasks that maintain the list of services, run by the producer with the first shard."""

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
            "Seconds between sweeps that store which services are DOWN. Lists show it within three "
            "heartbeats in any case.",
            "Maximum services of one batch.",
        ),
        cfg.IntOpt(
            "time_threshold",
            default=1800,
            min=1,
            help="Seconds without a heartbeat after which a service is stored as DOWN.",
        ),
    ],
    group(CLEAN_UP): [
        *paging(
            172800,
            "Seconds between sweeps that remove services which stopped or are DOWN.",
            "Maximum services of one batch.",
        ),
        cfg.IntOpt(
            "time_threshold",
            default=604800,
            min=0,
            help="Seconds without a heartbeat after which a service that is DOWN is removed. "
            "0: never.",
        ),
    ],
}


class CheckServiceStatus(Task):
    """Stores services without recent heartbeats as DOWN."""

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
    """Removes services that stopped or have been DOWN for long."""

    NAME = CLEAN_UP
    OPTIONS = OPTIONS_BY_GROUP[group(CLEAN_UP)]

    def run(self, shards: Shards) -> float | None:
        if not shards.leads:
            return None
        limit = self.options.per_page
        removed = self.central.services.clean_up(
            admin_context(), self.options.time_threshold or None, limit
        )
        return PAUSE_S if removed >= limit else None
