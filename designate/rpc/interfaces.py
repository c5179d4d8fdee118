"""What the processes ask of each other: one Protocol per aggregate, used by both sides.

A client of a Protocol is made by `rpc.clients`, an endpoint implements it; the types of the methods
are the contract from which the codec is derived. `call` waits for the result; methods named in CASTS
are sent without waiting, those in FANOUTS to every process of the topic. Those in PROMPT are short, wait
for nobody and may be run twice: they are run one after another (see `rpc.batching`), and where the answer
is not there soon, it or the question was lost with a process or with the broker, and the call is made
once more. Those in LISTS have large answers.

All interfaces together are one contract with one version, CONTRACT (major: incompatible; minor:
methods or defaulted arguments added). The VERSION of an interface is that of the contract in which it
changed last, and SINCE says what came later than the first: a method by its name, an argument as
`method.argument`. `tests/contract/payloads` keeps the messages of every version.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.admin import (
    Blacklist,
    BlacklistDraft,
    BlacklistPatch,
    Heartbeat,
    ServiceStatus,
    Tld,
    TldDraft,
    TldPatch,
    TsigKey,
    TsigKeyDraft,
    TsigKeyPatch,
)
from designate.model.floatingips import FloatingIp, FloatingIpPatch, NetworkEndpoint
from designate.model.jobs import ImportDraft, ZoneJob
from designate.model.managed_names import Declared
from designate.model.ownership import (
    Share,
    ShareDraft,
    TransferAccept,
    TransferAcceptDraft,
    TransferRequest,
    TransferRequestDraft,
    TransferRequestPatch,
)
from designate.model.pools import NsRecord, Pool, PoolChange, PoolDraft, PoolPatch, PoolSpec
from designate.model.query import Page, Query
from designate.model.quotas import ProjectLimits, Quotas
from designate.model.recordsets import Managed, RecordSet, RecordSetDraft, RecordSetPatch
from designate.model.secondary import TransferInContent, TransferInOutcome, TransferInPlan
from designate.model.shards import Membership
from designate.model.usage import Counts, ProjectZones
from designate.model.zones import (
    NameserverAnswer,
    NameserverStatus,
    Zone,
    ZoneAnnouncement,
    ZoneDraft,
    ZonePatch,
    ZoneReport,
)

CONTRACT = "1.0"


class CallKind(Enum):
    """What a call is like, which decides with what others it travels (see `rpc.batching`)."""

    PROMPT = "prompt"
    LIST = "list"
    OTHER = "other"


class Interface(Protocol):
    NAMESPACE: ClassVar[str]
    VERSION: ClassVar[str]
    SINCE: ClassVar[Mapping[str, str]] = {}
    CASTS: ClassVar[frozenset[str]] = frozenset()
    PROMPT: ClassVar[frozenset[str]] = frozenset({"get"})
    LISTS: ClassVar[frozenset[str]] = frozenset({"find"})
    FANOUTS: ClassVar[frozenset[str]] = frozenset()


def call_kind(interface: type[Interface], method: str) -> CallKind:
    if method in interface.PROMPT:
        return CallKind.PROMPT
    return CallKind.LIST if method in interface.LISTS else CallKind.OTHER


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

    def nameserver_status(self, context: Context, zone_id: str) -> tuple[NameserverStatus, ...]:
        """How far each nameserver of the zone is, asked now. Raises Unavailable without a worker."""
        ...

    def abandon(self, context: Context, zone_id: str) -> None:
        """Forget the zone; its nameservers go on serving what they have."""
        ...

    def transfer_in(self, context: Context, zone_id: str) -> None:
        """Look for a newer version of a secondary zone at its masters now."""
        ...

    def pool_move(self, context: Context, zone_id: str, pool_id: str | None) -> None:
        """Serve the zone from another pool; None: the one that the scheduler picks."""
        ...


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


class ManagedNamesApi(Interface, Protocol):
    """Names of the cloud's resources, which the service itself keeps in zones that an operator chose."""

    NAMESPACE: ClassVar[str] = "resources"
    VERSION: ClassVar[str] = "1.0"

    def declare(
        self,
        context: Context,
        zone_id: str,
        resource: Managed,
        drafts: tuple[RecordSetDraft, ...],
        at: datetime | None = None,
        keep: bool = False,
    ) -> Declared:
        """Make these the resource's recordsets in the zone: make, change and (not keep) delete what
        is needed, in one change of the zone. Never touches what stands for something else.

        at: when the resource came to be so; what is older than another declaration does nothing.
        Raises NotFound (zone), BadRequest where the zone can hold none.
        """
        ...


