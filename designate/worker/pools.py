"""The worker's pools with their back ends loaded, cached until a change names a newer version."""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace

from designate import errors
from designate.backend.base import Backend, Factory
from designate.context import admin_context
from designate.model.pools import AlsoNotify, Nameserver, Pool, Target
from designate.model.zones import ZoneAnnouncement, ZoneType
from designate.rpc.clients import CentralClient
from designate.wire.tsig_keys import SigningKey, make_key
from designate.worker.proof import JudgingRules

LOG = logging.getLogger(__name__)

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """A target with its back end loaded.

    Attributes:
        label: names it in errors.
        executor_key: whose threads make the back end's calls.
        backend: makes the calls.
        notify: where NOTIFYs go; None if the target wants none.
        key: signs them.
        place: the server, and the part of it that has the zones.
    """

    label: str
    executor_key: Hashable
    backend: Backend
    notify: Address | None
    key: SigningKey | None = None
    place: Hashable = None


@dataclass(frozen=True, slots=True)
class LivePool:
    """A pool ready for use.

    Attributes:
        id: the pool's id.
        name: the pool's name.
        version: the version of the stored pool.
        targets: its targets.
        nameservers: its nameservers.
        also_notifies: further servers that get NOTIFYs.
        keys: the TSIG keys of its servers, by id.
        rewrites_answers: the servers may change what they serve, so only serials are compared.
        signers: labels of the nameservers that sign zones, or that a signing target feeds.
        by_catalog: the nameservers create and delete zones by themselves (RFC 9432).
    """

    id: str
    name: str
    version: int
    targets: tuple[LiveTarget, ...]
    nameservers: tuple[Nameserver, ...]
    also_notifies: tuple[AlsoNotify, ...]
    keys: Mapping[str, SigningKey] = field(default_factory=dict)
    by_catalog: bool = False
    rewrites_answers: bool = False
    signers: frozenset[str] = frozenset()

    def rules_of(self, nameserver: Nameserver, change: ZoneAnnouncement) -> JudgingRules:
        """Return how the nameserver's answers for the zone are judged.

        One that signs does so with the members of a catalog zone, not with the catalog itself.
        """
        signs = nameserver.label in self.signers and change.type is not ZoneType.CATALOG
        return JudgingRules(signs=signs, rewrites=self.rewrites_answers)

    def key_of(self, nameserver: Nameserver) -> SigningKey | None:
        """Return the key that signs SOA queries to the nameserver."""
        return self.keys.get(nameserver.tsigkey_id or "")

    def without(self, other: LivePool) -> LivePool:
        """Return this pool without the targets and nameservers of the other; equal for equal pools."""
        places = {target.place for target in other.targets}
        servers = {nameserver.label for nameserver in other.nameservers}
        return replace(
            self,
            targets=tuple(target for target in self.targets if target.place not in places),
            nameservers=tuple(ns for ns in self.nameservers if ns.label not in servers),
        )


@dataclass(slots=True)
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    requested_version: int = -1
    live: LivePool | None = None


class _ByCatalog(Backend):
    """For nameservers that follow the pool's catalog zone (RFC 9432): nothing has to be called."""

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        """Do nothing: the zone is in the catalog."""

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """Do nothing: the zone has gone from the catalog."""


class PoolCache:
    """A cache of pools. Thread-safe; one fetch at a time per pool, for which other threads wait."""

    def __init__(self, central: CentralClient, load: Factory) -> None:
        """Create an empty cache; load: makes the back end of a target."""
        self._central = central
        self._load = load
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def get(self, pool_id: str, version: int) -> LivePool:
        """Return the pool in this version, or in the one that central has now.

        Raises:
            DesignateError: what central raises: NotFound, Unavailable, DeadlineExceeded.
            ConfigurationError: a target's back end or a TSIG key cannot be used or does not exist.
        """
        with self._lock:
            entry = self._entries.setdefault(pool_id, _Entry())
        with entry.lock:
            live = entry.live
            # A late message may name an older version than central returned. Fetching again would
            # return the same, so the requested version counts as known too.
            if live is not None and version in (live.version, entry.requested_version):
                return live
            pool = self._central.pools.get(admin_context(), pool_id)
            live = self._load_pool(pool)
            entry.live, entry.requested_version = live, version
            LOG.info("pool %s: version %d loaded", pool_id, live.version)
            return live

    def _load_pool(self, pool: Pool) -> LivePool:
        keys = {key_id: self._key(key_id) for key_id in sorted(pool.key_ids)}
        targets = tuple(
            self._target(pool, place, target, keys.get(target.tsigkey_id or ""))
            for place, target in enumerate(pool.targets)
        )
        return LivePool(
            id=pool.id,
            name=pool.name,
            version=pool.version,
            targets=targets,
            nameservers=pool.nameservers,
            also_notifies=pool.also_notifies,
            keys=keys,
            by_catalog=pool.catalog_zone is not None,
            rewrites_answers=any(target.backend.REWRITES_ANSWERS for target in targets),
            signers=_signers(pool),
        )

    def _key(self, key_id: str) -> SigningKey:
        try:
            stored = self._central.tsigkeys.get(admin_context(), key_id)
            return make_key(stored.name, stored.algorithm, stored.secret)
        except errors.NotFound:
            raise errors.ConfigurationError(f"TSIG key {key_id} does not exist") from None
        except ValueError as error:
            raise errors.ConfigurationError(f"TSIG {error}") from None

    def _target(self, pool: Pool, place: int, target: Target, key: SigningKey | None) -> LiveTarget:
        backend = self._load(target)
        if key is not None:
            backend.transfer_with(key.name)
        return LiveTarget(
            label=f"target {place + 1} ({target.type})",
            executor_key=("backend", pool.id, place),
            backend=backend if pool.catalog_zone is None else _ByCatalog(target),
            notify=_notify_address(target, backend),
            key=key,
            place=backend.identity,
        )


def _signers(pool: Pool) -> frozenset[str]:
    """Return the labels of the nameservers that sign, or that a signing target feeds.

    A target's own nameservers are those at its address; one without any feeds all.
    """
    signers = {nameserver.label for nameserver in pool.nameservers if nameserver.signs}
    for target in pool.targets:
        if target.signs:
            host, port = target.options.get("host"), target.options.get("port", "53")
            at_host = [nameserver for nameserver in pool.nameservers if nameserver.host == host]
            exactly = [nameserver for nameserver in at_host if str(nameserver.port) == port]
            signers |= {one.label for one in exactly or at_host or pool.nameservers}
    return frozenset(signers)


def _notify_address(target: Target, backend: Backend) -> Address | None:
    if not backend.NOTIFY:
        return None
    host, port = backend.notify_address
    if not host:
        raise errors.ConfigurationError(f"target type {target.type}: option host is empty")
    return host, port
