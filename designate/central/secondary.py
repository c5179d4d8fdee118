"""Secondary zones: the endpoint by which workers plan transfers in and deliver their content."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from designate import errors
from designate.central import leases, secondary_content, secondary_timers
from designate.central.base import Core
from designate.central.secondary_content import require_secondary
from designate.central.zone_diff import DiffMismatch
from designate.context import Context, admin_context
from designate.model.secondary import (
    TransferInContent,
    TransferInKey,
    TransferInOutcome,
    TransferInPlan,
)
from designate.model.zones import EXPIRED, NOT_TRANSFERRED, Action, Status
from designate.storage.sqlalchemy import secondary, tsigkeys, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.zone_rows import StoredZone

LOG = logging.getLogger(__name__)

MAX_KEYS = 3
MAX_ATTEMPTS = 3


def _show_reason(
    core: Core, tx: Transaction, stored: StoredZone, reason: str, refused: bool
) -> None:
    """Store why there was no transfer, where the owner of the zone reads it.

    A zone whose newest content is still on its way to the nameservers has their errors instead, and gets
    the reason after its next attempt. A new zone whose masters are not permitted is in ERROR, since
    waiting does not help.
    """
    zone = stored.zone
    status = zone.status
    if stored.expired:
        reason = f"{EXPIRED}. {reason}"
    elif stored.primary_serial is None:
        status = Status.ERROR if refused else Status.PENDING
    elif status != Status.ACTIVE:
        return
    if zone.action == Action.DELETE or (zone.status, zone.error) == (status, reason):
        return
    zones.update(tx, zone.id, status=status, error=reason)
    if status != zone.status:
        after = replace(zone, status=status, error=reason)
        core.notify(tx, admin_context(), "dns.zone.update", after, zone)


class SecondaryEndpoint:
    """See rpc.interfaces.SecondaryApi."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # -- before a transfer -----------------------------------------------------------------------

    def plan(self, context: Context, zone_id: str) -> TransferInPlan:
        with self._core.db.read() as connection:
            stored = require_secondary(zones.get_stored(connection, zone_id))
            keys = tsigkeys.find_of_zone(connection, zone_id, MAX_KEYS)
        zone = stored.zone
        serial = None if stored.expired else stored.primary_serial
        return TransferInPlan(
            zone_id=zone.id,
            name=zone.name,
            masters=zone.masters,
            newer_than=serial,
            # After a change by an administrator the zone no longer is in a state that the primary knows.
            since=serial if serial == zone.serial else None,
            keys=tuple(
                TransferInKey(name=name, algorithm=algorithm, secret=secret)
                for name, algorithm, secret in keys
            ),
        )

    # -- after a transfer ------------------------------------------------------------------------

    def stage(
        self, context: Context, zone_id: str, transfer_id: str, position: int, part: bytes
    ) -> None:
        core = self._core
        size_bytes = position * len(part)
        if size_bytes > 2 * core.conf["service:worker"].xfr_max_bytes:
            raise errors.BadRequest("The transfer is too large")

        def write(tx: Transaction) -> None:
            require_secondary(zones.get_stored(tx.connection, zone_id))
            secondary.stage_part(tx, zone_id, transfer_id, position, part, core.now())

        core.db.write(write)

    def discard(self, context: Context, transfer_id: str) -> None:
        self._core.db.write(lambda tx: secondary.discard_parts(tx, transfer_id))

    def replace_content(self, context: Context, content: TransferInContent) -> TransferInOutcome:
        core = self._core
        for _ in range(MAX_ATTEMPTS):
            try:
                prepared = secondary_content.prepare(core, content)
            except DiffMismatch as error:
                LOG.info(
                    "zone %s: difference rejected, full transfer needed: %s", content.zone_id, error
                )
                return TransferInOutcome.UNFIT
            except ValueError as error:
                raise errors.BadRequest(f"The zone cannot be stored: {error}") from None
            if prepared is None:
                return TransferInOutcome.OUTDATED
            if core.db.write(partial(secondary_content.store, core, content, prepared)):
                diff = prepared.diff
                LOG.info(
                    "zone %s: transferred serial %d in, %d records deleted, %d added",
                    content.zone_id, content.serial, len(diff.deleted_rrs), len(diff.added_rrs),
                )  # fmt: skip
                return TransferInOutcome.STORED
        raise errors.Unavailable("the zone changes too often")

    # -- timers ----------------------------------------------------------------------------------

    def checked(self, context: Context, zone_id: str, serial: int) -> None:
        """Renew both timers after a primary answered with the same serial (RFC 1034 section 4.3.5)."""
        core = self._core

        def write(tx: Transaction) -> None:
            stored = require_secondary(zones.lock(tx, zone_id))
            if stored.primary_serial == serial and not stored.expired:
                timers = secondary_timers.after_success(core, stored.zone, core.now())
                secondary.set_timers(tx, zone_id, *timers)
                if stored.zone.status_reason is not None:
                    zones.update(tx, zone_id, error=None)

        core.db.write(write)

    def failed(self, context: Context, zone_id: str, reason: str, refused: bool = False) -> None:
        core = self._core

        def write(tx: Transaction) -> None:
            stored = require_secondary(zones.lock(tx, zone_id))
            retry_at = secondary_timers.after_failure(core, stored, core.now())
            secondary.set_refresh(tx, [(zone_id, retry_at)])
            _show_reason(core, tx, stored, NOT_TRANSFERRED + reason, refused)

        core.db.write(write)
        LOG.warning("zone %s: no transfer from any primary: %s", zone_id, reason)

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
        # Each in a transaction of its own: a locked zone must not delay the others.
        for stored in expiring:
            core.db.write(partial(secondary_timers.expire, core, stored.zone.id, now))
        if due:
            core.db.write(partial(secondary_timers.claim, core, due, now))
        return len(expiring) + len(due)