class QuotasApi(Interface, Protocol):
    NAMESPACE: ClassVar[str] = "quotas"
    VERSION: ClassVar[str] = "1.0"

    def limits(self, context: Context) -> ProjectLimits: ...

    def get(self, context: Context, project_id: str) -> Quotas: ...

    def set(self, context: Context, project_id: str, quotas: dict[str, int]) -> Quotas:
        """Change these limits of the project, all or none; answers all of them."""
        ...

    def reset(self, context: Context, project_id: str) -> None:
        """Back to the configured limits."""
        ...


class PoolsApi(Interface, Protocol):
    """Pools: for administrators (create, get, list, update, delete), for the operator's command line
    (apply) and for the worker (get, find)."""

    NAMESPACE: ClassVar[str] = "pools"
    VERSION: ClassVar[str] = "1.0"

    def get(self, context: Context, pool_id: str) -> Pool: ...

    def find(self, context: Context) -> tuple[Pool, ...]: ...

    def list(self, context: Context, query: Query) -> Page[Pool]: ...

    def show(self, context: Context, pool_id: str) -> Pool: ...

    def create(self, context: Context, draft: PoolDraft) -> Pool: ...

    def update(self, context: Context, pool_id: str, patch: PoolPatch) -> Pool: ...

    def delete(self, context: Context, pool_id: str) -> None: ...

    def apply(
        self, context: Context, pools: tuple[PoolSpec, ...], delete: bool, dry_run: bool
    ) -> tuple[PoolChange, ...]:
        """Make the stored pools equal to these and say what that changes (dry_run: only say).

        delete: pools that are not among them are removed; refused while they hold zones.
        All or nothing: one transaction.
        """
        ...


class TldsApi(Interface, Protocol):
    """Top-level domains below which zones may be created."""

    NAMESPACE: ClassVar[str] = "tlds"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: TldDraft) -> Tld: ...

    def get(self, context: Context, tld_id: str) -> Tld: ...

    def find(self, context: Context, query: Query) -> Page[Tld]: ...

    def update(self, context: Context, tld_id: str, patch: TldPatch) -> Tld: ...

    def delete(self, context: Context, tld_id: str) -> None: ...


class BlacklistsApi(Interface, Protocol):
    """Patterns of zone names that are refused."""

    NAMESPACE: ClassVar[str] = "blacklists"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: BlacklistDraft) -> Blacklist: ...

    def get(self, context: Context, blacklist_id: str) -> Blacklist: ...

    def find(self, context: Context, query: Query) -> Page[Blacklist]: ...

    def update(self, context: Context, blacklist_id: str, patch: BlacklistPatch) -> Blacklist: ...

    def delete(self, context: Context, blacklist_id: str) -> None: ...


class TsigKeysApi(Interface, Protocol):
    """Keys that sign transfers."""

    NAMESPACE: ClassVar[str] = "tsigkeys"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: TsigKeyDraft) -> TsigKey: ...

    def get(self, context: Context, tsigkey_id: str) -> TsigKey: ...

    def find(self, context: Context, query: Query) -> Page[TsigKey]: ...

    def update(self, context: Context, tsigkey_id: str, patch: TsigKeyPatch) -> TsigKey: ...

    def delete(self, context: Context, tsigkey_id: str) -> None: ...


class SharesApi(Interface, Protocol):
    """Zones that other projects may use."""

    NAMESPACE: ClassVar[str] = "shares"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, zone_id: str, draft: ShareDraft) -> Share: ...

    def get(self, context: Context, zone_id: str, share_id: str) -> Share: ...

    def find(self, context: Context, zone_id: str, query: Query) -> Page[Share]: ...

    def delete(self, context: Context, zone_id: str, share_id: str) -> None: ...


class TransferRequestsApi(Interface, Protocol):
    """Offers of zones to other projects."""

    NAMESPACE: ClassVar[str] = "transfer_requests"
    VERSION: ClassVar[str] = "1.0"

    def create(
        self, context: Context, zone_id: str, draft: TransferRequestDraft
    ) -> TransferRequest: ...

    def get(self, context: Context, request_id: str) -> TransferRequest: ...

    def find(self, context: Context, query: Query) -> Page[TransferRequest]: ...

    def update(
        self, context: Context, request_id: str, patch: TransferRequestPatch
    ) -> TransferRequest: ...

    def delete(self, context: Context, request_id: str) -> None: ...


class TransferAcceptsApi(Interface, Protocol):
    """Zones that were taken over."""

    NAMESPACE: ClassVar[str] = "transfer_accepts"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: TransferAcceptDraft) -> TransferAccept: ...

    def get(self, context: Context, accept_id: str) -> TransferAccept: ...

    def find(self, context: Context, query: Query) -> Page[TransferAccept]: ...


