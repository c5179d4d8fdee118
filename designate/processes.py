"""The composition root: builds every process from its parts.

`api()` to `sink()` build the daemons of a deployment, which talk to each other over the message bus.
`Standalone` is all of them in one process on the local bus. Commands have `cmd/central_clients.py`.

Nothing here opens a socket or a file before `start()` (or the first call). A process imports only its
own parts, to save memory; hence the imports inside functions. Over 300 lines, since a reader finds
the composition of every process in one place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from oslo_config import cfg

from designate import errors, heartbeat
from designate.context import admin_context
from designate.health import HealthChecks, MonitoringServer
from designate.model.pools import Nameserver, NsRecord, PoolSpec, Target
from designate.notifications import NotificationEmitter
from designate.rpc import interfaces
from designate.rpc.bus import Dispatcher
from designate.rpc.clients import (
    CENTRAL_TOPIC,
    WORKER_TOPIC,
    CentralClient,
    central_client_over,
    worker_client,
    worker_client_over,
)
from designate.rpc.liveness import LiveServices
from designate.runtime import concurrency, private_files
from designate.runtime.process import Part, Process
from designate.runtime.wsgi import WsgiApp

if TYPE_CHECKING:
    from designate.http.exchange import HttpLimits
    from designate.rpc.oslo import OsloBus
    from designate.storage.sqlalchemy.db.engine import Database

LOG = logging.getLogger(__name__)

STANDALONE_NS = "ns1.localhost."
Address = tuple[str, int]


def api(conf: cfg.ConfigOpts) -> Process:
    """Build designate-api: HTTP on every listen address."""
    from designate.api.app import build
    from designate.http.factory import http_server
    from designate.http.server import DRAIN_S
    from designate.http.tls import HttpsSettings

    bus = _oslo_bus(conf)
    group = conf["service:api"]
    app = build(conf, central_client_over(conf, bus))
    tls = HttpsSettings.from_conf(conf)
    limits = _http_limits(conf)
    servers = [
        http_server(
            app,
            host,
            port,
            group.threads,
            shared_port=_is_forked(group.workers),
            tls=tls,
            drain_s=DRAIN_S,
            limits=limits,
            option="[service:api] listen",
        )
        for host, port in map(_address, group.listen)
    ]
    return _process(conf, bus, "api", [Part(server.start, server.stop) for server in servers])


def hosted_api(conf: cfg.ConfigOpts) -> tuple[WsgiApp, Process]:
    """Build the application for another HTTP server, and the process to start before its first call."""
    from designate.api.app import build

    bus = _oslo_bus(conf)
    return build(conf, central_client_over(conf, bus)), _process(conf, bus, "api", [], hosted=True)


def central(conf: cfg.ConfigOpts) -> Process:
    """Build designate-central: the rules, and the only writer of the database."""
    from designate.central import service
    from designate.central.outbox import Outbox
    from designate.storage.sqlalchemy.db.engine import Database

    bus = _oslo_bus(conf)
    database = Database.from_conf(conf, reply_timeout_s=conf.rpc_response_timeout)
    outbox = Outbox(worker_client_over(conf, bus))
    to_worker = cast(interfaces.WorkerApi, outbox)
    notifier = NotificationEmitter(conf, "central")
    dispatcher = service.dispatcher(
        conf, database, to_worker, notifier=notifier, policy=service.loaded_policy(conf)
    )
    bus.serve(conf["service:central"].topic, dispatcher)
    parts = [
        Part(lambda: None, database.close),
        Part(notifier.start, notifier.stop),
        Part(outbox.start, outbox.stop),
    ]
    return _process(conf, bus, "central", parts, database)


def worker(conf: cfg.ConfigOpts) -> Process:
    """Build designate-worker: brings the nameservers to the state of the database."""
    from designate.worker.service import Worker

    bus = _oslo_bus(conf)
    part = Worker(conf, central_client_over(conf, bus))
    bus.serve(conf["service:worker"].topic, Dispatcher({interfaces.WorkerApi: part}))
    return _process(conf, bus, "worker", [Part(part.start, part.stop)])


def mdns(conf: cfg.ConfigOpts) -> Process:
    """Build designate-mdns: the hidden primary."""
    from designate.mdns.server import MiniDns
    from designate.storage.sqlalchemy.db.engine import Database

    bus = _oslo_bus(conf)
    database = Database.from_conf(conf)
    part = MiniDns(conf, database, worker_client_over(conf, bus))
    parts = [Part(lambda: None, database.close), Part(part.start, part.stop)]
    return _process(conf, bus, "mdns", parts, database)


def producer(conf: cfg.ConfigOpts) -> Process:
    """Build designate-producer: the periodic tasks."""
    from designate.producer.service import Producer

    bus = _oslo_bus(conf)
    part = Producer(conf, central_client_over(conf, bus))
    return _process(conf, bus, "producer", [Part(part.start, part.stop)])


def sink(conf: cfg.ConfigOpts) -> Process:
    """designate-sink: events of other services."""
    from designate.rpc.events import EventListener
    from designate.sink.service import Sink

    bus = _oslo_bus(conf)
    part = Sink(conf, central_client_over(conf, bus), EventListener)
    return _process(conf, bus, "sink", [Part(part.start, part.stop)])


def _oslo_bus(conf: cfg.ConfigOpts) -> OsloBus:
    from designate.rpc.oslo import OsloBus

    return OsloBus(conf)


def _process(
    conf: cfg.ConfigOpts,
    bus: OsloBus,
    name: str,
    parts: list[Part],
    database: Database | None = None,
    *,
    hosted: bool = False,
) -> Process:
    """The parts between the way out, which they need, and the way in, which needs them.

    hosted: by another server, which has other processes on the monitoring port, however many
    [service:...] workers are, and cannot end a process that the broker refuses.
    """
    emitter = heartbeat.emitter(conf, central_client_over(conf, bus), (name,))
    checks = HealthChecks(
        quick={"message bus": bus.fault},
        slow={} if database is None else {"database": database.fault},
        live=LiveServices(central_client_over(conf, bus).services),
    )
    shared_port = hosted or _is_forked(conf[f"service:{name}"].workers)
    first = [] if database is None else [Part(partial(_take_database, database), lambda: None)]
    monitoring = MonitoringServer(conf, name, checks, shared_port=shared_port)
    return Process(
        [
            *first,
            Part(bus.start, bus.stop),
            Part((lambda: None) if hosted else bus.require_access, lambda: None),
            *parts,
            Part(bus.accept, bus.drain),
            Part(emitter.start, emitter.stop),
            Part(monitoring.start, monitoring.stop),
            Part(lambda: None, bus.limit_calls),  # the first to stop
        ]
    )


def _take_database(database: Database) -> None:
    """Require this release's schema, and of a SQLite file that no standalone service has it."""
    from designate.storage.sqlalchemy import schema_state

    if database.is_sqlite:
        folder = Path(database.url.removeprefix("sqlite:///")).parent
        try:
            if folder.is_dir():
                private_files.lock_folder(folder, shared=True)
        except private_files.InUse:
            raise errors.ConfigurationError(
                f"[storage:sqlalchemy] connection: designate-standalone uses {folder}: stop it, or "
                "give this program a database of its own"
            ) from None
    schema_state.require_current(database.url, schema_state.MAX_WAIT_S)


