"""Secondary zones: what their workers need to know, and the content that they bring.

A transfer's content takes the place of the old one in one transaction and one step of the journal, so
that whoever reads the zone, and the pool's nameservers by IXFR, see one version or the other.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from oslo_config import cfg

from designate import errors
from designate.central import leases
from designate.central.base import Core
from designate.central.zone_change import JOURNAL_PRUNE_EVERY, MAX_JOURNAL_STEPS, announce, withdraw
from designate.central.zone_diff import TYPE_NS, Changes, Unfit, compare, follow, touched
from designate.context import Context, admin_context
from designate.model.recordsets import RecordSet, RecordSetId
from designate.model.secondary import InboundContent, InboundKey, InboundPlan, Taken
from designate.model.zones import Action, Status, Zone, ZoneType
from designate.runtime.backoff import jittered_early
from designate.runtime.cooperative import yielding
from designate.storage.sqlalchemy import journal, recordsets, secondary, shared_zone_counts, zones
from designate.storage.sqlalchemy.db.engine import Transaction
from designate.storage.sqlalchemy.journal import JournalStep
from designate.storage.sqlalchemy.zones import StoredZone
from designate.wire import rr, rrsets
from designate.wire.names import serial_gt
from designate.wire.rrsets import Soa

LOG = logging.getLogger(__name__)

GROUP = "service:central"
OPTS = [
    cfg.IntOpt(
        "secondary_min_refresh",
        default=60,
        min=1,
        help="Least seconds between two looks at the primaries of a secondary zone, whatever its SOA "
        "says. NOTIFY is acted on at once.",
    ),
]

LONGEST_REFRESH_S = 4 * 7 * 86400
LONGEST_EXPIRE_S = 24 * 7 * 86400
LONGEST_VAIN_WAIT_S = 3600
MOST_KEYS = 3
# Larger differences would outgrow a database's packet; their transfers are whole.
JOURNAL_MOST_BYTES = 4 * 2**20
TRIES = 3
HIGHEST = 2**31 - 1
EXPIRED = "The zone has expired: no primary could be reached in time"


@dataclass(frozen=True, slots=True)
class _New:
    """What a transfer makes of a zone as it was at `stored`: its row, and recordsets with their wire
    form."""

    stored: StoredZone
    soa: Soa
    changes: Changes
    zone: Zone
    made: list[tuple[RecordSet, bytes]]
    changed: list[tuple[RecordSet, bytes]]


class InboundEndpoint:
    """See rpc.interfaces.InboundApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # -- before a transfer -----------------------------------------------------------------------

    def plan(self, context: Context, zone_id: str) -> InboundPlan:
        with self._core.db.read() as connection:
            stored = _secondary(zones.stored(connection, zone_id))
            keys = secondary.zone_tsigkeys(connection, zone_id, MOST_KEYS)
        zone = stored.zone
        serial = None if stored.expired else stored.primary_serial
        return InboundPlan(
            zone_id=zone.id,
            name=zone.name,
            masters=zone.masters,
            newer_than=serial,
            # An administrator's change in between moves the zone away from what its primary knows.
            since=serial if serial == zone.serial else None,
            keys=tuple(
                InboundKey(name=name, algorithm=algorithm, secret=secret)
                for name, algorithm, secret in keys
            ),
        )

    # -- after it --------------------------------------------------------------------------------

    def stage(
        self, context: Context, zone_id: str, transfer_id: str, position: int, part: bytes
    ) -> None:
        core = self._core
        size_bytes = position * len(part)
        if size_bytes > 2 * core.conf["service:worker"].xfr_max_bytes:
            raise errors.BadRequest("The transfer is too large")

        def write(tx: Transaction) -> None:
            _secondary(zones.stored(tx.connection, zone_id))
            secondary.stage(tx, zone_id, transfer_id, position, part, core.now())

        core.db.write(write)

    def discard(self, context: Context, transfer_id: str) -> None:
        self._core.db.write(lambda tx: secondary.discard(tx, transfer_id))

    def replace_content(self, context: Context, content: InboundContent) -> Taken:
        for _ in range(TRIES):
            try:
                new = self._read(content)
            except Unfit as error:
                LOG.info("zone %s: %s; the whole zone is needed", content.zone_id, error)
                return Taken.UNFIT
            except ValueError as error:
                raise errors.BadRequest(f"The zone cannot be kept: {error}") from None
            if new is None:
                return Taken.OUTDATED
            if self._core.db.write(partial(self._store, content, new)):
                changes = new.changes
                LOG.info(
                    "zone %s serial %d was taken from a primary: %d records deleted, %d added",
                    content.zone_id, content.serial, len(changes.deleted), len(changes.added),
                )  # fmt: skip
                return Taken.STORED
        raise errors.Unavailable("the zone changes too often")

    def _read(self, content: InboundContent) -> _New | None:
        """What the transfer changes in the zone as it is now; None: nothing, it is not newer. Raises
        Unfit, and ValueError for content that cannot be kept. The zone is not held meanwhile."""
        with self._core.db.read() as connection:
            stored = _secondary(zones.stored(connection, content.zone_id))
            zone = stored.zone
            if not _is_newer(stored, content.serial):
                return None
            parts = secondary.staged(connection, zone.id, content.id)
            if len(parts) != content.staged:
                raise errors.BadRequest("Parts of the transfer are missing")
            wire = b"".join((*parts, content.tail))
            if content.difference:
                steps = rrsets.steps(wire)
                soa = steps[-1].new
                if stored.expired or not (
                    steps[0].old.serial == stored.primary_serial == zone.serial
                ):
                    raise Unfit(f"there is no difference from serial {steps[0].old.serial}")
                keys = touched(steps, zone.name)
                before = list(secondary.content_at(connection, zone.id, keys))
                after = follow(before, steps, zone.name, zone.ttl)
            else:
                soa, after = rrsets.whole(wire, zone.name)
                before = list(secondary.content(connection, zone.id))
            changes = compare(before, after, zone.ttl)
        apex = (zone.name.lower(), TYPE_NS)
        if apex not in after and (not content.difference or apex[0] in keys):
            raise ValueError("it has no NS records")
        self._check_bounds(stored, soa, changes)
        now = self._core.now()
        return _New(
            stored=stored,
            soa=soa,
            changes=changes,
            zone=_after(stored, soa, now),
            made=[_made(rrset, zone, now) for rrset in yielding(changes.made)],
            changed=[_changed(held, rrset, zone, now) for held, rrset in yielding(changes.changed)],
        )

    def _check_bounds(self, stored: StoredZone, soa: Soa, changes: Changes) -> None:
        """Quotas are for what users make; a primary's content has the bounds of transfers."""
        most = self._core.conf["service:worker"].xfr_max_records
        if stored.record_count + changes.records > most:
            raise ValueError(f"it would have more than {most} records")
        for text in (soa.mname, soa.email):
            if len(text) > rrsets.LONGEST_NAME:
                raise ValueError("a name in its SOA is too long to be written down")

    def _store(self, content: InboundContent, new: _New, tx: Transaction) -> bool:
        """False: the zone has changed since it was read."""
        core = self._core
        stored = zones.lock(tx, content.zone_id)
        if stored.zone.revision != new.stored.zone.revision or stored.expired != new.stored.expired:
            return False
        zone = stored.zone
        now = core.now()
        # Of all columns only those that are about waiting may have changed meanwhile.
        after = replace(new.zone, pending_since=_waiting_since(stored, now))
        recordsets.insert_many(tx, new.made, after.revision)
        secondary.update_many(tx, new.changed, after.revision)
        secondary.delete_many(tx, [held.id for held in new.changes.gone])
        if new.changes.gone:
            shared_zone_counts.recount(tx, zone)
        self._journal(tx, stored, after, new, now)
        refresh_at, expires_at = self._timers(after, now)
        zones.update(
            tx,
            zone.id,
            **{name: getattr(after, name) for name in _COLUMNS},
            primary_serial=content.serial,
            soa_wire=rr.soa_with_serial(new.soa.wire, after.serial),
            recordset_count=stored.recordset_count + new.changes.recordsets,
            record_count=stored.record_count + new.changes.records,
            refresh_at=refresh_at,
            expires_at=expires_at,
            expired_at=None,
            withdrawn=False,
            sent_at=None,
        )
        secondary.discard(tx, content.id)
        announce(core, tx, after, stored.pool_version)
        core.notify(tx, admin_context(), "dns.zone.update", after, zone)
        return True

    def _journal(
        self, tx: Transaction, stored: StoredZone, after: Zone, new: _New, now: datetime
    ) -> None:
        zone, changes = stored.zone, new.changes
        payload: bytes | None = None
        # Before the first transfer nobody had anything; expired data was taken away.
        if stored.primary_serial is not None and not stored.expired:
            payload = b"".join(
                (
                    rr.soa(zone.ttl, stored.soa_wire),
                    *changes.deleted,
                    rr.soa(after.ttl, rr.soa_with_serial(new.soa.wire, after.serial)),
                    *changes.added,
                )
            )
        journal.append(
            tx,
            JournalStep(
                zone_id=zone.id,
                revision=after.revision,
                from_serial=zone.serial,
                to_serial=after.serial,
                deleted_count=len(changes.deleted),
                added_count=len(changes.added),
                payload=payload if payload and len(payload) <= JOURNAL_MOST_BYTES else None,
            ),
            now,
        )
        if after.revision % JOURNAL_PRUNE_EVERY == 0:
            journal.prune(tx, zone.id, after.revision - MAX_JOURNAL_STEPS)

    # -- timers ----------------------------------------------------------------------------------

    def checked(self, context: Context, zone_id: str, serial: int) -> None:
        """RFC 1034 section 4.3.5: a primary with the same serial renews both timers."""
        core = self._core

        def write(tx: Transaction) -> None:
            stored = _secondary(zones.lock(tx, zone_id))
            if stored.primary_serial == serial and not stored.expired:
                secondary.set_timers(tx, zone_id, *self._timers(stored.zone, core.now()))

        core.db.write(write)

    def failed(self, context: Context, zone_id: str, reason: str) -> None:
        core = self._core

        def write(tx: Transaction) -> None:
            stored = _secondary(zones.lock(tx, zone_id))
            secondary.set_refresh(tx, [(zone_id, self._again(stored, core.now()))])

        core.db.write(write)
        LOG.warning("zone %s: no primary gave it: %s", zone_id, reason)

    def refresh(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        generation: int | None = None,
    ) -> int:
        core = self._core
        shards = (first_shard, last_shard)
        now = core.now()
        with core.db.read() as connection:
            leases.require(connection, generation)
            expiring = secondary.newly_expired(connection, shards, now, limit)
            due = secondary.due_for_refresh(connection, shards, now, limit)
        # Each in a transaction of its own: a zone that is being stored must not hold up the others.
        for stored in expiring:
            core.db.write(partial(self._expire, stored.zone.id, now))
        if due:
            core.db.write(partial(self._claim, due, now))
        return len(expiring) + len(due)

    def _expire(self, zone_id: str, now: datetime, tx: Transaction) -> None:
        """Take expired content from the nameservers (RFC 1034 section 4.3.5). The database keeps it:
        the next transfer is compared with it."""
        core = self._core
        stored = zones.lock(tx, zone_id)
        zone = stored.zone
        if (
            stored.expired
            or zone.action == Action.DELETE
            or not secondary.is_expired(tx, zone_id, now)
        ):
            return
        zones.update(
            tx,
            zone.id,
            expired_at=now,
            withdrawn=False,
            action=Action.UPDATE,
            status=Status.ERROR,
            error=EXPIRED,
            pending_since=zone.pending_since or now,
            updated_at=now,
            sent_at=now,
        )
        withdraw(core, tx, zone, stored.pool_version)
        expired = replace(zone, action=Action.UPDATE, status=Status.ERROR, error=EXPIRED)
        core.notify(tx, admin_context(), "dns.zone.update", expired, zone)
        LOG.warning("zone %s has expired and is withdrawn", zone.id)

    def _claim(self, due: list[StoredZone], now: datetime, tx: Transaction) -> None:
        """Hand zones out whose primaries are to be asked. The worker's answer sets the next time; should
        it not come, this does."""
        secondary.set_refresh(tx, [(stored.zone.id, self._again(stored, now)) for stored in due])
        for stored in due:
            send = partial(self._core.worker.refresh_zone, admin_context(), stored.zone.id)
            tx.after_commit.append(send)

    def _timers(self, zone: Zone, now: datetime) -> tuple[datetime, datetime]:
        """(next refresh, expiry) after a primary was heard. An expiry before two looks at the primaries
        would take away what is fine."""
        least = self._core.conf[GROUP].secondary_min_refresh
        refresh_s = min(max(zone.refresh, least), LONGEST_REFRESH_S)
        retry_s = min(max(zone.retry, least), LONGEST_REFRESH_S)
        expire_s = min(max(zone.expire, refresh_s + retry_s), LONGEST_EXPIRE_S)
        return (
            now + timedelta(seconds=jittered_early(refresh_s)),
            now + timedelta(seconds=expire_s),
        )

    def _again(self, stored: StoredZone, now: datetime) -> datetime:
        """When to ask after a failure: the SOA's retry. A zone without content has none; the longer it
        waits in vain, the less often its primaries are asked."""
        zone = stored.zone
        least = self._core.conf[GROUP].secondary_min_refresh
        if stored.primary_serial is None or stored.expired:
            since = zone.updated_at or zone.created_at
            vain_s = min((now - since).total_seconds() / 4, LONGEST_VAIN_WAIT_S)
            return now + timedelta(seconds=jittered_early(max(least, vain_s)))
        retry_s = min(max(zone.retry, least), LONGEST_REFRESH_S)
        return now + timedelta(seconds=jittered_early(retry_s))