class ImportsApi(Interface, Protocol):
    """Zone files that become zones. `create` stores the job and answers; central runs it."""

    NAMESPACE: ClassVar[str] = "imports"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, draft: ImportDraft) -> ZoneJob: ...

    def get(self, context: Context, import_id: str) -> ZoneJob: ...

    def find(self, context: Context, query: Query) -> Page[ZoneJob]: ...

    def delete(self, context: Context, import_id: str) -> None: ...


class ExportsApi(Interface, Protocol):
    """Zones that become zone files. `create` stores the job and answers; central runs it."""

    NAMESPACE: ClassVar[str] = "exports"
    VERSION: ClassVar[str] = "1.0"

    def create(self, context: Context, zone_id: str) -> ZoneJob: ...

    def get(self, context: Context, export_id: str) -> ZoneJob: ...

    def find(self, context: Context, query: Query) -> Page[ZoneJob]: ...

    def delete(self, context: Context, export_id: str) -> None: ...

    def file(self, context: Context, export_id: str) -> str:
        """The zone file as it was when the job ran."""
        ...

    def render(self, context: Context, zone_id: str) -> str:
        """The zone file of a zone as it is now (the admin API's export)."""
        ...


class FloatingIpsApi(Interface, Protocol):
    """Names of the caller's floating IPs. token: the caller's, with which the network service is
    asked; empty where it is not needed. catalog: the network service's endpoints in the caller's
    service catalogue."""

    NAMESPACE: ClassVar[str] = "floatingips"
    VERSION: ClassVar[str] = "1.0"
    PROMPT: ClassVar[frozenset[str]] = frozenset()  # Neutron is asked for each.

    def find(
        self, context: Context, token: str, catalog: tuple[NetworkEndpoint, ...] = ()
    ) -> tuple[FloatingIp, ...]: ...

    def get(
        self,
        context: Context,
        region: str,
        floatingip_id: str,
        token: str,
        catalog: tuple[NetworkEndpoint, ...] = (),
    ) -> FloatingIp: ...

    def update(
        self,
        context: Context,
        region: str,
        floatingip_id: str,
        patch: FloatingIpPatch,
        token: str,
        catalog: tuple[NetworkEndpoint, ...] = (),
    ) -> FloatingIp | None:
        """The floating IP with its new name on its way; None: it has none any more."""
        ...


class ServicesApi(Interface, Protocol):
    """The services' heartbeats, and what administrators read of them."""

    NAMESPACE: ClassVar[str] = "services"
    VERSION: ClassVar[str] = "1.0"
    CASTS: ClassVar[frozenset[str]] = frozenset({"heartbeat"})

    def heartbeat(self, context: Context, heartbeat: Heartbeat) -> None: ...

    def get(self, context: Context, service_id: str) -> ServiceStatus: ...

    def find(self, context: Context, query: Query) -> Page[ServiceStatus]: ...

    def mark_down(self, context: Context, silent_s: float, limit: int) -> int:
        """Write down what reads show already: services that said nothing for so long are DOWN.
        Answers how many of them were not."""
        ...

    def clean_up(self, context: Context, down_s: float | None, limit: int) -> int:
        """Forget services that stopped, and those that are down and said nothing for down_s (None:
        keep them); answers how many rows went."""
        ...


class UsageApi(Interface, Protocol):
    """What the admin API counts."""

    NAMESPACE: ClassVar[str] = "reports"
    VERSION: ClassVar[str] = "1.0"

    def counts(self, context: Context, names: tuple[str, ...]) -> Counts:
        """Only the counts that are named: zones, records, tenants, zones_delayed_notify."""
        ...

    def projects(self, context: Context) -> tuple[ProjectZones, ...]: ...

    def project(self, context: Context, project_id: str) -> ProjectZones:
        """With the names of its zones."""
        ...


class SecondaryApi(Interface, Protocol):
    """Secondary zones: for workers, who ask the primaries (all but refresh), and for the producer."""

    NAMESPACE: ClassVar[str] = "inbound"
    VERSION: ClassVar[str] = "1.0"
    CASTS: ClassVar[frozenset[str]] = frozenset({"discard", "checked", "failed"})

    def plan(self, context: Context, zone_id: str) -> TransferInPlan:
        """What to ask for and whom. Raises NotFound when there is no such secondary zone."""
        ...

    def stage(
        self, context: Context, zone_id: str, transfer_id: str, position: int, part: bytes
    ) -> None:
        """Keep a part of a transfer that is too large for one message until replace_content.
        Idempotent. transfer_id: the worker's choice. position: from 0 on."""
        ...

    def discard(self, context: Context, transfer_id: str) -> None:
        """Forget the parts of a transfer."""
        ...

    def replace_content(self, context: Context, content: TransferInContent) -> TransferInOutcome:
        """Make the transfer the zone's content, whole or not at all. Raises BadRequest for content that
        cannot be kept or sent on."""
        ...

    def checked(self, context: Context, zone_id: str, serial: int) -> None:
        """A primary has this serial, and the zone has its content."""
        ...

    def failed(self, context: Context, zone_id: str, reason: str) -> None:
        """No primary gave the zone or confirmed it."""
        ...

    def refresh(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        generation: int | None = None,
    ) -> int:
        """Hand the zones whose primaries are to be asked to workers, and withdraw those that expired,
        at most `limit` of each; answers how many. Idempotent."""
        ...