def _http_limits(conf: cfg.ConfigOpts) -> HttpLimits:
    """Return the limits of the API's server; the API itself has a smaller one for most bodies."""
    from designate.http.exchange import HttpLimits

    group = conf["service:api"]
    return HttpLimits(max_body_bytes=max(group.max_request_body_size, group.max_import_body_size))


def _is_forked(workers: int | None) -> bool:
    return (workers or 1) > 1


def _address(listen: str) -> Address:
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def central_notifier(conf: cfg.ConfigOpts) -> NotificationEmitter:
    """Return central's emitter, for a program that is more than designate-central."""
    notifier = NotificationEmitter(conf, "central")
    if notifier.enabled:
        concurrency.prepare()
    return notifier


class Standalone:
    """All services in one process on one database, without a broker."""

    def __init__(self, conf: cfg.ConfigOpts, pools_file: str | None = None) -> None:
        """Build the services.

        Args:
            conf: the options of every service.
            pools_file: a pools.yaml to apply at the start; None makes this process' own MiniDNS
                serve the default pool.
        """
        from designate.api.app import build
        from designate.central import service
        from designate.http.factory import http_server
        from designate.mdns.server import MiniDns
        from designate.producer.membership import SoleMembership
        from designate.producer.service import Producer
        from designate.rpc.local import LocalBus
        from designate.storage.sqlalchemy.db.engine import Database
        from designate.worker.service import Worker

        self._conf = conf
        self._pools_file = pools_file
        self.database = Database.from_conf(conf)
        self.bus = LocalBus()
        self.central = CentralClient.over(self.bus)
        to_worker = worker_client(self.bus)
        self._worker = Worker(conf, self.central)
        self._mdns = MiniDns(conf, self.database, to_worker)
        self._producer = Producer(conf, self.central, SoleMembership())
        group = conf["service:api"]
        host, port = _address(group.listen[0])
        self._http = http_server(
            build(conf, self.central), host, port, group.threads, limits=_http_limits(conf)
        )
        checks = HealthChecks(
            quick={},
            slow={"database": self.database.fault},
            live=LiveServices(self.central.services),
        )
        self._monitoring = MonitoringServer(conf, "standalone", checks)
        self._heartbeat = heartbeat.emitter(
            conf, self.central, ("api", "central", "mdns", "producer", "worker")
        )
        self._notifier = central_notifier(conf)
        self.bus.serve(
            CENTRAL_TOPIC,
            service.dispatcher(
                conf,
                self.database,
                to_worker,
                notifier=self._notifier,
                policy=service.loaded_policy(conf),
            ),
        )
        self.bus.serve(WORKER_TOPIC, Dispatcher({interfaces.WorkerApi: self._worker}))
        self._started: list[Callable[[], Any]] = []

    def migrate(self) -> None:
        """Migrate the database to the schema of this release."""
        from designate.storage.sqlalchemy import migration
        from designate.storage.sqlalchemy.db import options

        url = options.connection(self._conf)
        folder = Path(url.removeprefix("sqlite:///")).parent
        if url.startswith("sqlite:///") and not folder.is_dir():
            private_files.make_folder(folder)
        if not migration.is_current(url):
            migration.sync(url, self._conf["service:central"].default_pool_id)

    def start(self) -> None:
        """Start every service; where one fails, stop those that run and raise its error."""
        try:
            for first in (self._notifier, self.bus, self._mdns):
                first.start()
                self._started.append(first.stop)
            self._apply_pools()
            for part in (
                self._worker,
                self._producer,
                self._heartbeat,
                self._monitoring,
                self._http,
            ):
                part.start()
                self._started.append(part.stop)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Drain and close the services in reverse order, so that the API accepts no request first."""
        order = list(reversed(self._started))
        self._started.clear()
        for stop in order:
            stop()
        self.database.close()

    @property
    def api_address(self) -> Address:
        """Host and port of the API."""
        return self._http.address

    @property
    def dns_address(self) -> Address:
        """Host and port of the first DNS listener."""
        return self._mdns.addresses[0]

    def _apply_pools(self) -> None:
        from designate import pools_yaml
        from designate.backend import base

        if self._pools_file is not None:
            specs = pools_yaml.read(self._pools_file, list(base.drivers()))
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
