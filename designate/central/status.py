"""Status of zones: workers' reports, and the recovery sweep that announces pending zones again."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from oslo_config import cfg
from oslo_policy import policy

from designate import errors, metrics
from designate.central import leases, pool_moves
from designate.central.base import Core
from designate.central.jobs import JobRunner
from designate.central.zone_change import advance, announcement_of, soft_deleted, withdrawal_of
from designate.context import Context, admin_context
from designate.model.zones import Action, Outcome, Status, Zone, ZoneReport, ZoneType
from designate.runtime.mass_log import MassLog
from designate.storage.sqlalchemy import sweeps, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.zone_rows import StoredZone
from designate.wire.names import serial_gt

LOG = logging.getLogger(__name__)

GROUP = "service:central"
OPTS = [
    cfg.FloatOpt(
        "recover_after",
        default=3.0,
        min=0.1,
        help="Seconds after which the recovery sweep sends a change to a worker again if its "
        "nameservers do not serve it yet. A shorter time repairs lost messages sooner and repeats more "
        "work while nameservers are slow.",
    ),
    cfg.FloatOpt(
        "retry_failed_after",
        default=15.0,
        min=0.1,
        help="Seconds between attempts for zones in ERROR, and for zones whose nameservers are slower "
        "than convergence_deadline.",
    ),
    cfg.IntOpt(
        "journal_max_age",
        default=604800,
        min=60,
        help="Seconds for which differences between serials are stored for IXFR. A nameserver that "
        "was unreachable for longer transfers whole zones.",
    ),
]

RULES: tuple[policy.RuleDefault, ...] = ()
MAX_ERROR_LENGTH = 1000
# Per producer. About what nameservers take in `recover_after`: if zones were sent faster than that, all
# pending zones would be sent again and again, which costs more than serving them.
MAX_IN_FLIGHT = 200
# Between serials that pass those of nameservers: twice as long each time, within these bounds.
MIN_PASS_DELAY = timedelta(seconds=5)
MAX_PASS_DELAY = timedelta(minutes=10)


class StatusEndpoint:
    """See rpc.interfaces.StatusApi."""

    def __init__(self, core: Core, jobs: JobRunner) -> None:
        self._core = core
        self._jobs = jobs
        self._news = MassLog(LOG, "zone")

    def report(self, context: Context, report: ZoneReport) -> None:
        """Store what a worker found out about a zone.

        Idempotent, and harmless when delayed: a report counts only for the revisions that it proves.
        """

        def write(tx: Transaction) -> str | None:
            try:
                stored = zones.lock(tx, report.zone_id)
            except errors.NotFound:
                return pool_moves.apply_report(tx, report)
            news = self._apply(tx, stored, report)
            if news and self._core.notifications_enabled:
                self._notify_update(tx, stored.zone)
            return news

        news = self._core.db.write(write, report.zone_id)
        if news:
            worse = report.outcome in (Outcome.LATE, Outcome.FAILED, Outcome.DRIFTED)
            self._news.add(logging.WARNING if worse else logging.INFO, report.zone_id, news)

    def _apply(self, tx: Transaction, stored: StoredZone, report: ZoneReport) -> str | None:
        """Return the news for the log; None if the report changes nothing."""
        zone = stored.zone
        if report.pool_id not in (None, zone.pool_id):
            return None  # The zone has moved to another pool.
        if stored.expired and zone.action != Action.DELETE:
            return self._withdrawn(tx, stored, report)
        if report.outcome is Outcome.ABSENT:
            return self._absent(tx, zone)
        if report.outcome is Outcome.SERVED:
            return self._served(tx, stored, report)
        if report.outcome is Outcome.DRIFTED:
            return self._drifted(tx, stored, report)
        return self._missed(tx, stored, report)

    def _notify_update(self, tx: Transaction, before: Zone) -> None:
        """Emit an update; also at the end of a deletion, whose request emitted the delete."""
        try:
            after = zones.get_stored(tx.connection, before.id).zone
        except errors.NotFound:
            after = soft_deleted(before, self._core.now())
        self._core.notify(tx, admin_context(), "dns.zone.update", after, before)

    def _withdrawn(self, tx: Transaction, stored: StoredZone, report: ZoneReport) -> str | None:
        """Record that an expired zone (RFC 1034 section 4.3.5) is gone from its nameservers.

        They create it again with its next content.
        """
        gone = report.outcome is Outcome.ABSENT and report.revision == stored.zone.revision
        if not gone or stored.withdrawn:
            return None
        zones.update(tx, stored.zone.id, withdrawn=True, served_revision=0)
        return "expired and removed from its nameservers"

    def _absent(self, tx: Transaction, zone: Zone) -> str | None:
        if zone.action != Action.DELETE:
            return None
        zones.soft_delete(tx, zone, self._core.now())
        return "deleted from its nameservers"

    def _served(self, tx: Transaction, stored: StoredZone, report: ZoneReport) -> str | None:
        """Record the proof of the report's revision.

        It proves no newer one, whose own announcement has its own proof. Serials that are newer than
        the zone's were never assigned, so they prove nothing.
        """
        zone = stored.zone
        if zone.action == Action.DELETE:
            return None
        newest = report.serial if report.newest is None else report.newest
        others = report.revision == zone.revision and report.newest == zone.serial
        if others or serial_gt(newest, zone.serial):
            return self._ahead(tx, stored, report, newest)
        if report.revision == zone.revision and report.serial != zone.serial:
            return None
        served = max(zone.served_revision, min(report.revision, zone.revision))
        if served == zone.served_revision and zone.status == Status.ACTIVE:
            return None
        if served >= zone.revision:
            zones.update(
                tx,
                zone.id,
                served_revision=served,
                action=Action.NONE,
                status=Status.ACTIVE,
                pending_since=None,
                sent_at=None,
                error=None,
            )
            return f"revision {served} active"
        if served > zone.served_revision:
            zones.update(tx, zone.id, served_revision=served, status=Status.PENDING, error=None)
        return None

    def _missed(self, tx: Transaction, stored: StoredZone, report: ZoneReport) -> str | None:
        """Record a failure: ERROR for a refusing target, PENDING for slow nameservers."""
        zone = stored.zone
        outdated = report.revision < zone.revision or zone.served_revision >= zone.revision
        if outdated and zone.action != Action.DELETE:
            return None
        if report.newest is not None and serial_gt(report.newest, zone.serial):
            return self._ahead(tx, stored, report, report.newest)
        error = (report.error or "")[:MAX_ERROR_LENGTH]
        late = report.outcome is Outcome.LATE
        status = Status.PENDING if late else Status.ERROR
        if zone.status == status and zone.error == error:
            return None
        zones.update(tx, zone.id, status=status, error=error, sent_at=self._core.now())
        return f"revision {zone.revision} {'late' if late else 'failed'}: {error}"

    def _drifted(self, tx: Transaction, stored: StoredZone, report: ZoneReport) -> str | None:
        """Make an active zone pending again that its nameservers no longer serve.

        The recovery sweep then handles it even if the worker dies.
        """
        zone = stored.zone
        converged = zone.status == Status.ACTIVE and zone.action == Action.NONE
        if not converged or report.revision != zone.revision:
            return None
        if serial_gt(report.serial, zone.serial):
            return self._ahead(tx, stored, report, report.serial)
        now = self._core.now()
        zones.update(
            tx,
            zone.id,
            action=Action.UPDATE,
            status=Status.PENDING,
            served_revision=zone.revision - 1,
            pending_since=now,
            sent_at=now,
        )
        return f"no longer served: {report.error}"

    def _ahead(
        self, tx: Transaction, stored: StoredZone, report: ZoneReport, serial: int
    ) -> str | None:
        """Store that a nameserver has a newer serial than this service assigned.

        The database is an old copy, or something else wrote to the server. A secondary would refuse
        transfers, so the zone gets a serial newer than that, less and less often where that does not
        help.
        """
        zone = stored.zone
        if report.revision != zone.revision:
            return None  # The newest change's own reports say whether it still is.
        reason = report.error or f"a nameserver has serial {serial}, ahead of the zone's"
        error = reason[:MAX_ERROR_LENGTH]
        now = self._core.now()
        if _may_pass(zone, now):
            after = advance(self._core, tx, stored, newer_than=serial, sample=stored.sample)
            zones.update(tx, zone.id, error=error, sent_at=now)
            return f"moved to serial {after.serial}: {error}"
        if zone.status == Status.PENDING and zone.error == error:
            return None
        zones.update(
            tx,
            zone.id,
            action=Action.UPDATE if zone.action == Action.NONE else zone.action,
            status=Status.PENDING,
            served_revision=min(zone.served_revision, zone.revision - 1),
            pending_since=zone.pending_since or now,
            sent_at=now,
            error=error,
        )
        return f"revision {zone.revision} not proven: {error}"

    def recover(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        generation: int | None = None,
    ) -> int:
        core = self._core
        conf = core.conf[GROUP]

        def write(tx: Transaction) -> int:
            leases.require(tx.connection, generation)
            pending = sweeps.claim_pending(
                tx,
                (first_shard, last_shard),
                core.now(),
                limit=limit,
                max_in_flight=MAX_IN_FLIGHT,
                pending_age_s=conf.recover_after,
                error_age_s=conf.retry_failed_after,
            )
            if len(pending) < limit:
                shards = (first_shard, last_shard)
                pool_moves.delete_stale_copies(core, tx, shards, limit, conf.retry_failed_after)
            for stored in pending:
                change = (
                    withdrawal_of(stored.zone, stored.pool_version, recovery=True)
                    if stored.expired and stored.zone.action != Action.DELETE
                    else announcement_of(
                        stored.zone,
                        stored.pool_version,
                        stored.soa_wire,
                        stored.sample,
                        hard_delete=stored.hard_delete,
                        recovery=True,
                    )
                )
                send = partial(core.worker.zone_changed, admin_context(), change)
                tx.after_commit.append(send)
            return len(pending)

        count = core.db.write(write)
        if first_shard == 0:
            self._jobs.recover()
        metrics.SWEPT.labels("recovery").inc(count)
        if count:
            LOG.info("recovery: announced %d zones again", count)
        return count


def _may_pass(zone: Zone, now: datetime) -> bool:
    """Return whether the zone may get a serial that passes a nameserver's.

    At once for the first one; the others wait as long as the zone had been pending when it last moved,
    which doubles the wait each time.
    """
    if zone.type == ZoneType.SECONDARY:
        return False  # Its primary assigns the serials.
    moved_at = zone.updated_at or zone.created_at
    if zone.error is None or zone.pending_since is None:
        return True
    return now - moved_at >= min(MAX_PASS_DELAY, max(MIN_PASS_DELAY, moved_at - zone.pending_since))
