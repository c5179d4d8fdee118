"""The tasks that look after zones: each asks central for one bounded batch at a time."""

from __future__ import annotations

from oslo_config import cfg

from designate.context import admin_context
from designate.model.shards import Shards
from designate.producer.task import Task, group, paging

# Between two batches of one sweep: the pace at which work that waited is handed out, so that it
# takes no more than its part of what the services can do.
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
        "Zones that one batch hands out at most. Batches follow each other every 0.2 s while there "
        "is more to hand out; new changes pass them by.",
    ),
    group(PURGE): [
        *paging(
            3600,
            "Seconds between sweeps that remove deleted zones and old journal steps for good.",
            "Kept for old configurations: batch_size says how many rows a batch removes.",
        ),
        cfg.IntOpt(
            "time_threshold",
            default=604800,
            min=0,
            help="Seconds for which deleted zones stay in the database before they are removed.",
        ),
        cfg.IntOpt(
            "batch_size",
            default=100,
            min=1,
            max=10000,
            help="Zones and journal steps that one batch removes at most. Batches follow each other "
            "every 0.2 s until nothing is left.",
        ),
    ],
    group(SECONDARY): paging(
        5,
        "Seconds between sweeps for secondary zones whose primaries are to be asked, or whose data "
        "has expired. When that is says each zone's SOA; a sweep that finds nothing costs two indexed "
        "queries.",
        "Zones that one batch hands out at most. Batches follow each other every 0.2 s.",
    ),
    group(DELAYED_NOTIFY): [
        *paging(
            5,
            "Seconds between sweeps that bring zones in line with their pool's NS records.",
            "Kept for old configurations: batch_size says how many zones a batch changes.",
        ),
        cfg.IntOpt(
            "batch_size",
            default=100,
            min=1,
            max=1000,
            help="Zones that one batch changes at most. Batches follow each other every 0.2 s until "
            "nothing is left.",
        ),
    ],
    group(INCREMENT_SERIAL): [
        *paging(
            5,
            "Kept for old configurations: a zone's serial moves with each change, in the same "
            "transaction.",
            "Kept for old configurations.",
        ),
        cfg.IntOpt("batch_size", default=100, min=1, help="Kept for old configurations."),
    ],
}


class WorkerPeriodicRecovery(Task):
    """Hands out the zones that wait for their nameservers; after a restart the workers know
    nothing."""

    NAME = RECOVERY
    OPTIONS = OPTIONS_BY_GROUP[group(RECOVERY)]

    def run(self, shards: Shards) -> float | None:
        limit = self.options.per_page
        found = self.central.status.recover(
            admin_context(), shards.first, shards.last, limit, shards.generation
        )
        # What was held back because much is under way is not counted: only nothing is the end.
        return PAUSE_S if found else None


class ZonePurge(Task):
    """Removes zones that were deleted long ago, with all that belongs to them."""

    NAME = PURGE
    OPTIONS = OPTIONS_BY_GROUP[group(PURGE)]

    def run(self, shards: Shards) -> float | None:
        limit = self.options.batch_size
        gone = self.central.sweeps.purge(
            admin_context(),
            shards.first,
            shards.last,
            limit,
            self.options.time_threshold,
            shards.generation,
        )
        return PAUSE_S if gone >= limit else None


class SecondaryRefresh(Task):
    """Has workers ask the primaries of secondary zones, and takes expired zones from the
    nameservers."""

    NAME = SECONDARY
    OPTIONS = OPTIONS_BY_GROUP[group(SECONDARY)]

    def run(self, shards: Shards) -> float | None:
        limit = self.options.per_page
        found = self.central.secondary.refresh(
            admin_context(), shards.first, shards.last, limit, shards.generation
        )
        return PAUSE_S if found >= limit else None


class DelayedNotify(Task):
    """A change of a pool's NS records reaches its zones here, one serial and one NOTIFY for each."""

    NAME = DELAYED_NOTIFY
    OPTIONS = OPTIONS_BY_GROUP[group(DELAYED_NOTIFY)]

    def run(self, shards: Shards) -> float | None:
        limit = self.options.batch_size
        done = self.central.sweeps.follow_pools(
            admin_context(), shards.first, shards.last, limit, shards.generation
        )
        return PAUSE_S if done >= limit else None


class IncrementSerial(Task):
    """Known so that lists of enabled tasks stay valid. There is nothing to run: a serial moves in the
    transaction of the change itself."""

    NAME = INCREMENT_SERIAL
    OPTIONS = OPTIONS_BY_GROUP[group(INCREMENT_SERIAL)]
    NEEDED = False
