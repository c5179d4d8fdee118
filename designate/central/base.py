"""What every aggregate of central has at hand, and the one way in which a zone changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from oslo_config import cfg

from designate import errors
from designate.central.policy import Policy
from designate.context import Context, admin_context
from designate.model.quotas import Quotas
from designate.model.zones import Action, Status, Zone, ZoneChange, ZoneType
from designate.notifications import Event, Notifier
from designate.rpc.interfaces import WorkerApi
from designate.storage.sqlalchemy import journal, zones
from designate.storage.sqlalchemy.db.engine import Database, Transaction
from designate.storage.sqlalchemy.journal import Step
from designate.storage.sqlalchemy.listing.pagination import Scope
from designate.storage.sqlalchemy.zones import StoredZone
from designate.wire import names, rr

LOG = logging.getLogger(__name__)

JOURNAL_STEPS_KEPT = 1000
JOURNAL_PRUNE_EVERY = 128
T = TypeVar("T")
# What every revision sets in the zone's row, besides its SOA.
ADVANCED = ("serial", "revision", "action", "status", "pending_since", "error", "updated_at")
EMPTY: Mapping[str, Any] = {}


def utcnow() -> datetime:
    """Now, as stored: naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


class QuotaDriver(Protocol):
    """Decides what a project may have; plug-ins under `designate.quota`."""

    def limits(self, conf: cfg.ConfigOpts, overrides: Mapping[str, int]) -> Quotas:
        """overrides: what the project was given. -1 is no limit."""
        ...