_COLUMNS = (
    "serial", "revision", "action", "status", "error", "pending_since", "updated_at", "email", "ttl",
    "mname", "refresh", "retry", "expire", "minimum", "transferred_at",
)  # fmt: skip


def _secondary(stored: StoredZone) -> StoredZone:
    """Raises NotFound for zones that no primary has a say in (any more)."""
    if stored.zone.type != ZoneType.SECONDARY or stored.zone.action == Action.DELETE:
        raise errors.NotFound("zone")
    return stored


def _is_newer(stored: StoredZone, serial: int) -> bool:
    current = stored.primary_serial
    return current is None or stored.expired or serial_gt(serial, current)


def _waiting_since(stored: StoredZone, now: datetime) -> datetime:
    return now if stored.expired else stored.zone.pending_since or now


def _after(stored: StoredZone, soa: Soa, now: datetime) -> Zone:
    """The zone with the transfer's SOA. Its serial is the primary's, unless the nameservers have seen
    a higher one (after an expiry, or a change by an administrator): for them it must go forward."""
    zone = stored.zone
    serial = soa.serial
    if stored.primary_serial is not None and not serial_gt(serial, zone.serial):
        serial = (zone.serial + 1) % 2**32
    return replace(
        zone,
        serial=serial,
        revision=zone.revision + 1,
        action=Action.CREATE if stored.primary_serial is None else Action.UPDATE,
        status=Status.PENDING,
        error=None,
        updated_at=now,
        transferred_at=now,
        email=soa.email,
        ttl=min(soa.ttl, HIGHEST),
        mname=soa.mname,
        refresh=min(soa.refresh, HIGHEST),
        retry=min(soa.retry, HIGHEST),
        expire=min(soa.expire, HIGHEST),
        minimum=min(soa.minimum, HIGHEST),
        version=zone.version + 1,
    )


def _made(rrset: rrsets.RRset, zone: Zone, now: datetime) -> tuple[RecordSet, bytes]:
    return (
        RecordSet(
            id=RecordSetId(str(uuid.uuid4())),
            zone_id=zone.id,
            zone_name=zone.name,
            project_id=zone.project_id,
            name=rrset.name,
            type=rrsets.type_text(rrset.rtype),
            ttl=rrset.ttl,
            records=rrset.texts(),
            action=Action.CREATE,
            status=Status.PENDING,
            created_at=now,
        ),
        rrset.wire,
    )


def _changed(
    held: secondary.CurrentRecordSet, rrset: rrsets.RRset, zone: Zone, now: datetime
) -> tuple[RecordSet, bytes]:
    """Only what the update stores matters."""
    made, wire = _made(rrset, zone, now)
    changed = replace(made, id=RecordSetId(held.id), action=Action.UPDATE, updated_at=now)
    return changed, wire
