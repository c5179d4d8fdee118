"""Builds the whole service in one process.

`Standalone` is everything in one process, on the local bus (for the processes of a deployment with a
message bus see `designate.processes`). `central_client` is central for a command that runs beside the
service on the same database. Nothing here opens a socket or a file before `start()` (or the first
call).
"""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from oslo_config import cfg
from stevedore import extension

from designate import concurrency, errors
from designate.central import service as central_service
from designate.context import admin_context
from designate.model import poolsfile
from designate.model.pools import Nameserver, NsRecord, PoolSpec, Target
from designate.notifications import Notifier
from designate.rpc import interfaces
from designate.rpc.bus import Dispatcher
from designate.rpc.clients import CENTRAL_TOPIC, WORKER_TOPIC, CentralClient, worker_client
from designate.rpc.local import LocalBus
from designate.storage import migration, settings
from designate.storage.engine import Database

LOG = logging.getLogger(__name__)

STANDALONE_NS = "ns1.localhost."
Address = tuple[str, int]


def backend_names() -> list[str]:
    """The nameserver products that this installation can drive."""
    return sorted(extension.ExtensionManager("designate.backend", invoke_on_load=False).names())


def read_pools_file(path: str, drivers: list[str] | None = None) -> tuple[PoolSpec, ...]:
    """The pools of a pools.yaml. Raises BadRequest that names the file and what is wrong in it."""
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise errors.BadRequest(f"{path}: {error}") from None
    return poolsfile.parse(data, path, drivers)


def central_client(conf: cfg.ConfigOpts) -> CentralClient:
    """Central on this process' own connection to the database. What it has to say to workers is
    left to the recovery sweep of the running service."""
    bus = LocalBus()
    db = Database.from_conf(conf)
    notifier = _notifier(conf)
    notifier.start()
    atexit.register(notifier.stop)
    bus.serve(
        CENTRAL_TOPIC, central_service.dispatcher(conf, db, worker_client(bus), notifier=notifier)
    )
    return CentralClient.over(bus)


def _notifier(conf: cfg.ConfigOpts) -> Notifier:
    notifier = Notifier(conf, "central")
    if notifier.enabled:
        concurrency.prepare()
    return notifier


class Standalone:
    """All services in one process on one database, without a broker.

    pools_file: a pools.yaml to apply at the start; without one, the default pool is served by this
    process' own MiniDNS.
    """

    def __init__(self, conf: cfg.ConfigOpts, pools_file: str | None = None) -> None:
        from designate.api.app import build
        from designate.api.server import HttpServer
        from designate.health import Listener
        from designate.heart import Heart
        from designate.mdns.server import MiniDns
        from designate.producer.membership import Alone
        from designate.producer.service import Producer
        from designate.worker.service import Worker

        self._conf = conf
        self._pools_file = pools_file
        self.database = Database.from_conf(conf)
        self.bus = LocalBus()
        self.central = CentralClient.over(self.bus)
        to_worker = worker_client(self.bus)
        self._worker = Worker(conf, self.central)
        self._mdns = MiniDns(conf, self.database, to_worker)
        self._producer = Producer(conf, self.central, Alone())
        listen = conf["service:api"].listen[0]
        host, _, port = listen.rpartition(":")
        self._http = HttpServer(
            build(conf, self.central), host.strip("[]"), int(port), conf["service:api"].threads
        )
        self._health = Listener(conf, {"database": self.database.fault})
        self._heart = Heart(conf, self.central, ("api", "central", "mdns", "producer", "worker"))
        self._notifier = _notifier(conf)
        self.bus.serve(
            CENTRAL_TOPIC,
            central_service.dispatcher(conf, self.database, to_worker, notifier=self._notifier),
        )
        self.bus.serve(WORKER_TOPIC, Dispatcher({interfaces.WorkerApi: self._worker}))
        self._started: list[Callable[[], Any]] = []

    def migrate(self) -> None:
        """Bring the database to this release's schema."""
        url = settings.connection(self._conf)
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        if not migration.is_current(url):
            migration.sync(url)

    def start(self) -> None:
        """Serve. Either everything runs afterwards or an error is raised and nothing does."""
        try:
            for part in (self._notifier, self.bus, self._mdns):
                part.start()
                self._started.append(part.stop)
            self._apply_pools()
            for later in (self._worker, self._producer, self._heart, self._health, self._http):
                later.start()
                self._started.append(later.stop)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Drain and close, the entrances first. The API takes no request before it is told to."""
        order = list(reversed(self._started))
        self._started.clear()
        for stop in order:
            stop()
        self.database.close()

    @property
    def api_address(self) -> Address:
        return self._http.address

    @property
    def dns_address(self) -> Address:
        return self._mdns.addresses[0]

    def _apply_pools(self) -> None:
        if self._pools_file is not None:
            specs = read_pools_file(self._pools_file, backend_names())
        else:
            specs = (self._own_pool(),)
        changes = self.central.pools.apply(admin_context(), specs, False, False)
        for change in changes:
            LOG.info("pool %s: %s %s", change.pool, change.kind, change.path)

    def _own_pool(self) -> PoolSpec:
        host, port = self.dns_address
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not a bind
        return PoolSpec(
            id=self._conf["service:central"].default_pool_id,
            name="default",
            description="Served by this process",
            ns_records=(NsRecord(hostname=STANDALONE_NS),),
            nameservers=(Nameserver(host=host, port=port),),
            targets=(Target(type="builtin"),),
        )