@dataclass(frozen=True, slots=True)
class Core:
    """The parts that the aggregates share."""

    conf: cfg.ConfigOpts
    db: Database
    worker: WorkerApi
    policy: Policy
    quotas: QuotaDriver
    now: Callable[[], datetime] = utcnow
    notifier: Notifier | None = None

    def tell(
        self,
        tx: Transaction,
        context: Context,
        event: str,
        after: T,
        before: T | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> T:
        """Notify of what happened, once the transaction is durable; see notifications.Event. Answers
        `after`."""
        if self.tells and self.notifier is not None:
            tx.after_commit.append(
                partial(self.notifier.put, context, Event(event, after, before, more))
            )
        return after

    @property
    def tells(self) -> bool:
        return self.notifier is not None and self.notifier.enabled


def scope_of(context: Context) -> Scope:
    return Scope(project_id=context.project_id, all_projects=context.all_projects)


def target_of(context: Context, zone: Zone) -> dict[str, Any]:
    """The policy target of operations on a zone. zone_shared: with the caller's project; that others
    may use the zone, or that the caller sees all projects, gives the caller nothing."""
    foreign = zone.project_id != context.project_id and not context.all_projects
    return {
        "zone_id": zone.id,
        "zone_name": zone.name,
        "zone_type": str(zone.type),
        "zone_shared": zone.shared and foreign,
        "project_id": zone.project_id,
        "tenant_id": zone.project_id,
    }


def own_target(context: Context) -> dict[str, Any]:
    """The policy target of operations on nothing in particular: the caller's own project."""
    return {"project_id": context.project_id, "tenant_id": context.project_id}


def refuse_pending_delete(zone: Zone) -> None:
    if zone.action == Action.DELETE:
        raise errors.BadRequest("The zone is being deleted")


def buried(zone: Zone, now: datetime) -> Zone:
    """The zone as its tombstone tells of it."""
    return replace(
        zone, action=Action.NONE, status=Status.DELETED, pending_since=None, updated_at=now
    )


def advance(
    core: Core,
    tx: Transaction,
    stored: StoredZone,
    *,
    deleted: Iterable[bytes] = (),
    added: Iterable[bytes] = (),
    whole: bool = False,
    soa_wire: bytes | None = None,
    beyond: int | None = None,
    columns: Mapping[str, Any] = EMPTY,
    later: bool = False,
) -> Zone:
    """Give the locked zone its next revision: serial, journal step, status, and after commit the
    word to the worker. Answers the zone as it is then.

    deleted, added: RRs with their real TTLs. whole: the difference cannot be told by them (the
    zone's TTL changed), so the journal breaks here. soa_wire: the SOA's data where more than its
    serial changes. beyond: a serial that the new one must be newer than. columns: other columns of the
    zone's row to set. later: the worker is to take changes that somebody waits for first.
    """
    zone = stored.zone
    if stored.expired:
        raise errors.BadRequest("The zone has expired: its content comes from its masters alone")
    now = core.now()
    serial = (
        # The next ones are the primary's to give; the least step forward leaves most of them.
        (zone.serial + 1) % names.SERIAL_MODULUS
        if zone.type == ZoneType.SECONDARY
        else names.next_serial(
            zone.serial if beyond is None else beyond, now.replace(tzinfo=UTC).timestamp()
        )
    )
    after = replace(
        zone,
        **{name: value for name, value in columns.items() if name in Zone.__slots__},
        serial=serial,
        revision=zone.revision + 1,
        action=Action.UPDATE,
        status=Status.PENDING,
        pending_since=zone.pending_since or now,
        error=None,
        updated_at=now,
        version=zone.version + 1,
    )
    new_soa = rr.soa_with_serial(soa_wire or stored.soa_wire, serial)
    removed, put = list(deleted), list(added)
    payload = (
        None
        if whole
        else b"".join(
            (rr.soa(zone.ttl, stored.soa_wire), *removed, rr.soa(after.ttl, new_soa), *put)
        )
    )
    journal.append(
        tx,
        Step(
            zone_id=zone.id,
            revision=after.revision,
            from_serial=zone.serial,
            to_serial=serial,
            deleted_count=len(removed),
            added_count=len(put),
            payload=payload,
        ),
        now,
    )
    if after.revision % JOURNAL_PRUNE_EVERY == 0:
        journal.prune(tx, zone.id, after.revision - JOURNAL_STEPS_KEPT)
    changed = {name: getattr(after, name) for name in ADVANCED}
    zones.advance(tx, stored, after, {**changed, "soa_wire": new_soa, **columns})
    announce(core, tx, after, stored.pool_version, later=later)
    return after


def announce(
    core: Core,
    tx: Transaction,
    zone: Zone,
    pool_version: int,
    *,
    hard_delete: bool = False,
    later: bool = False,
) -> None:
    """Tell the worker once the transaction is durable. Should the message be lost, the recovery
    sweep finds the zone waiting."""
    if (
        zone.type == ZoneType.SECONDARY
        and zone.transferred_at is None
        and zone.action != Action.DELETE
    ):
        return  # there is no content to serve before the first transfer
    change = change_of(zone, pool_version, hard_delete=hard_delete, again=later)
    tx.after_commit.append(lambda: core.worker.zone_changed(admin_context(), change))


def withdraw(core: Core, tx: Transaction, zone: Zone, pool_version: int) -> None:
    """Take the zone's expired content from its nameservers."""
    change = withdrawal_of(zone, pool_version)
    tx.after_commit.append(lambda: core.worker.zone_changed(admin_context(), change))


def withdrawal_of(zone: Zone, pool_version: int, *, again: bool = False) -> ZoneChange:
    change = change_of(zone, pool_version, again=again)
    return replace(change, action=Action.DELETE, withdrawn=True)


def change_of(
    zone: Zone, pool_version: int, *, hard_delete: bool = False, again: bool = False
) -> ZoneChange:
    return ZoneChange(
        zone_id=zone.id,
        name=zone.name,
        type=zone.type,
        pool_id=zone.pool_id,
        pool_version=pool_version,
        revision=zone.revision,
        serial=zone.serial,
        action=zone.action,
        created=zone.served_revision > 0,
        hard_delete=hard_delete,
        again=again,
    )
