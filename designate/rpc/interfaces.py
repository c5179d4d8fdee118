"""What the processes ask of each other: one Protocol per aggregate, used by both sides.

A client of a Protocol is made by `rpc.clients`, an endpoint implements it; the types of the methods
are the contract from which the codec is derived. Each interface has a namespace and a version
(major: incompatible; minor: methods or defaulted arguments added). `call` waits for the result;
methods named in CASTS are sent without waiting, those in FANOUTS to every process of the topic.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.pools import NsRecord, Pool, PoolChange, PoolSpec
from designate.model.query import Page, Query
from designate.model.quotas import Limits
from designate.model.recordsets import RecordSet, RecordSetDraft, RecordSetPatch
from designate.model.zones import Zone, ZoneChange, ZoneDraft, ZonePatch, ZoneReport


class Interface(Protocol):
    NAMESPACE: ClassVar[str]
    VERSION: ClassVar[str]
    CASTS: ClassVar[frozenset[str]] = frozenset()
    FANOUTS: ClassVar[frozenset[str]] = frozenset()


class ZonesApi(Interface, Protocol):
    """Zones of the caller's project, of those shared with it, or of all (context.all_projects)."""

    NAMESPACE: ClassVar[str] = "zones"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: ZoneDraft) -> Zone: ...

    def get(self, context: Context, zone_id: str) -> Zone: ...

    def find(self, context: Context, query: Query) -> Page[Zone]: ...

    def update(self, context: Context, zone_id: str, patch: ZonePatch) -> Zone: ...

    def delete(self, context: Context, zone_id: str) -> Zone: ...

    def nameservers(self, context: Context, zone_id: str) -> tuple[NsRecord, ...]: ...


class RecordSetsApi(Interface, Protocol):
    """Recordsets of one zone, or (zone_id None) of all zones of the caller's project."""

    NAMESPACE: ClassVar[str] = "recordsets"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, zone_id: str, draft: RecordSetDraft) -> RecordSet: ...

    def get(self, context: Context, zone_id: str | None, recordset_id: str) -> RecordSet: ...

    def find(self, context: Context, zone_id: str | None, query: Query) -> Page[RecordSet]: ...

    def update(
        self, context: Context, zone_id: str, recordset_id: str, patch: RecordSetPatch
    ) -> RecordSet: ...

    def check_update(self, context: Context, zone_id: str, recordset_id: str) -> RecordSet:
        """The recordset as it is, if this caller may send an update for it at all: not found,
        managed, SOA and apex NS are refused here, before a body is looked at."""
        ...

    def delete(self, context: Context, zone_id: str, recordset_id: str) -> RecordSet: ...


class QuotasApi(Interface, Protocol):
    NAMESPACE: ClassVar[str] = "quotas"
    VERSION: ClassVar[str] = "1.0"

    def limits(self, context: Context) -> Limits: ...


class PoolsApi(Interface, Protocol):
    """The operator's side of pools (designate-manage) and the worker's."""

    NAMESPACE: ClassVar[str] = "pools"
    VERSION: ClassVar[str] = "1.0"

    def get(self, context: Context, pool_id: str) -> Pool: ...

    def find(self, context: Context) -> tuple[Pool, ...]: ...

    def apply(
        self, context: Context, pools: tuple[PoolSpec, ...], delete: bool, dry_run: bool
    ) -> tuple[PoolChange, ...]:
        """Make the stored pools equal to these and say what that changes (dry_run: only say).

        delete: pools that are not among them are removed; refused while they hold zones.
        All or nothing: one transaction.
        """
        ...


class StatusApi(Interface, Protocol):
    """What the worker found, and the sweep that hands work out again."""

    NAMESPACE: ClassVar[str] = "status"
    VERSION: ClassVar[str] = "1.0"
    CASTS: ClassVar[frozenset[str]] = frozenset({"report"})

    def report(self, context: Context, report: ZoneReport) -> None: ...

    def recover(self, context: Context, first_shard: int, last_shard: int, limit: int) -> int:
        """Send the changes of zones that wait for their nameservers to the workers again, those
        that wait longest first; answers how many. Idempotent."""
        ...

    def purge(self, context: Context, first_shard: int, last_shard: int, limit: int) -> int:
        """Remove deleted zones and journal steps past their age; answers how many rows went."""
        ...


class WorkerApi(Interface, Protocol):
    """Makes nameservers agree with the database. Everything is a cast; the sweep repairs losses."""

    NAMESPACE: ClassVar[str] = "worker"
    VERSION: ClassVar[str] = "1.0"
    CASTS: ClassVar[frozenset[str]] = frozenset({"zone_changed"})
    FANOUTS: ClassVar[frozenset[str]] = frozenset({"zone_served"})

    def zone_changed(self, context: Context, change: ZoneChange) -> None: ...

    def zone_served(self, context: Context, zone_id: str, serial: int, peer: str) -> None:
        """A hint: the nameserver at address `peer` has just been given this serial."""
        ...