class AccessApi(Interface, Protocol):
    NAMESPACE: ClassVar[str] = "access"
    VERSION: ClassVar[str] = "1.0"

    def check(self, context: Context) -> None:
        """Raises Forbidden when the caller may not use the switches of its request. Central checks
        them at every call; this one is for refusing before a body is looked at."""
        ...


class StatusApi(Interface, Protocol):
    """What the worker found, and the sweep that hands work out again."""

    NAMESPACE: ClassVar[str] = "status"
    VERSION: ClassVar[str] = "1.0"
    PROMPT: ClassVar[frozenset[str]] = frozenset({"recover"})
    CASTS: ClassVar[frozenset[str]] = frozenset({"report"})

    def report(self, context: Context, report: ZoneReport) -> None: ...

    def recover(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        generation: int | None = None,
    ) -> int:
        """Send the changes of zones that wait for their nameservers to the workers again, those
        first that were left alone longest; answers how many. Idempotent.

        generation: see SweepsApi.
        """
        ...


class SweepsApi(Interface, Protocol):
    """Periodic work on the zones of some shards, in bounded batches. Every method is harmless when
    it is called twice.

    generation: of the lease by which the caller holds the shards; LeaseLost when the group has
    another one by now. None: not checked.
    """

    NAMESPACE: ClassVar[str] = "sweeps"
    VERSION: ClassVar[str] = "1.0"

    def purge(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        kept_s: float,
        generation: int | None = None,
    ) -> int:
        """Remove zones that were deleted more than kept_s ago, and journal steps past their age;
        answers how many rows went."""
        ...

    def follow_pools(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        generation: int | None = None,
    ) -> int:
        """Bring zones whose apex NS set is older than their pool's NS records forward; answers how
        many."""
        ...

    def audit(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        after: str,
        until: datetime,
        generation: int | None = None,
    ) -> tuple[Zone, ...]:
        """The next zones, behind the id `after`, whose existence in the audit period that ends at
        `until` is the caller's to tell: nobody is given them again for that period."""
        ...

    def reconcile(
        self,
        context: Context,
        first_shard: int,
        last_shard: int,
        limit: int,
        after: str,
        generation: int | None = None,
    ) -> str:
        """Have a worker look whether the next zones, behind the id `after`, that are thought to be
        served really are. Answers the id of the last one; empty: there are no more."""
        ...


class LeasesApi(Interface, Protocol):
    """Groups of processes that divide work among themselves."""

    NAMESPACE: ClassVar[str] = "leases"
    VERSION: ClassVar[str] = "1.0"
    PROMPT: ClassVar[frozenset[str]] = frozenset({"renew"})
    CASTS: ClassVar[frozenset[str]] = frozenset({"release"})

    def renew(self, context: Context, group: str, member: str, lifetime_s: float) -> Membership:
        """Belong to the group for lifetime_s from now."""
        ...

    def release(self, context: Context, group: str, member: str) -> None:
        """Leave the group at once. What is lost, the lease's end repairs."""
        ...


class WorkerApi(Interface, Protocol):
    """Makes nameservers agree with the database. What changes something is a cast; the sweep repairs
    losses."""

    NAMESPACE: ClassVar[str] = "worker"
    VERSION: ClassVar[str] = "1.0"
    CASTS: ClassVar[frozenset[str]] = frozenset({"zone_changed", "refresh_zone", "check_zones"})
    FANOUTS: ClassVar[frozenset[str]] = frozenset({"zone_served"})

    def zone_changed(self, context: Context, change: ZoneAnnouncement) -> None: ...

    def refresh_zone(self, context: Context, zone_id: str, source: str | None = None) -> None:
        """Look for a newer version of a secondary zone at its primaries. source: the address of the one
        that has news, which is asked first."""
        ...

    def check_zones(self, context: Context, changes: tuple[ZoneAnnouncement, ...]) -> None:
        """Ask the nameservers whether they still serve these zones; repair what they do not."""
        ...

    def look(self, context: Context, change: ZoneAnnouncement) -> tuple[NameserverAnswer, ...]:
        """Ask the zone's nameservers now; answers what each of them said, in some seconds at most."""
        ...

    def zone_served(self, context: Context, zone_id: str, serial: int, peer: str) -> None:
        """A hint: the nameserver at address `peer` has just been given this serial."""
        ...
