"""The periodic tasks on zones: each requests bounded batches from central."""

from __future__ import annotations

from oslo_config import cfg

from designate.context import admin_context
from designate.model.shards import Shards
from designate.producer.task import Task, group, paging

# Pause between two batches of a sweep, so that recovery uses only a part of the services' capacity.
PAUSE_S = 0.2

RECOVERY = "worker_periodic_recovery"
PURGE = "zone_purge"
SECONDARY = "periodic_secondary_refresh"
DELAYED_NOTIFY = "delayed_notify"
INCREMENT_SERIAL = "increment_serial"

OPTIONS_BY_GROUP = {
    group(RECOVERY): paging(
        2,
        "Seconds between sweeps for changes whose message to a worker was lost. A sweep that finds "
        "nothing costs one indexed query.",
        "Maximum zones of one batch. Batches follow each other every 0.2 s while there are more; new "
        "changes take precedence.",
    ),
    group(PURGE): [
        *paging(
            3600,
            "Seconds between sweeps that purge deleted zones and old journal steps.",
            "Accepted for compatibility and ignored; see batch_size.",
        ),
        cfg.IntOpt(
            "time_threshold",
            default=604800,
            min=0,
            help="Seconds that deleted zones stay in the database before they are purged.",
        ),
        cfg.IntOpt(
            "batch_size",
            default=100,
            min=1,
            max=10000,
            help="Maximum zones and journal steps of one batch. Batches follow each other every 0.2 s "
            "while there are more.",
        ),
    ],
    group(SECONDARY): paging(
        5,
        "Seconds between sweeps for secondary zones that are due for a refresh or have expired, "
        "according to their SOA. A sweep that finds nothing costs two indexed queries.",
        "Maximum zones of one batch. Batches follow each other every 0.2 s.",
    ),
    group(DELAYED_NOTIFY): [
        *paging(
            5,
            "Seconds between sweeps that update zones to the NS records of their pool.",
            "Accepted for compatibility and ignored; see batch_size.",
        ),
        cfg.IntOpt(
            "batch_size",
            default=100,
            min=1,
            max=1000,
            help="Maximum zones of one batch. Batches follow each other every 0.2 s while there are "
            "more.",
        ),
    ],
    group(INCREMENT_SERIAL): [
        *paging(
            5,
            "Accepted for compatibility and ignored: each change increments the zone's serial in its "
            "own transaction.",
            "Accepted for compatibility and ignored.",
        ),
        cfg.IntOpt(
            "batch_size", default=100, min=1, help="Accepted for compatibility and ignored."
        ),
    ],
}


class WorkerPeriodicRecovery(Task):
    """Hands zones with pending changes to the workers, which have no memory across restarts."""

    NAME = RECOVERY
    OPTIONS = OPTIONS_BY_GROUP[group(RECOVERY)]

    def run(self, shards: Shards) -> float | None:
        limit = self.options.per_page
        found = self.central.status.recover(
            admin_context(), shards.first, shards.last, limit, shards.generation
        )
        # Zones that were deferred because of load are not counted, so only 0 means the end.
        return PAUSE_S if found else None


class ZonePurge(Task):
    """Purges zones that were deleted long ago, with everything that belongs to them."""

    NAME = PURGE
    OPTIONS = OPTIONS_BY_GROUP[group(PURGE)]

    def run(self, shards: Shards) -> float | None:
        limit = self.options.batch_size
        purged = self.central.sweeps.purge(
            admin_context(),
            shards.first,
            shards.last,
            limit,
            self.options.time_threshold,
            shards.generation,
        )
        return PAUSE_S if purged >= limit else None


class SecondaryRefresh(Task):
    """Has workers refresh secondary zones, and withdraws expired ones from the nameservers."""

    NAME = SECONDARY
    OPTIONS = OPTIONS_BY_GROUP[group(SECONDARY)]

    def run(self, shards: Shards) -> float | None:
        limit = self.options.per_page
        found = self.central.secondary.refresh(
            admin_context(), shards.first, shards.last, limit, shards.generation
        )
        return PAUSE_S if found >= limit else None


class DelayedNotify(Task):
    """Updates zones to the changed NS records of their pool, each with one serial and one NOTIFY."""

    NAME = DELAYED_NOTIFY
    OPTIONS = OPTIONS_BY_GROUP[group(DELAYED_NOTIFY)]

    def run(self, shards: Shards) -> float | None:
        limit = self.options.batch_size
        done = self.central.sweeps.follow_pools(
            admin_context(), shards.first, shards.last, limit, shards.generation
        )
        return PAUSE_S if done >= limit else None


class IncrementSerial(Task):
    """Exists so that lists of enabled tasks stay valid; each change increments the serial itself."""

    NAME = INCREMENT_SERIAL
    OPTIONS = OPTIONS_BY_GROUP[group(INCREMENT_SERIAL)]
    NEEDED = False
