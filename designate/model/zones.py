"""Zones, drafts and patches of them, and what is said about them between the processes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from designate.model.codec import UNSET, Unset

ZoneId = NewType("ZoneId", str)


class ZoneType(StrEnum):
    PRIMARY = "PRIMARY"
    SECONDARY = "SECONDARY"
    CATALOG = "CATALOG"


class Action(StrEnum):
    """What is on its way to the nameservers; NONE: they have it."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    NONE = "NONE"


class Status(StrEnum):
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    ERROR = "ERROR"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryAddress:
    """A primary of a secondary zone, or an address that a target transfers from."""

    host: str
    port: int = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone as stored.

    serial: the 32-bit number that DNS sees. revision: our own 64-bit order of the zone's changes,
    starting at 1. served_revision: the newest revision that the pool's nameservers were proven to
    serve; 0: none yet. ttl, refresh, retry, expire, minimum: seconds. mname: the first nameserver
    of the pool, which the SOA names as primary.
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
    def soa_text(self) -> str:
        """The SOA record's data: MNAME RNAME SERIAL REFRESH RETRY EXPIRE MINIMUM (RFC 1035 3.3.13)."""
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
        return f"{mname} {rname(email)} {serial} {refresh} {retry} {expire} {minimum}"


def rname(email: str) -> str:
    """A mailbox as a domain name: dots of the local part escaped (RFC 1035 section 8). An empty one is
    the root."""
    if not email:
        return "."
    local, _, domain = email.rpartition("@")
    domain = domain.rstrip(".")
    return local.replace(".", "\\.") + "." + (domain + "." if domain else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneDraft:
    """A zone as a client asks for it; None: not given."""

    name: str
    type: ZoneType = ZoneType.PRIMARY
    email: str | None = None
    ttl: int | None = None
    description: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    masters: tuple[PrimaryAddress, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePatch:
    """The members to change; UNSET: leave as it is."""

    email: str | Unset = UNSET
    ttl: int | Unset = UNSET
    description: str | Unset | None = UNSET
    attributes: dict[str, str] | Unset = UNSET
    masters: tuple[PrimaryAddress, ...] | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneAnnouncement:
    """Tells the worker that a zone has a revision which its nameservers may not serve yet.

    created: the nameservers were proven to know the zone before. pool_version: changes whenever
    the pool's definition does, so that a worker knows when its copy is old. again: handed out by the
    recovery sweep, or one of many that nobody waits for; such changes never hold up new ones. withdrawn:
    a deletion from the nameservers alone, because the zone's data expired; later content takes it back.
    kept_in, kept_version: of what is left of a moved zone, the pool that has the zone now, whose servers
    keep it; zone_id is that of the leftover then.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NameserverAnswer:
    """What a nameserver says of a zone now. serial: the one that it serves; None: it does not serve the
    zone. failing: it does not answer, or says that it cannot serve the zone for now. text: what it said,
    for people."""

    host: str
    port: int
    serial: int | None
    failing: bool
    text: str


class ServedStatus(StrEnum):
    """ACTIVE: the nameserver serves the zone as it is stored, or a later version. PENDING: it answers, and
    does not. ERROR: it does not answer, or cannot serve the zone."""

    ACTIVE = "ACTIVE"
    PENDING = "PENDING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameserverStatus:
    """How far a nameserver is with a zone. serial: that it serves, if it does. lag: by how much that is
    below the zone's; None: not known. error: what it said where it does not serve the zone as it is.
    since: when the change was made that it does not serve, if that is known."""

    host: str
    port: int
    status: ServedStatus
    serial: int | None = None
    lag: int | None = None
    error: str | None = None
    since: datetime | None = None


class Outcome(StrEnum):
    """SERVED: enough nameservers serve `serial` or a newer one. ABSENT: enough of them have stopped
    serving the deleted zone. LATE: neither within the deadline, though nothing was refused. FAILED: a
    target refused, or nothing can ever prove it. DRIFTED: they were proven to serve
    the zone, and too few of them do now, or one of them has a serial that was never given."""

    SERVED = "SERVED"
    ABSENT = "ABSENT"
    LATE = "LATE"
    FAILED = "FAILED"
    DRIFTED = "DRIFTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneReport:
    """The worker's finding. serial: the oldest one among the servers that count; for LATE and FAILED the
    serial that was waited for; for DRIFTED the newest one that a server has. revision: the revision of
    the change that it answers; pool_id: the pool whose nameservers it is about (None: of an older
    release, which does not say)."""

    zone_id: ZoneId
    revision: int
    serial: int
    outcome: Outcome
    error: str | None = None
    pool_id: str | None = None


def newest(old: ZoneAnnouncement, new: ZoneAnnouncement) -> ZoneAnnouncement:
    """Which of two changes of one zone is wanted. A deletion is final: nothing takes it back; where
    expired content was withdrawn, new content does. It waits as the recovery's work (`again`) only if
    both are."""
    wanted = _newest(old, new)
    again = old.again and new.again
    return wanted if wanted.again == again else replace(wanted, again=again)


def _newest(old: ZoneAnnouncement, new: ZoneAnnouncement) -> ZoneAnnouncement:
    deletions = [
        change for change in (old, new) if change.action is Action.DELETE and not change.withdrawn
    ]
    if deletions:
        wanted = max(deletions, key=lambda change: change.revision)
        hard = any(change.hard_delete for change in deletions)
        return replace(wanted, hard_delete=hard)
    return new if new.revision >= old.revision else old
