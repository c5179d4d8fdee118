"""Pools: which nameservers hold zones, how to reach them, and what counts as served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from designate.model.codec import UNSET, Unset
from designate.model.zones import PrimaryAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class NsRecord:
    """A name in the apex NS set of the pool's zones. The first listed is the SOA's MNAME."""

    hostname: str
    priority: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameserver:
    """A server that is polled for the zone's data; never written to.

    signs: it signs the zones, so that their serials are its own.
    """

    host: str
    port: int = 53
    tsigkey_id: str | None = None
    signs: bool = False

    @property
    def label(self) -> str:
        """Its name in logs, errors and metrics: `192.0.2.1:53`, `[2001:db8::1]:53`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server on which a back end creates and deletes zones.

    masters: the primaries that it transfers from. options: texts, see the back end's documentation;
    `host` and `port` are where NOTIFY goes. signs: the server signs the zones, so that the serials of
    the nameservers that it is or feeds are its own.
    """

    type: str
    masters: tuple[PrimaryAddress, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    description: str | None = None
    tsigkey_id: str | None = None
    signs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlsoNotify:
    """A further address to which NOTIFY goes."""

    host: str
    port: int = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogZone:
    """A pool's catalog zone (RFC 9432).

    refresh: of its SOA, in seconds; None: as for other zones. algorithm, secret: of its TSIG key,
    which has the zone's name; the secret in base64.
    """

    fqdn: str
    refresh: int | None = None
    algorithm: str | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSpec:
    """A pool as pools.yaml describes it.

    id: None: the pool is found by its name, or created. left_out: the parts that the file does not
    mention, which a stored pool keeps.
    """

    name: str
    id: str | None = None
    description: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    ns_records: tuple[NsRecord, ...] = ()
    nameservers: tuple[Nameserver, ...] = ()
    targets: tuple[Target, ...] = ()
    also_notifies: tuple[AlsoNotify, ...] = ()
    catalog_zone: CatalogZone | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool as stored.

    version: grows by one with every stored change. ns_version: the same for changes of ns_records.
    """

    id: str
    name: str
    created_at: datetime
    version: int = 1
    ns_version: int = 1
    project_id: str | None = None
    description: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    ns_records: tuple[NsRecord, ...] = ()
    nameservers: tuple[Nameserver, ...] = ()
    targets: tuple[Target, ...] = ()
    also_notifies: tuple[AlsoNotify, ...] = ()
    catalog_zone: CatalogZone | None = None
    updated_at: datetime | None = None

    @property
    def key_ids(self) -> set[str]:
        """Ids of the TSIG keys that its targets and nameservers use."""
        key_ids = {target.tsigkey_id for target in self.targets}
        key_ids |= {nameserver.tsigkey_id for nameserver in self.nameservers}
        return {key_id for key_id in key_ids if key_id is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolDraft:
    """A pool that the API creates: without targets, which only pools.yaml defines.

    project_id: None: the caller's.
    """

    name: str
    project_id: str | None = None
    description: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    ns_records: tuple[NsRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPatch:
    """The members to change; UNSET members stay as they are. Lists and maps are replaced."""

    name: str | Unset = UNSET
    project_id: str | Unset | None = UNSET
    description: str | Unset | None = UNSET
    attributes: dict[str, str] | Unset = UNSET
    ns_records: tuple[NsRecord, ...] | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolChange:
    """One difference between the stored pools and a file.

    kind: "create", "update" or "delete" of the pool. path: e.g. "ns_records". old, new: for people.
    """

    pool: str
    kind: str
    path: str = ""
    old: str = ""
    new: str = ""


def with_stored(
    specs: Sequence[PoolSpec], stored: Sequence[Pool]
) -> Iterator[tuple[PoolSpec, Pool | None]]:
    """Yield each pool of a file and the stored one that it describes, by its id or else its name."""
    by_id = {pool.id: pool for pool in stored}
    by_name = {pool.name: pool for pool in stored}
    for spec in specs:
        yield spec, by_id.get(spec.id) if spec.id else by_name.get(spec.name)
