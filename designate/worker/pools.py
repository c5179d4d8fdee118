"""The worker's copies of pools, backends loaded, kept until a change names newer ones."""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace

from designate import errors
from designate.backend.base import Backend, Factory
from designate.context import admin_context
from designate.model.pools import AlsoNotify, Nameserver, Pool, Target
from designate.model.zones import ZoneAnnouncement
from designate.rpc.clients import CentralClient
from designate.wire.tsig_keys import SigningKey, make_key

LOG = logging.getLogger(__name__)

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """executor: whose threads carry the backend's calls. notify: where NOTIFY goes; None: nowhere. key:
    signs it. place: the server, and the part of it that has the zones."""

    label: str
    executor: Hashable
    backend: Backend
    notify: Address | None
    key: SigningKey | None = None
    place: Hashable = None


@dataclass(frozen=True, slots=True)
class LivePool:
    """A pool ready for use. keys: of its nameservers, by id. by_catalog: the
    nameservers make and drop zones by themselves."""

    id: str
    name: str
    version: int
    targets: tuple[LiveTarget, ...]
    nameservers: tuple[Nameserver, ...]
    also_notifies: tuple[AlsoNotify, ...]
    keys: Mapping[str, SigningKey] = field(default_factory=dict)
    by_catalog: bool = False

    def key_of(self, nameserver: Nameserver) -> SigningKey | None:
        """What signs SOA queries to it."""
        return self.keys.get(nameserver.tsigkey_id or "")

    def without(self, other: LivePool) -> LivePool:
        """What this pool has and the other one has not. Equal for equal pools."""
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
    asked_version: int = -1
    live: LivePool | None = None


class _ByCatalog(Backend):
    """The nameserver makes and drops zones by itself, from the pool's catalog zone (RFC 9432)."""

    def create_zone(self, zone: ZoneAnnouncement) -> None:
        """It is in the catalog."""

    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """It has gone from the catalog."""


class PoolCache:
    """Thread-safe. One fetch at a time per pool; others wait for it."""

    def __init__(self, central: CentralClient, load: Factory) -> None:
        self._central = central
        self._load = load
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def get(self, pool_id: str, version: int) -> LivePool:
        """The pool as of this version or the one that central holds by now.

        Raises what central raises (NotFound, Unavailable, DeadlineExceeded), and
        ConfigurationError for a target whose backend cannot be used, and for a TSIG key that does not
        exist or cannot be used.
        """
        with self._lock:
            entry = self._entries.setdefault(pool_id, _Entry())
        with entry.lock:
            live = entry.live
            # A late message may name an older version than central answered with: asking again
            # for it would give the same, so the asked version counts as known too.
            if live is not None and version in (live.version, entry.asked_version):
                return live
            pool = self._central.pools.get(admin_context(), pool_id)
            live = self._revive(pool)
            entry.live, entry.asked_version = live, version
            LOG.info("pool %s version %d loaded", pool_id, live.version)
            return live

    def _revive(self, pool: Pool) -> LivePool:
        keys = {key_id: self._key(key_id) for key_id in sorted(pool.key_ids)}
        return LivePool(
            id=pool.id,
            name=pool.name,
            version=pool.version,
            targets=tuple(
                self._target(pool, place, target, keys.get(target.tsigkey_id or ""))
                for place, target in enumerate(pool.targets)
            ),
            nameservers=pool.nameservers,
            also_notifies=pool.also_notifies,
            keys=keys,
            by_catalog=pool.catalog_zone is not None,
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
            executor=("backend", pool.id, place),
            backend=backend if pool.catalog_zone is None else _ByCatalog(target),
            notify=_notify_address(target, backend),
            key=key,
            place=backend.place,
        )


def _notify_address(target: Target, backend: Backend) -> Address | None:
    if not backend.NOTIFY:
        return None
    host, port = backend.notify_address
    if not host:
        raise errors.ConfigurationError(f"target type {target.type}: option host is empty")
    return host, port
