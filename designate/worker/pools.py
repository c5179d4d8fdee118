"""The worker's copies of pools, backends loaded, kept until a change names newer ones."""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable
from dataclasses import dataclass, field

from designate import errors
from designate.backend.base import Backend, Factory
from designate.context import admin_context
from designate.model.pools import AlsoNotify, Nameserver, Pool, Target
from designate.rpc.clients import CentralClient

LOG = logging.getLogger(__name__)

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """lane: whose threads carry the backend's calls. notify: where NOTIFY goes; None: nowhere."""

    label: str
    lane: Hashable
    backend: Backend
    notify: Address | None


@dataclass(frozen=True, slots=True)
class LivePool:
    """A pool ready for use."""

    id: str
    name: str
    version: int
    targets: tuple[LiveTarget, ...]
    nameservers: tuple[Nameserver, ...]
    also_notifies: tuple[AlsoNotify, ...]


@dataclass(slots=True)
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked_version: int = -1
    live: LivePool | None = None


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
        ConfigurationError for a target whose backend cannot be used.
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
        targets = []
        for place, target in enumerate(pool.targets):
            backend = self._load(target)
            targets.append(
                LiveTarget(
                    label=f"target {place + 1} ({target.type})",
                    lane=("backend", pool.id, place),
                    backend=backend,
                    notify=_notify_address(target, backend),
                )
            )
        if any(t.tsigkey_id for t in pool.targets) or any(n.tsigkey_id for n in pool.nameservers):
            LOG.warning("pool %s names TSIG keys; NOTIFY and SOA queries go unsigned", pool.id)
        return LivePool(
            id=pool.id,
            name=pool.name,
            version=pool.version,
            targets=tuple(targets),
            nameservers=pool.nameservers,
            also_notifies=pool.also_notifies,
        )


def _notify_address(target: Target, backend: Backend) -> Address | None:
    if not backend.NOTIFY:
        return None
    host, port = backend.notify_address
    if not host:
        raise errors.ConfigurationError(f"target type {target.type}: option host is empty")
    return host, port
