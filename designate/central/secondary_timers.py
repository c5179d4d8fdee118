"""Refresh, retry and expiry of secondary zones (RFC 1034 section 4.3.5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from oslo_config import cfg

from designate.central.base import Core
from designate.central.zone_change import withdraw
from designate.context import admin_context
from designate.model.zones import EXPIRED, Action, Status, Zone, ZoneType
from designate.runtime.backoff import jittered_early
from designate.storage.sqlalchemy import secondary, zones
from designate.storage.sqlalchemy.db.transaction import Transaction
from designate.storage.sqlalchemy.zone_rows import StoredZone

LOG = logging.getLogger(__name__)

GROUP = "service:central"
OPTS = [
    cfg.IntOpt(
        "secondary_min_refresh",
        default=60,
        min=1,
        help="Minimum seconds between two polls of a secondary zone's primaries, even if the zone's "
        "SOA says less. A NOTIFY from a primary is acted on at once.",
    ),
]

MAX_REFRESH_S = 4 * 7 * 86400
MAX_EXPIRE_S = 24 * 7 * 86400
# Between two attempts at the first transfer of a zone.
MAX_FIRST_RETRY_S = 3600
# A new zone is polled at once by a message to a worker; if that is lost, the sweep polls it then.
FIRST_RECOVERY_S = 15


def first_recovery(core: Core, zone: Zone) -> datetime | None:
    """Return when the sweep polls the primaries if the message to a worker was lost.

    Returns:
        None for zones without primaries.
    """
    if zone.type != ZoneType.SECONDARY:
        return None
    return core.now() + timedelta(seconds=FIRST_RECOVERY_S)


def request_refresh(core: Core, tx: Transaction, zone_id: str) -> None:
    """Have a worker poll the zone's primaries, after commit."""
    tx.after_commit.append(lambda: core.worker.refresh_zone(admin_context(), zone_id))


def after_success(core: Core, zone: Zone, now: datetime) -> tuple[datetime, datetime]:
    """Return the next refresh and the expiry of a zone whose primary just answered.

    A zone must not expire before its primaries were polled twice, whatever its SOA says.
    """
    min_s = core.conf[GROUP].secondary_min_refresh
    refresh_s = min(max(zone.refresh, min_s), MAX_REFRESH_S)
    retry_s = min(max(zone.retry, min_s), MAX_REFRESH_S)
    expire_s = min(max(zone.expire, refresh_s + retry_s), MAX_EXPIRE_S)
    return (
        now + timedelta(seconds=jittered_early(refresh_s)),
        now + timedelta(seconds=expire_s),
    )


def after_failure(core: Core, stored: StoredZone, now: datetime) -> datetime:
    """Return when to poll the primaries again after a failure: the SOA's retry interval.

    A zone without content has no SOA of its primary; its interval grows with the time since the last
    change, up to MAX_FIRST_RETRY_S.
    """
    zone = stored.zone
    min_s = core.conf[GROUP].secondary_min_refresh
    if stored.primary_serial is None or stored.expired:
        since = zone.updated_at or zone.created_at
        retry_s = min((now - since).total_seconds() / 4, MAX_FIRST_RETRY_S)
        return now + timedelta(seconds=jittered_early(max(min_s, retry_s)))
    retry_s = min(max(zone.retry, min_s), MAX_REFRESH_S)
    return now + timedelta(seconds=jittered_early(retry_s))


def claim(core: Core, due: Sequence[StoredZone], now: datetime, tx: Transaction) -> None:
    """Have workers poll the primaries of the zones that are due.

    The result of the poll sets the next refresh; should none arrive, the retry that is set here applies.
    """
    secondary.set_refresh(
        tx, [(stored.zone.id, after_failure(core, stored, now)) for stored in due]
    )
    for stored in due:
        send = partial(core.worker.refresh_zone, admin_context(), stored.zone.id)
        tx.after_commit.append(send)


def expire(core: Core, zone_id: str, now: datetime, tx: Transaction) -> None:
    """Withdraw an expired zone from its nameservers (RFC 1034 section 4.3.5).

    The database keeps the content: the next transfer is compared with it.
    """
    stored = zones.lock(tx, zone_id)
    zone = stored.zone
    if stored.expired or zone.action == Action.DELETE or not secondary.is_expired(tx, zone_id, now):
        return
    reason = zone.status_reason
    error = EXPIRED if reason is None else f"{EXPIRED}. {reason}"
    zones.update(
        tx,
        zone.id,
        expired_at=now,
        withdrawn=False,
        action=Action.UPDATE,
        status=Status.ERROR,
        error=error,
        pending_since=zone.pending_since or now,
        updated_at=now,
        sent_at=now,
    )
    withdraw(core, tx, zone, stored.pool_version)
    expired = replace(zone, action=Action.UPDATE, status=Status.ERROR, error=error)
    core.notify(tx, admin_context(), "dns.zone.update", expired, zone)
    LOG.warning("zone %s: expired, withdrawing it from its nameservers", zone.id)
