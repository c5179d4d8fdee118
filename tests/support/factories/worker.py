"""Changes, pools and a central that records reports, for the worker's tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from designate import errors
from designate.backend.base import Backend
from designate.model.pools import AlsoNotify, Nameserver, Pool, Target
from designate.model.tsigkeys import TsigKey, TsigScope
from designate.model.zones import (
    Action,
    Outcome,
    Sample,
    ZoneAnnouncement,
    ZoneId,
    ZoneReport,
    ZoneType,
)
from designate.rpc.clients import CentralClient
from designate.worker.pools import LivePool, LiveTarget
from tests.support.deadlines import until
from tests.support.fakes.nameserver import NanoServer

ZONE = "example.org."


class Reports:
    """Implements central.status.

    Attributes:
        got: the reports, in the order of their arrival.
        until: waits for a condition; a simulation replaces it.
    """

    def __init__(self) -> None:
        self.got: list[ZoneReport] = []
        self.until: Callable[[Callable[[], object], float, str], object] = until

    def report(self, _context: Any, report: ZoneReport) -> None:
        self.got.append(report)

    def of(self, change: ZoneAnnouncement) -> list[ZoneReport]:
        return [r for r in self.got if r.zone_id == change.zone_id]

    def wait(
        self, change: ZoneAnnouncement, outcome: Outcome | None = None, timeout_s: float = 10
    ) -> ZoneReport:
        """Wait for the first report for the change's revision (and outcome) and return it."""

        def find() -> ZoneReport | None:
            for report in self.of(change):
                if report.revision == change.revision and outcome in (None, report.outcome):
                    return report
            return None

        found = self.until(find, timeout_s, f"a report for {change.name} ({self.got})")
        assert isinstance(found, ZoneReport)
        return found


class Pools:
    """Implements central.pools.

    Attributes:
        by_id: the pools.
        calls: how often `get` was called.
        error: raised by `get`, if set.
    """

    def __init__(self, *pools: Pool) -> None:
        self.by_id = {pool.id: pool for pool in pools}
        self.calls = 0
        self.error: errors.DesignateError | None = None

    def get(self, _context: Any, pool_id: str) -> Pool:
        self.calls += 1
        if self.error is not None:
            raise self.error
        if pool_id not in self.by_id:
            raise errors.NotFound("pool")
        return self.by_id[pool_id]


class Keys:
    """Implements central.tsigkeys, with the keys of a dictionary."""

    def __init__(self) -> None:
        self.by_id: dict[str, TsigKey] = {}

    def add(self, name: str, secret: str, key_id: str = "key", **members: Any) -> None:
        """Store a key, or another one under its id."""
        self.by_id[key_id] = TsigKey(
            id=key_id,
            name=name,
            secret=secret,
            created_at=datetime(2026, 1, 1),
            **{
                "algorithm": "hmac-sha256",
                "scope": TsigScope.POOL,
                "resource_id": "pool",
                **members,
            },
        )

    def get(self, _context: Any, tsigkey_id: str) -> TsigKey:
        if tsigkey_id not in self.by_id:
            raise errors.NotFound("tsigkey")
        return self.by_id[tsigkey_id]


class Central:
    """The parts of central that a worker calls; `client` is what a worker is given."""

    def __init__(self, *pools: Pool) -> None:
        self.pools = Pools(*pools)
        self.reports = Reports()
        self.keys = Keys()
        pools_api: Any = self.pools
        status_api: Any = self.reports
        keys_api: Any = self.keys
        self.client = CentralClient(
            **dict.fromkeys(CentralClient.__slots__)
            | {"pools": pools_api, "status": status_api, "tsigkeys": keys_api}
        )


def change(
    revision: int = 1,
    action: Action = Action.UPDATE,
    *,
    name: str = ZONE,
    zone_id: str | None = None,
    serial: int | None = None,
    created: bool = True,
    pool_id: str = "pool",
    pool_version: int = 1,
    hard_delete: bool = False,
    recovery: bool = False,
    withdrawn: bool = False,
    soa: str = "",
    sample: Sample | None = None,
) -> ZoneAnnouncement:
    """Return a change; by default the serial is 100 times the revision, the id made of the name."""
    return ZoneAnnouncement(
        zone_id=ZoneId(zone_id or str(uuid.uuid5(uuid.NAMESPACE_DNS, name))),
        name=name,
        type=ZoneType.PRIMARY,
        pool_id=pool_id,
        pool_version=pool_version,
        revision=revision,
        serial=100 * revision if serial is None else serial,
        action=action,
        created=created,
        hard_delete=hard_delete,
        again=recovery,
        withdrawn=withdrawn,
        soa=soa,
        sample=sample,
    )


def nameserver(server: NanoServer) -> Nameserver:
    return Nameserver(host=server.host, port=server.port)


def live_pool(
    *servers: NanoServer,
    backends: tuple[Backend, ...] = (),
    notify: bool = True,
    also: tuple[NanoServer, ...] = (),
) -> LivePool:
    """Return a pool; each back end is a target whose NOTIFYs go to the first nameserver."""
    address = (servers[0].host, servers[0].port) if servers and notify else None
    return LivePool(
        id="pool",
        name="pool",
        version=1,
        targets=tuple(
            LiveTarget(
                label=f"target {place + 1}",
                executor_key=("backend", "pool", place),
                backend=backend,
                notify=address,
            )
            for place, backend in enumerate(backends)
        ),
        nameservers=tuple(nameserver(server) for server in servers),
        also_notifies=tuple(AlsoNotify(host=s.host, port=s.port) for s in also),
    )


def stored_pool(
    *servers: NanoServer, pool_id: str = "pool", version: int = 1, type: str = "fake"
) -> Pool:
    """Return a pool as central stores it, with one target per server."""
    return Pool(
        id=pool_id,
        name=pool_id,
        created_at=datetime(2026, 1, 1),
        version=version,
        nameservers=tuple(nameserver(server) for server in servers),
        targets=tuple(
            Target(type=type, options={"host": server.host, "port": str(server.port)})
            for server in servers
        ),
    )
