"""Zones, and the messages about them between central and the workers.

Over 300 lines, since the messages share the enumerations and the rules of order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from designate import mailboxes
from designate.model.codec import UNSET, Unset

ZoneId = NewType("ZoneId", str)

# How the error of a secondary zone begins that its owner may read: it is about the primaries, which the
# owner chose, not about the service's nameservers.
EXPIRED = "The zone has expired: no primary could be reached in time"
NOT_TRANSFERRED = "No transfer from any of the masters: "


class ZoneType(StrEnum):
    """Where a zone's content comes from: the API, its primaries (SECONDARY) or a pool (CATALOG)."""

    PRIMARY = "PRIMARY"
    SECONDARY = "SECONDARY"
    CATALOG = "CATALOG"


class Action(StrEnum):
    """The change that is pending on the nameservers; NONE: they serve the current revision."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    NONE = "NONE"


class Status(StrEnum):
    """Whether the nameservers serve the current revision."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    ERROR = "ERROR"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryAddress:
    """Address of a primary: of a secondary zone, or one that a target transfers from."""

    host: str
    port: int = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone as stored.

    serial: the 32-bit SOA serial. revision: number of the zone's newest change, starting at 1 (64
    bits). served_revision: the newest revision that the pool's nameservers were seen to serve; 0:
    none. ttl, refresh, retry, expire, minimum: seconds. mname: the pool's first nameserver, the
    SOA's MNAME.
    """

    id: ZoneId
    project_id: str | None
    name: str
    type: ZoneType
    email: str
    ttl: int
    serial: int
    revision: int
    served_revision: int
    action: Action
    status: Status
    pool_id: str
    mname: str
    refresh: int
    retry: int
    expire: int
    minimum: int
    created_at: datetime
    version: int = 1
    description: str | None = None
    parent_zone_id: ZoneId | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    masters: tuple[PrimaryAddress, ...] = ()
    shared: bool = False
    error: str | None = None
    pending_since: datetime | None = None
    updated_at: datetime | None = None
    transferred_at: datetime | None = None

    @property
    def status_reason(self) -> str | None:
        """Why a secondary zone was not transferred, for its owner."""
        if self.type != ZoneType.SECONDARY or self.error is None:
            return None
        return self.error if self.error.startswith((EXPIRED, NOT_TRANSFERRED)) else None

    @property
    def soa_text(self) -> str:
        """The zone's SOA rdata as text (RFC 1035 section 3.3.13)."""
        return self.soa_of(
            self.mname,
            self.email,
            self.serial,
            self.refresh,
            self.retry,
            self.expire,
            self.minimum,
        )

    @staticmethod
    def soa_of(
        mname: str, email: str, serial: int, refresh: int, retry: int, expire: int, minimum: int
    ) -> str:
        """Return SOA rdata as text: MNAME RNAME SERIAL REFRESH RETRY EXPIRE MINIMUM."""
        return f"{mname} {mailboxes.rname(email)} {serial} {refresh} {retry} {expire} {minimum}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneDraft:
    """A zone to create; None: not given."""

    name: str
    type: ZoneType = ZoneType.PRIMARY
    email: str | None = None
    ttl: int | None = None
    description: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    masters: tuple[PrimaryAddress, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePatch:
    """The members to change; UNSET members stay as they are."""

    email: str | Unset = UNSET
    ttl: int | Unset = UNSET
    description: str | Unset | None = UNSET
    attributes: dict[str, str] | Unset = UNSET
    masters: tuple[PrimaryAddress, ...] | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An RRset of a zone's content, by which nameservers are compared with the zone.

    rtype: the type's number. digest: of the RRset with its TTL (wire.digests); empty: there is none
    of that name and type.
    """

    name: str
    rtype: int
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAnnouncement:
    """The announcement that a zone has a revision which its nameservers may not serve yet.

    created: the nameservers were seen to serve the zone before. pool_version: changes with the
    pool's definition, so that a worker knows when its copy is outdated. again: recovery work, which
    never delays announcements of new changes. withdrawn: a deletion from the nameservers alone,
    because the zone's data expired; later content undoes it. kept_in, kept_version: for the stale
    copy of a zone that moved, the pool that has the zone now, whose nameservers keep it; zone_id is
    then the id of the stale copy, and moved_id that of the zone. verify: the targets are to confirm
    that the zone there is this service's before a nameserver's answer counts. soa: digest of the
    SOA (wire.digests); empty: unknown. sample: part of the revision's content; None: there is none to
    compare.
    """

    zone_id: ZoneId
    name: str
    type: ZoneType
    pool_id: str
    pool_version: int
    revision: int
    serial: int
    action: Action
    created: bool = False
    hard_delete: bool = False
    again: bool = False
    withdrawn: bool = False
    kept_in: str | None = None
    kept_version: int = 0
    moved_id: str | None = None
    verify: bool = False
    soa: str = ""
    sample: Sample | None = None

    @property
    def marks(self) -> tuple[str, str]:
        """The zone's id as it stands in the settings of nameservers: ours, and OpenStack Designate's."""
        marked = self.moved_id or self.zone_id
        return marked, marked.replace("-", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameserverAnswer:
    """The current answer of a nameserver for a zone.

    serial: the one that it serves; None: it does not serve the zone. failing: it does not answer,
    or cannot serve the zone now. text: the answer for people. problem: what is wrong although the
    serial is right, for people. signs: it signs the zone, so that its serial is its own.
    """

    host: str
    port: int
    serial: int | None
    failing: bool
    text: str
    problem: str = ""
    signs: bool = False


class ServedStatus(StrEnum):
    """How a nameserver serves a zone.

    ACTIVE: it serves the current version. PENDING: it answers, but not with that. ERROR: it does
    not answer, or cannot serve the zone.
    """

    ACTIVE = "ACTIVE"
    PENDING = "PENDING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameserverStatus:
    """How far a nameserver is behind the stored zone.

    serial: the one that it serves, if it does. lag: by how much that is below the zone's; None:
    unknown. error: its answer where it does not serve the current version. since: when the change
    was made that it does not serve, if known.
    """

    host: str
    port: int
    status: ServedStatus
    serial: int | None = None
    lag: int | None = None
    error: str | None = None
    since: datetime | None = None


class Outcome(StrEnum):
    """The result of a worker's attempt to bring a revision to the nameservers.

    SERVED: enough nameservers serve `serial` or a newer one, up to `newest`. ABSENT: enough of them
    stopped serving the deleted zone. LATE: neither within the deadline, though nothing was refused.
    FAILED: a target refused, or it can never be confirmed. DRIFTED: they served the zone before and
    too few of them do now, or one of them has a serial that was never assigned.
    """

    SERVED = "SERVED"
    ABSENT = "ABSENT"
    LATE = "LATE"
    FAILED = "FAILED"
    DRIFTED = "DRIFTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneReport:
    """A worker's report about a zone.

    revision: of the announcement that it concerns. serial: the oldest one among the nameservers
    that count; for LATE and FAILED the serial that was expected; for DRIFTED the newest serial of a
    nameserver. pool_id: the pool of the nameservers; None: from an older release, which does not
    send it. newest: for SERVED, the newest serial among the nameservers that count, if it is newer
    than the announced one: a later change's, or one that was never assigned, which `error` tells
    then; or the announced one, where a nameserver has another catalog zone of that serial. For LATE,
    the serial of a signer that persists in having other data.
    """

    zone_id: ZoneId
    revision: int
    serial: int
    outcome: Outcome
    error: str | None = None
    pool_id: str | None = None
    newest: int | None = None


def newest(old: ZoneAnnouncement, new: ZoneAnnouncement) -> ZoneAnnouncement:
    """Return the one of two announcements of a zone that the worker must act on.

    A deletion is final, but new content undoes a withdrawal of expired content. The result is
    recovery work (`again`) only if both are.
    """
    chosen = _newest(old, new)
    recovery = old.again and new.again
    return chosen if chosen.again == recovery else replace(chosen, again=recovery)


def _newest(old: ZoneAnnouncement, new: ZoneAnnouncement) -> ZoneAnnouncement:
    deletions = [
        change for change in (old, new) if change.action is Action.DELETE and not change.withdrawn
    ]
    if deletions:
        last = max(deletions, key=lambda change: change.revision)
        hard = any(change.hard_delete for change in deletions)
        return replace(last, hard_delete=hard)
    return new if new.revision >= old.revision else old
